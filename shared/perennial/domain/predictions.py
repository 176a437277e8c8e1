"""From a model's numbers to the predictions of an answer."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from perennial.domain.manifest import Manifest
from perennial.errors import ModelError


def predictions(manifest: Manifest, output: NDArray[np.float32]) -> list[object]:
    """What an answer says of each row.

    Args:
        manifest: names the task and, in order, the classes.
        output: shape [N] for regression; probabilities, [N, classes], otherwise.

    Returns:
        A number for regression; otherwise the likeliest class (the first of equals) as `label`,
        and `probabilities`, in which JSON names each class (see `class_key`).

    Raises:
        ModelError: when the model gave something that is not a number.
    """
    if not np.isfinite(output).all():
        row = int(np.argwhere(~np.isfinite(output))[0][0])
        raise ModelError(f"{manifest.version} has no finite answer to instance {row}")
    if manifest.task == "regression":
        return list(output.tolist())
    keys = [class_key(one) for one in manifest.classes]
    return [_classified(manifest.classes, keys, row) for row in output.tolist()]


def class_key(one: bool | int | str) -> str:
    """A class as a JSON key: the text itself, or `true`, `1`, … for other types."""
    return one if isinstance(one, str) else json.dumps(one)


def _classified(
    classes: Sequence[bool | int | str], keys: Sequence[str], row: list[float]
) -> dict[str, object]:
    return {
        "label": classes[row.index(max(row))],
        "probabilities": dict(zip(keys, row, strict=True)),
    }
