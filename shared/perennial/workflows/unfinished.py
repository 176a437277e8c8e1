"""What a run judged that ended before its release: the next one takes it as it stands.

Else it would make the same version of the same files once more, and a person who is about to
approve the first would find it superseded by its twin.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from perennial.domain.versioning.lineage import Batch, Lineage
from perennial.domain.versioning.registry import Head, Status
from perennial.workflows.registry import Registry
from perennial.workflows.runs import started_of


@dataclass(frozen=True, slots=True)
class Judged:
    """A version that is in the head, and why.

    Attributes:
        version: which.
        status: what its gate, or since then a person, said of it.
        reason: the rule that decided.
        suspect: stems of the new files that it does not explain.
    """

    version: str
    status: Status
    reason: str
    suspect: Collection[str] = ()


def judged_before(registry: Registry, head: Head, batch: Batch) -> Judged | None:
    """The version that an unfinished run made of these very files, and that does not serve.

    One that serves has learned the files, so that nothing is new. Run ids sort by time, and the
    head names the last one that was done.

    Args:
        registry: where versions are.
        head: with the claim of the run that asks.
        batch: what there is to learn.
    """
    newest = max(head.statuses, default=None)
    if newest is None or head.statuses[newest] not in ("waiting", "rejected"):
        return None
    manifest = registry.manifest(head.pipeline, newest, head=head)
    if started_of(manifest.run) is None or manifest.run <= head.last_run:
        return None
    if (manifest.champion, manifest.definition) != (head.champion, head.definition):
        return None
    known = Lineage.from_json(registry.read_version_file(manifest, "lineage.json"))
    same = {file.stem for file in known.in_effect} == {file.file.stem for file in batch.history}
    # What a person released since then is to be judged anew.
    if not same or any(file.decided > manifest.created for file in batch.history):
        return None
    evaluation = json.loads(registry.read_version_file(manifest, "evaluation.json"))
    return Judged(
        newest, head.statuses[newest], evaluation["reason"], evaluation.get("suspect", ())
    )
