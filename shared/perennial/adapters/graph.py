"""A model version as `predict` runs it: an ONNX graph, numpy, and nothing of scikit-learn."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Protocol

# Its Linux builds report sessions and models to Microsoft since 1.29, and keep a device's id in
# the home folder, unless this is set when it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from perennial.domain.inputs import Columns, encode
from perennial.domain.manifest import Input
from perennial.domain.text import TEXT_V1
from perennial.errors import ModelError

_BATCH = 128
"""Rows that the graph sees at once: words become one dense column each, thousands of them."""
_FATAL_ONLY = 4  # onnxruntime's log level; its errors are raised, and need not be printed too


class Signature(Protocol):
    """What a graph reads and answers; a `Manifest` says it, and so does an `Artefact`."""

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The columns that the model reads."""

    @property
    def classes(self) -> tuple[bool | int | str, ...]:
        """In the order of the probabilities; empty for regression."""

    @property
    def text(self) -> str:
        """Name of the text normalisation outside the graph; empty without text inputs."""


class Graph:
    """A loaded graph, safe to call from several threads.

    Args:
        data: bytes of `model.onnx`, already checked against the manifest's digest.
        signature: the version's manifest, or the artefact of an export.
        threads: cores that one prediction may use.

    Raises:
        ModelError: when the bytes are no graph, or not the graph that the manifest describes.
    """

    def __init__(self, data: bytes, signature: Signature, threads: int = 1) -> None:
        if signature.text not in ("", TEXT_V1):
            raise ModelError(
                f"the model reads text normalised by {signature.text!r}, and this code knows only "
                f"{TEXT_V1!r}: deploy the release that trained it"
            )
        self._inputs = signature.inputs
        self._regression = not signature.classes
        self._empty = (0,) if self._regression else (0, len(signature.classes))
        self._output = "prediction" if self._regression else "probabilities"
        self._session = _load(data, threads)
        self._check_names()

    def predict(self, columns: Columns) -> NDArray[np.float32]:
        """Answer N rows.

        Args:
            columns: for each input's name its N typed values (see `perennial.domain.inputs`).

        Returns:
            Shape [N] for regression; [N, classes], in the manifest's order, otherwise.

        Raises:
            ModelError: when the graph fails on these rows.
        """
        return self.run(encode(self._inputs, columns))

    def run(self, tensors: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Answer N encoded rows; shapes and errors as those of `predict`."""
        count = len(next(iter(tensors.values())))
        batches = [
            self._run_batch({name: values[at : at + _BATCH] for name, values in tensors.items()})
            for at in range(0, count, _BATCH)
        ]
        if not batches:  # not every operator takes no rows
            return np.empty(self._empty, dtype=np.float32)
        return batches[0] if len(batches) == 1 else np.concatenate(batches)

    def _run_batch(self, tensors: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        try:
            (answer,) = self._session.run([self._output], tensors)
        except Exception as error:
            # onnxruntime's exceptions have no base of their own.
            raise ModelError(f"the graph failed: {error}") from error
        result: NDArray[np.float32] = answer[:, 0] if self._regression else answer
        return result

    def _check_names(self) -> None:
        expected = {i.tensor for i in self._inputs}
        found = {i.name for i in self._session.get_inputs()}
        if expected != found:
            raise ModelError(
                f"the manifest names the inputs {sorted(expected)}, the graph {sorted(found)}"
            )
        outputs = [o.name for o in self._session.get_outputs()]
        if outputs != [self._output]:
            raise ModelError(f"the graph must answer {self._output!r} only, found {outputs}")


def _load(data: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL_ONLY
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime's exceptions have no base of their own.
        raise ModelError(f"not a graph that onnxruntime can load: {error}") from error
