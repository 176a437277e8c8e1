"""From a model's numbers to the predictions of an answer."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from perennial.domain.versioning.manifest import Manifest
from perennial.errors import ModelError

TIE = 1e-6
"""Probabilities no further apart are equal: a forest of twenty trees that is divided ten to ten
says 0.5 and 0.50000012 in float32, where scikit-learn finds a tie and takes the first class."""


def predictions(manifest: Manifest, output: NDArray[np.float32]) -> list[object]:
    """What an answer says of each row.

    Args:
        manifest: names the task and, in order, the classes.
        output: shape [N] for regression; probabilities, [N, classes], otherwise.

    Returns:
        A number for regression; otherwise the likeliest class (see `likeliest`) as `label`,
        and `probabilities`, in which JSON names each class (see `class_key`).

    Raises:
        ModelError: when the model gave something that is not a number.
    """
    if not np.isfinite(output).all():
        row = int(np.argwhere(~np.isfinite(output))[0][0])
        raise ModelError(f"{manifest.version} has no finite answer to instance {row}")
    if manifest.task == "regression":
        return list(output.tolist())
    classes = manifest.classes
    keys = [class_key(one) for one in classes]
    return [
        {"label": classes[place], "probabilities": dict(zip(keys, row))}  # noqa: B905 (costs)
        for place, row in zip(likeliest(output), output.tolist(), strict=True)
    ]


def likeliest(output: NDArray[np.float32]) -> list[int]:
    """For each row the place of its largest probability, the first of equals.

    >>> likeliest(np.array([[0.2, 0.4, 0.4000001]]))
    [1]
    """
    largest = output.max(axis=1, keepdims=True)
    found: list[int] = (output >= largest - TIE).argmax(axis=1).tolist()
    return found


def class_key(one: bool | int | str) -> str:
    """A class as a JSON key: the text itself, or `true`, `1`, … for other types."""
    return one if isinstance(one, str) else json.dumps(one)
