"""A model of one's own, tried in a process of its own, as the training job would make it.

`python -m perennial.adapters.rehearsal FOLDER` reads a definition from standard input and writes
one JSON object to standard output: what the parity gate measured, or `{"refused": reason}`.

The package that the definition names is imported from FOLDER: whoever starts this vouches for it.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

from perennial.adapters.model_packages import ModelPackages
from perennial.adapters.onnx_export import export
from perennial.adapters.parity import check_parity
from perennial.domain.definitions.definition import Definition, parse
from perennial.domain.definitions.own_models import look_up_with
from perennial.domain.modelling.rehearsing import made_up_rows
from perennial.domain.modelling.training import fit
from perennial.errors import ModelError, UserError

ROWS = 400
FRESH_ROWS = 100


def rehearse(definition: Definition, folder: Path) -> dict[str, float]:
    """Fit the definition's model to made-up rows, export it, and hold it against its graph.

    Args:
        definition: names a factory.
        folder: holds its package.

    Returns:
        What the parity gate measured.

    Raises:
        UserError: when package or factory are missing, or it makes no estimator for the task.
        ModelError: when that cannot be trained, does not convert, or does not agree with its graph.
    """
    look_up_with(ModelPackages(folder, (definition.training.package,)))
    model = fit(definition, made_up_rows(definition, ROWS, seed=0))
    return check_parity(model, export(model), made_up_rows(definition, FRESH_ROWS, seed=1))


def _answer(text: str, folder: Path) -> dict[str, object]:
    try:
        return {**rehearse(parse(text), folder)}
    except (UserError, ModelError) as error:
        return {"refused": str(error)}
    except Exception as error:  # noqa: BLE001 (the estimator's, which may be anybody's)
        return {"refused": f"it cannot be trained: {type(error).__name__}: {error}"}


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):  # what the package prints is no answer
        answer = _answer(sys.stdin.read(), Path(sys.argv[1]))
    sys.stdout.write(json.dumps(answer))
