"""From a judged candidate to the files of a version: graph, evaluation, lineage, card, manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from perennial.domain.card import card
from perennial.domain.definition import Definition
from perennial.domain.manifest import FileDigest, Manifest
from perennial.ports import ModelCodec
from perennial.workflows.challenge import Candidate
from perennial.workflows.stopwatch import Stopwatch

SMOKE_ROWS = 5


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
    candidate: Candidate,
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
    evaluation = {
        "format": 1,
        "version": origin.version,
        "status": candidate.status,
        "reason": candidate.reason,
        **candidate.evaluation,
        "parity": dict(parity),
        "seconds": watch.seconds,
    }
    files = {
        "model.onnx": artefact.graph,
        "evaluation.json": json.dumps(evaluation, indent=1).encode(),
        "lineage.json": candidate.lineage.to_json(),
        "card.md": card(definition, origin.version, origin.created, evaluation).encode(),
    }
    through = candidate.lineage.through
    manifest = Manifest(
        pipeline=origin.pipeline,
        version=origin.version,
        task=definition.task,
        label=definition.label,
        classes=artefact.classes,
        inputs=artefact.inputs,
        text=artefact.text,
        files={n: FileDigest(hashlib.sha256(d).hexdigest(), len(d)) for n, d in files.items()},
        run=origin.run,
        champion=candidate.evaluation["champion"],
        definition=origin.definition,
        trained_rows=candidate.trained_rows,
        trained_through=through or origin.created,
        created=origin.created,
        seed=definition.training.seed,
        environment=origin.environment,
    )
    with watch("smoke"):
        instances = candidate.held_out.head(SMOKE_ROWS)
        expected = candidate.model.predict(instances)
        codec.check_smoke(artefact.graph, manifest, instances, expected)
    return manifest, files
