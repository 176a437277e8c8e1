"""From typed values to the graph's tensors: the same code before training and before serving."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perennial.domain.modelling.text import normalise
from perennial.domain.versioning.manifest import Input

Columns = Mapping[str, "Sequence[object] | NDArray[Any]"]

MISSING_TIME = int(np.iinfo(np.int64).min)
"""A missing timestamp; numpy's NaT has the same bits."""

NUMERIC = ("integer", "number", "boolean")
"""Types that float32 tensors carry."""

LARGEST = 1e37
"""Where numbers are cut, on both sides: float32 ends at 3.4e38, and models subtract."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def encode(inputs: Sequence[Input], columns: Columns) -> dict[str, NDArray[Any]]:
    """The tensors that carry these columns, as `Input` documents them.

    Numbers go through float64 to float32; those beyond `LARGEST` become it. Times are cut to whole
    seconds, downwards; without an offset they are taken as UTC.

    Args:
        inputs: what the model reads.
        columns: for each input's name its N values: float, int, bool, str, datetime or None, as
            its type asks, or a numpy array of them (of datetime64 for timestamps).

    Returns:
        An array of shape [N, 1] for each input's tensor.

    Raises:
        KeyError: when an input has no column.
    """
    tensors: dict[str, NDArray[Any]] = {}
    # One block for all of a kind: for a single row, numpy's cost is its calls.
    numeric = [i for i in inputs if i.type in NUMERIC]
    if numeric:
        block = np.array([columns[i.name] for i in numeric], dtype=np.float64)
        for one, tensor in zip(numeric, _to_float32(block)[:, :, None], strict=True):
            tensors[one.tensor] = tensor
    for one in inputs:
        if one.type not in NUMERIC:
            tensors[one.tensor] = _ENCODERS[one.type](columns[one.name])[:, None]
    return tensors


def _to_float32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    # In place, and not np.clip, which takes longer to find out what it is asked than to do it.
    np.minimum(values, LARGEST, out=values)
    np.maximum(values, -LARGEST, out=values)
    return values.astype(np.float32)


def _categories(values: Sequence[Any] | NDArray[Any]) -> NDArray[np.object_]:
    strings = ["" if v is None else v for v in values]
    joined = "".join(strings)
    if not joined.isascii() or "\0" in joined:
        strings = [_passable(v) for v in strings]
    return np.array(strings, dtype=object)


def _passable(category: str) -> str:
    """The category with a ? for what onnxruntime cannot take: its strings are UTF-8 up to a NUL."""
    return category.encode("utf-8", "replace").decode().replace("\0", "?")


def _texts(values: Iterable[Any]) -> NDArray[np.object_]:
    return np.array(["" if v is None else normalise(v) for v in values], dtype=object)


def _times(values: Sequence[Any] | NDArray[Any]) -> NDArray[np.int64]:
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        return values.astype("datetime64[s]").astype(np.int64)
    return np.array([_seconds(v) for v in values], dtype=np.int64)


def _seconds(time: datetime | None) -> int:
    if time is None:
        return MISSING_TIME
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) // _SECOND


_ENCODERS: Mapping[str, Callable[[Any], NDArray[Any]]] = {
    "category": _categories,
    "text": _texts,
    "timestamp": _times,
}
