"""Models of one's own, where a definition is put in force: found beside it, tried, compared."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from perennial.adapters.model_packages import package_digest
from perennial.domain.definitions.definition import Definition
from perennial.errors import ConfigError, DefinitionError

SECONDS = 300.0
"""After which a model that is tried counts as hung."""

_NEEDED = {
    "onnxruntime": "onnxruntime", "pandas": "pandas", "sklearn": "scikit-learn",
    "skl2onnx": "skl2onnx",
}  # fmt: skip


def try_out(
    definition: Definition, text: str, file: Path, deployed: Mapping[str, str] | None
) -> dict[str, Any]:
    """Try the model of one's own that a definition names, in a fresh process, on made-up rows.

    This process imports nothing of it.

    Args:
        definition: names a factory.
        text: as it is written.
        file: where; the package lies beside it.
        deployed: digests of the packages that the training job has, by name; None where that is not
            known.

    Returns:
        The package's name and digest, the digest that the job has (None where not known), and what
        the parity gate measured.

    Raises:
        DefinitionError: when it cannot be trained, exported or served, or the job lacks its
            package.
        ConfigError: when what it takes is not installed here.
    """
    package = definition.training.package
    _require_libraries()
    folder = file.resolve().parent / package
    if not (folder / "__init__.py").is_file():
        raise DefinitionError(
            f"{file}: training.model: expected the package {package} beside this file, found "
            + (f"{folder} without an __init__.py" if folder.is_dir() else f"no folder {folder}")
        )
    if deployed is not None and package not in deployed:
        where = file.parent
        raise DefinitionError(
            f"{file}: training.model: the training job has no package {package}, only "
            f"{', '.join(deployed) or 'none'}: before this, run `make deploy … MODELS={where}`, "
            f"or for a local cloud `perennial down` and `perennial up --models {where}`"
        )
    measured = _rehearsed(text, file)
    if "refused" in measured:
        raise DefinitionError(f"{file}: {_placed(str(measured['refused']))}")
    return {
        "package": package,
        "digest": package_digest(folder),
        "deployed": deployed and deployed[package],
        **measured,
    }


def _require_libraries() -> None:
    missing = [name for module, name in _NEEDED.items() if find_spec(module) is None]
    if missing:
        raise ConfigError(
            f"apply tries models of one's own on this machine and needs {', '.join(missing)}: "
            "pip install 'perennial[models]'"
        )


def _rehearsed(text: str, file: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "perennial.adapters.rehearsal", str(file.resolve().parent)]
    # `-m` looks into the working directory first, so the very code that asks is what tries.
    root = Path(__file__).parents[2]
    try:
        done = subprocess.run(  # noqa: S603 - the command is our own
            command, input=text, cwd=root, capture_output=True, encoding="utf-8", timeout=SECONDS,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"refused": f"it was not trained and exported within {SECONDS:.0f} s"}
    if done.returncode or not done.stdout:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        return {
            "refused": f"the process that tried it ended with code {done.returncode}: {last[0]}"
        }
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _placed(reason: str) -> str:
    return reason if reason.startswith("training.") else f"training.model: {reason}"
