"""From a judged candidate to the files of a version: graph, evaluation, lineage, card, manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import pandas as pd

from perennial.domain.definitions.definition import Definition
from perennial.domain.modelling.frames import columns_of
from perennial.domain.modelling.importance import importances
from perennial.domain.modelling.training import Model
from perennial.domain.versioning.card import card
from perennial.domain.versioning.lineage import Recorded
from perennial.domain.versioning.manifest import FileDigest, Manifest
from perennial.ports import ModelCodec, Scorer
from perennial.workflows.challenge import Candidate
from perennial.workflows.rows import portions
from perennial.workflows.stopwatch import Stopwatch

SMOKE_ROWS = 5
RECORDED_ROWS = 50
"""Rows whose answers go on record, by which a rebuilt version is compared with this one."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a version comes from: what its manifest says beside the model itself."""

    pipeline: str
    version: str
    run: str
    definition: str
    created: datetime
    environment: Mapping[str, str]


def package(
    candidate: Candidate[Model],
    definition: Definition,
    origin: Origin,
    codec: ModelCodec,
    watch: Stopwatch,
) -> tuple[Manifest, dict[str, bytes]]:
    """Export a candidate, put it through the parity and smoke gates, and describe it.

    Returns:
        The manifest, and every other file of the version by name.

    Raises:
        GateFailed: when the artefact does not behave as the model.
    """
    with watch("export"):
        artefact = codec.export(candidate.model)
    with watch("parity"):
        parity = codec.check_parity(candidate.model, artefact, candidate.held_out)
    through = candidate.lineage.through
    manifest = Manifest(
        pipeline=origin.pipeline,
        version=origin.version,
        task=definition.task,
        label=definition.label,
        classes=artefact.classes,
        inputs=artefact.inputs,
        text=artefact.text,
        files={},
        run=origin.run,
        champion=candidate.evaluation["champion"],
        definition=origin.definition,
        trained_rows=candidate.trained_rows,
        trained_through=through or origin.created,
        created=origin.created,
        seed=definition.training.seed,
        environment=origin.environment,
    )
    with watch("record"):
        recorded = _record(codec.load(artefact.graph, manifest), manifest, candidate.held_out)
    with watch("importance"):
        needs = importances(definition, candidate.judged, candidate.duel_rows)
    evaluation = {
        "format": 1,
        "version": origin.version,
        "status": candidate.status,
        "reason": candidate.reason,
        **candidate.evaluation,
        "importance": needs and needs.document(),
        "parity": dict(parity),
        "seconds": watch.seconds,
    }
    learned = sum(file.used for file in candidate.lineage.files)
    files = {
        "model.onnx": artefact.graph,
        "evaluation.json": json.dumps(evaluation, indent=1).encode(),
        "lineage.json": replace(candidate.lineage, recorded=recorded).to_json(),
        "card.md": card(definition, manifest, evaluation, learned).encode(),
    }
    digests = {n: FileDigest(hashlib.sha256(d).hexdigest(), len(d)) for n, d in files.items()}
    manifest = replace(manifest, files=digests)
    with watch("smoke"):
        instances = candidate.held_out.head(SMOKE_ROWS)
        expected = candidate.model.predict(instances)
        codec.check_smoke(artefact.graph, manifest, instances, expected)
    return manifest, files


def _record(scorer: Scorer, manifest: Manifest, held_out: pd.DataFrame) -> Recorded:
    """What the graph answers to the first held-out rows; the rows stay where they lie."""
    rows = held_out.head(RECORDED_ROWS)
    answers = scorer.predict(columns_of(manifest.inputs, rows))
    return Recorded(portions(rows, {}), tuple(answers.tolist()))
