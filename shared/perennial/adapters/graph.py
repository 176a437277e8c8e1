"""A model version as `predict` runs it: an ONNX graph, numpy, and nothing of scikit-learn."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Protocol

# Its Linux builds report sessions and models to Microsoft since 1.29, and keep a device's id in
# the home folder, unless this is set when it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from perennial.domain.graphs.graph_file import check_graph
from perennial.domain.modelling.inputs import Columns, encode
from perennial.domain.modelling.text import TEXT_V1
from perennial.domain.versioning.manifest import Input
from perennial.errors import ModelError

_BATCH = 128
"""Rows that the graph sees at once: words become one dense column each, thousands of them."""
_TOKENS = 512 * 1024
"""Likewise, where texts are long: the graph gives every row as many tokens as the longest has, each
32 bytes. 128 rows of 4,096 tokens are as many."""
_MEMORY = 384 * 1024 * 1024
"""Bytes that all graphs of a process may take for what they compute, together: without an end, one
whose nodes double their input some thirty times takes all there is, and the process with it."""
_FULL = "is smaller than requested bytes"
"""What onnxruntime says when that is not enough."""
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
        width = 1 if self._regression else len(signature.classes)
        self._empty = (0,) if self._regression else (0, width)
        self._output = "prediction" if self._regression else "probabilities"
        check_graph(data, self._inputs, self._output, width)
        self._texts = [one.tensor for one in self._inputs if one.type == "text"]
        self._session = _load(data, threads)
        # What one large batch took is free again for other graphs, and for all else here.
        self._options = onnxruntime.RunOptions()
        self._options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def predict(self, columns: Columns) -> NDArray[np.float32]:
        """Answer N rows.

        Args:
            columns: for each input's name its N typed values (see
                `perennial.domain.modelling.inputs`).

        Returns:
            Shape [N] for regression; [N, classes], in the manifest's order, otherwise.

        Raises:
            ModelError: when the graph fails on these rows.
        """
        return self.run(encode(self._inputs, columns))

    def run(self, tensors: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Answer N encoded rows; shapes and errors as those of `predict`."""
        count = len(next(iter(tensors.values())))
        if count == 1 or (0 < count <= _BATCH and not self._texts):
            return self._run_batch(tensors)
        batches = [
            self._run_batch({name: values[rows] for name, values in tensors.items()})
            for rows in self._batches(tensors, count)
        ]
        if not batches:  # not every operator takes no rows
            return np.empty(self._empty, dtype=np.float32)
        return batches[0] if len(batches) == 1 else np.concatenate(batches)

    def _batches(self, tensors: Mapping[str, NDArray[Any]], count: int) -> Iterator[slice]:
        """The rows of each batch; one row is a batch of its own, however long its texts are."""
        tokens = [0] * count
        for name in self._texts:
            for row, text in enumerate(tensors[name][:, 0].tolist()):
                tokens[row] += text.count(" ") + 1
        start = most = 0
        for row, here in enumerate(tokens):
            most = max(most, here)
            rows = row - start
            if rows and (rows == _BATCH or (rows + 1) * most > _TOKENS):
                yield slice(start, row)
                start, most = row, here
        if start < count:
            yield slice(start, count)

    def _run_batch(self, tensors: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        try:
            (answer,) = self._session.run([self._output], tensors, self._options)
        except Exception as error:
            # onnxruntime's exceptions have no base of their own.
            if _FULL not in str(error):
                raise ModelError(f"the graph failed: {error}") from error
        else:
            result: NDArray[np.float32] = answer[:, 0] if self._regression else answer
            return result
        count = len(next(iter(tensors.values())))
        if count == 1:
            raise ModelError(
                f"expected rows that the graph can answer within {_MEMORY >> 20} MiB, which all "
                "predictions at work share; found one that takes more: shorten its texts"
            )
        each = [{n: values[at : at + 1] for n, values in tensors.items()} for at in range(count)]
        return np.concatenate([self._run_batch(row) for row in each])


def _load(data: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL_ONLY
    options.add_session_config_entry("session.use_env_allocators", "1")
    _bound_memory()
    try:
        return onnxruntime.InferenceSession(
            data,
            options,
            providers=["CPUExecutionProvider"],
            enable_fallback=0,  # it would print, and try the same once more
        )
    except Exception as error:
        # onnxruntime's exceptions have no base of their own.
        raise ModelError(f"not a graph that onnxruntime can load: {error}") from error


@cache
def _bound_memory() -> None:
    """Let all sessions of this process share one arena of a bounded size."""
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    arena = onnxruntime.OrtArenaCfg({"max_mem": _MEMORY})
    onnxruntime.create_and_register_allocator(memory, arena)
