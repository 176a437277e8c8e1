"""A fresh process loads a version as `predict` does and answers, or the gate stays shut."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perennial.adapters.onnx_codec import OnnxCodec
from perennial.domain.versioning.manifest import FileDigest, Manifest
from perennial.errors import GateFailed
from perennial.ports import Artefact

NOW = datetime(2025, 2, 14, tzinfo=UTC)
CODEC = OnnxCodec()


def manifest(case: Any, artefact: Artefact) -> Manifest:
    digest = FileDigest(hashlib.sha256(artefact.graph).hexdigest(), len(artefact.graph))
    return Manifest(
        pipeline="shop", version="v000001", task=case.definition.task, label="y",
        classes=artefact.classes, inputs=artefact.inputs, text=artefact.text,
        files={"model.onnx": digest}, run="r1", champion=None, definition="d", trained_rows=1500,
        trained_through=NOW, created=NOW, seed=0,
    )  # fmt: skip


def test_a_fresh_process_answers_as_the_model_does(case: Any) -> None:
    artefact = CODEC.export(case.model)
    rows = case.fresh.head(25)
    expected = case.model.predict(rows)
    CODEC.check_smoke(artefact.graph, manifest(case, artefact), rows, expected)


def test_another_answer_fails_the_gate(boosted: Any) -> None:
    artefact = CODEC.export(boosted.model)
    rows = boosted.fresh.head(5)
    with pytest.raises(GateFailed, match="a fresh process answers"):
        CODEC.check_smoke(
            artefact.graph, manifest(boosted, artefact), rows, boosted.model.predict(rows) + 0.1
        )


def test_bytes_that_the_manifest_does_not_state_fail_the_gate(boosted: Any) -> None:
    artefact = CODEC.export(boosted.model)
    other = replace(
        manifest(boosted, artefact), files={"model.onnx": FileDigest("0" * 64, len(artefact.graph))}
    )
    rows = boosted.fresh.head(2)
    with pytest.raises(GateFailed, match="DigestMismatch"):
        CODEC.check_smoke(artefact.graph, other, rows, boosted.model.predict(rows))


def test_a_graph_that_does_not_load_fails_the_gate_with_the_reason(boosted: Any) -> None:
    artefact = replace(CODEC.export(boosted.model), graph=b"broken")
    rows = boosted.fresh.head(2)
    with pytest.raises(GateFailed, match="not a graph that versions may have"):
        CODEC.check_smoke(b"broken", manifest(boosted, artefact), rows, boosted.model.predict(rows))


def test_rows_that_no_request_could_carry_are_left_out(boosted: Any) -> None:
    """A column that came with a new definition is null in old rows, nullable or not."""
    artefact = CODEC.export(boosted.model)
    inputs = tuple(replace(i, nullable=i.name != "number") for i in artefact.inputs)
    strict = replace(manifest(boosted, artefact), inputs=inputs)
    rows = boosted.fresh.head(4).assign(number=[20.0, np.nan, 21.0, np.nan])
    CODEC.check_smoke(artefact.graph, strict, rows, boosted.model.predict(rows))
    none = rows.assign(number=pd.Series([np.nan] * 4, index=rows.index))
    with pytest.raises(GateFailed, match="no request could carry"):
        CODEC.check_smoke(artefact.graph, strict, none, boosted.model.predict(none))
