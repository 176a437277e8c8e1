"""How the champion of a static pipeline ages, from what the ledger holds of it."""

from __future__ import annotations

from collections.abc import Sequence

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.ageing import Ageing, ageing
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.registry import Head
from perennial.ports import ObjectStore
from perennial.workflows.ledger import entries
from perennial.workflows.registry import Registry


def champions_ageing(
    data: ObjectStore,
    registry: Registry,
    head: Head,
    definition: Definition,
    accepted: Sequence[VerdictSummary],
) -> Ageing | None:
    """What the files since its training say of the champion; None without one that is static.

    One listing of the ledger, and the champion's manifest.

    Args:
        data: the bucket that holds the ledger.
        registry: has the manifest.
        head: the current state.
        definition: the one in force.
        accepted: every accepted file.
    """
    if head.champion is None or definition.training.mode != "static":
        return None
    manifest = registry.manifest(head.pipeline, head.champion, head=head)
    scores = {
        entry.stem: entry.score
        for entry in entries(data, head.pipeline)
        if entry.version == head.champion
    }
    known = sorted((f for f in accepted if f.file.stem in scores), key=lambda file: file.order)
    through = manifest.trained_through
    return ageing(
        head.pipeline,
        head.champion,
        through,
        known[-1].order[0] if known else through,
        [scores[file.file.stem] for file in known],
        definition.metric,
        seed=definition.training.seed,
    )
