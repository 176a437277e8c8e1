"""A model version as `predict` runs it: an ONNX graph, numpy, and nothing of scikit-learn."""

from __future__ import annotations

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from perennial.domain.inputs import Columns, encode
from perennial.domain.manifest import Manifest
from perennial.domain.text import TEXT_V1
from perennial.errors import ModelError

_ERRORS_ONLY = 3  # onnxruntime's log level; a warning about each unusual graph helps nobody


class Graph:
    """A loaded graph, safe to call from several threads.

    Args:
        data: bytes of `model.onnx`, already checked against the manifest's digest.
        manifest: what the graph reads and answers.
        threads: cores that one prediction may use.

    Raises:
        ModelError: when the bytes are no graph, or not the graph that the manifest describes.
    """

    def __init__(self, data: bytes, manifest: Manifest, threads: int = 1) -> None:
        if manifest.text not in ("", TEXT_V1):
            raise ModelError(
                f"{manifest.version} reads text normalised by {manifest.text!r}, and this code "
                f"knows only {TEXT_V1!r}: deploy the release that trained it"
            )
        self._inputs = manifest.inputs
        self._regression = manifest.task == "regression"
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
        tensors = encode(self._inputs, columns)
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
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime's exceptions have no base of their own.
        raise ModelError(f"not a graph that onnxruntime can load: {error}") from error
