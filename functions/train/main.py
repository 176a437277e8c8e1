"""The training job's entry point: environment in, log lines and exit code out."""

from __future__ import annotations

import json
import os
import sys

from perennial.errors import PerennialError
from perennial.wiring.train import trainer
from perennial.workflows.train import train


def main() -> int:
    """Run once for the pipeline that the launcher named."""
    pipeline = os.environ.get("PERENNIAL_PIPELINE", "")
    if not pipeline:
        _log("ERROR", "PERENNIAL_PIPELINE names the pipeline to train, and is not set")
        return 2
    try:
        force = os.environ.get("PERENNIAL_FORCE") == "1"
        for run in train(trainer(os.environ), pipeline, force=force):
            _log("INFO", run.reason, **run.summary())
    except PerennialError as error:
        _log("ERROR", f"{type(error).__name__}: {error}", pipeline=pipeline)
        return 1
    return 0


def _log(severity: str, message: str, **fields: object) -> None:
    """One structured line, as Cloud Logging reads it."""
    line = {**fields, "severity": severity, "message": message}
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
