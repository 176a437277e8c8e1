"""The verdicts of a pipeline: the queue of training and the memory of ingest.

Decisions about a file are numbered and never replaced; the highest number is in force.
"""

from __future__ import annotations

from collections.abc import Iterable

from perennial.domain import names
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict, VerdictSummary
from perennial.ports import ObjectInfo, ObjectStore
from perennial.workflows.writing import create_once


def verdict_in_force(data: ObjectStore, pipeline: str, file: FileId) -> Verdict | None:
    """The latest decision about a file, whole; None while nobody has judged it.

    Args:
        data: the data bucket.
        pipeline: the pipeline that the file belongs to.
        file: which generation of which landing object.
    """
    decisions = data.list(names.verdicts(pipeline) + file.stem)
    latest = max((names.parse_verdict(info.name)[1] for info in decisions), default=None)
    if latest is None:
        return None
    return Verdict.from_json(data.read(names.verdict(pipeline, file, latest)).data)


def read_verdict(data: ObjectStore, pipeline: str, listed: VerdictSummary) -> Verdict:
    """The whole of a decision that a listing shows."""
    return Verdict.from_json(data.read(names.verdict(pipeline, listed.file, listed.number)).data)


def write_verdict(data: ObjectStore, verdict: Verdict) -> Verdict:
    """Commit a decision, and return the one that stands under its number: perhaps another's."""
    written = create_once(
        data,
        names.verdict(verdict.pipeline, verdict.file, verdict.number),
        verdict.to_json(),
        metadata=verdict.summary,
        content_type="application/json",
    )
    return verdict if written.mine else Verdict.from_json(written.data)


def list_in_force(
    data: ObjectStore, pipeline: str, *, since_generation: int | None = None
) -> list[VerdictSummary]:
    """The decision in force about every file of a pipeline, in the order of their drops.

    One listing and no read: a verdict's object metadata says enough.

    Args:
        data: the data bucket.
        pipeline: whose verdicts to list.
        since_generation: leave out files of this generation and earlier, so that the listing's
            length is that of the recent past.
    """
    start = None
    if since_generation is not None:
        start = names.verdicts_since(pipeline, since_generation + 1)
    return in_force(data.list(names.verdicts(pipeline), start=start))


def in_force(listed: Iterable[ObjectInfo]) -> list[VerdictSummary]:
    """Of listed verdict objects, the decision in force about each file, by order of the drops."""
    latest: dict[str, VerdictSummary] = {}
    for info in listed:
        stem, number = names.parse_verdict(info.name)
        if stem not in latest or number > latest[stem].number:
            latest[stem] = VerdictSummary.from_metadata(stem, number, info.metadata)
    return [latest[stem] for stem in sorted(latest)]
