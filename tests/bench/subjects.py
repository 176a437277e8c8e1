"""What serving is measured on: how each subject is started, and what it is asked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from localdev.settings import BUCKETS
from tests.bench import load, rival_environments, shop
from tests.bench.hosting import (
    HOST,
    FunctionProcess,
    ServerProcess,
    environment,
    free_port,
    function_python,
    predict_process,
)

PREDICT, EMPTY = "predict", "empty function"
DATAFRAME = "functions-framework + pandas + joblib"
HAND_ENCODED = "hand-encoded numpy + scikit-learn"
BENTOML, MLFLOW = "BentoML", "mlflow models serve"

_RIVALS = Path(__file__).parent / "rivals"
_SERVING = _RIVALS / "serving"
_KINDNESS = {"OMP_NUM_THREADS": "1"}
"""What rivals' defaults lack: on busy cores OpenMP's threads, one a core, wait for each other for
seconds (measured: BentoML at load 12 on 2 cores, 5 s for one row), and a row is not worth a second.
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """One server under test.

    Attributes:
        make: a process that is not started yet.
        path: where it is asked.
        instances: the key of the rows in a request.
    """

    make: Callable[[], ServerProcess]
    path: str
    instances: str = "instances"

    def request(self, rows: pd.DataFrame) -> bytes:
        """What it is asked about these rows."""
        return load.request(self.path, shop.body(rows, self.instances))


def ours(directory: Path, storage_url: str) -> dict[str, Subject]:
    """Those that run in environments which `make setup` makes.

    Args:
        directory: for state that is thrown away.
        storage_url: where they fetch their models.
    """

    def rival(target: str, python: Path, *, asgi: bool) -> FunctionProcess:
        variables = environment(directory, storage_url)
        variables |= {"FUNCTION_TARGET": target, "MODEL_BUCKET": BUCKETS["models"]}
        for name in ("THREADS", "FUNCTION_USE_ASGI"):  # its defaults, as one would run it
            variables.pop(name, None)
        variables |= _KINDNESS
        log = directory / f"{target}.log"
        return FunctionProcess(python, _RIVALS / target, target, variables, log, asgi=asgi)

    here = Path(sys.executable)
    path = f"/v1/models/{shop.PIPELINE}:predict"
    return {
        PREDICT: Subject(lambda: predict_process(directory, storage_url), path),
        EMPTY: Subject(lambda: rival("empty", function_python("predict"), asgi=True), path),
        DATAFRAME: Subject(lambda: rival("dataframe", here, asgi=False), path),
        HAND_ENCODED: Subject(lambda: rival("hand_encoded", here, asgi=True), path),
    }


def foreign(directory: Path, rows: pd.DataFrame) -> tuple[dict[str, Subject], dict[str, str]]:
    """Those with an environment of their own, which read their model from the local disk.

    Args:
        directory: for state that is thrown away.
        rows: what the model is fitted on.

    Returns:
        Subjects, and why some are missing.
    """
    missing = rival_environments.install("serving") or _prepare(directory, rows)
    if missing:
        return {}, dict.fromkeys((BENTOML, MLFLOW), missing)

    def rival(name: str, arguments: Callable[[int], list[str]]) -> ServerProcess:
        port = free_port()
        programs = rival_environments.folder("serving") / "bin"
        command = [str(programs / name), *arguments(port)]
        variables = _environment(directory)
        return ServerProcess(command, _SERVING, variables, directory / f"{name}.log", port=port)

    model = str(directory / "mlflow")
    subjects = {
        BENTOML: Subject(
            lambda: rival(
                "bentoml",
                lambda port: ["serve", "with_bentoml:Shop", "--host", HOST, "--port", str(port)],
            ),
            "/predict",
        ),
        MLFLOW: Subject(
            lambda: rival(
                "mlflow",
                lambda port: [
                    *("models", "serve", "-m", model, "--env-manager", "local"),
                    *("--host", HOST, "--port", str(port)),
                ],
            ),
            "/invocations",
            "dataframe_records",
        ),
    }
    return subjects, {}


def _prepare(directory: Path, rows: pd.DataFrame) -> str:
    """Fit the model in the rivals' environment; what went wrong, or nothing."""
    source = directory / "rows.csv"
    rows.to_csv(source, index=False)
    python = rival_environments.folder("serving") / "bin" / "python"
    command = [str(python), "prepare.py", str(source), str(directory)]
    done = subprocess.run(
        command, cwd=_SERVING, env=_environment(directory), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return (done.stderr.strip() or "prepare.py failed").splitlines()[-1] if done.returncode else ""


def _environment(directory: Path) -> dict[str, str]:
    programs = rival_environments.folder("serving") / "bin"
    return {
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        **_KINDNESS,
        "MODEL_FILE": str(directory / "model.joblib"),
        "PYTHONDONTWRITEBYTECODE": "1",  # nothing beside the sources; libraries are compiled before
        "BENTOML_DO_NOT_TRACK": "True",
        "DO_NOT_TRACK": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
