"""Writes down what happened to a function, for the test to read."""

import json
import os
import sys
from pathlib import Path


def note(kind: str, **facts: object) -> None:
    """Append a line to DIR/notes.jsonl."""
    line = json.dumps({"kind": kind, "pid": os.getpid(), "python": sys.executable, **facts})
    with (Path(os.environ["LOCALDEV_DIR"]) / "notes.jsonl").open("a") as notes:
        notes.write(line + "\n")
