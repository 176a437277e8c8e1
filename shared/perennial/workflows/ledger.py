"""The progressive ledger: how each version scored on each file before anything learned from it.

One small object for each version and file, written once, its sums mirrored in the metadata, so
that one listing gives a pipeline's whole progressive score.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from perennial.domain import names
from perennial.domain.scoring import Score
from perennial.domain.verdict import SUMMARY, VerdictSummary
from perennial.ports import ObjectStore
from perennial.workflows.writing import create_once


@dataclass(frozen=True, slots=True)
class Entry:
    """A version's score on a file.

    Attributes:
        stem: the file, as in its verdict's name.
        version: the version that predicted it.
        scored: when (UTC).
        score: mergeable sums over the file's labelled rows.
    """

    stem: str
    version: str
    scored: datetime
    score: Score


def record(data: ObjectStore, pipeline: str, entry: Entry) -> None:
    """Keep a score. The first one stands: a repeated run finds it and changes nothing."""
    facts = json.dumps(
        {"scored": entry.scored.isoformat(), "rows": entry.score.rows, "sums": entry.score.sums}
    )
    create_once(
        data, names.score(pipeline, entry.stem, entry.version), facts.encode(),
        metadata={SUMMARY: facts},
    )  # fmt: skip


def entries(data: ObjectStore, pipeline: str, *, since: str = "") -> Iterator[Entry]:
    """The scores on the file of stem `since` and later drops, in the order of the drops."""
    prefix = names.scores(pipeline)
    for info in data.list(prefix, start=prefix + since):
        stem, version = info.name.removeprefix(prefix).removesuffix(".json").split("/")
        facts = json.loads(info.metadata[SUMMARY])
        scored = datetime.fromisoformat(facts["scored"])
        yield Entry(stem, version, scored, Score(facts["rows"], facts["sums"]))


def scored_by(
    data: ObjectStore, pipeline: str, version: str, files: Sequence[VerdictSummary]
) -> frozenset[str]:
    """Stems of those files that a version has been scored on."""
    oldest = min((file.file.stem for file in files), default="")
    scored = entries(data, pipeline, since=oldest) if files else ()
    return frozenset(entry.stem for entry in scored if entry.version == version)


def progressive(data: ObjectStore, pipeline: str) -> dict[str, Entry]:
    """For each file, the score of the first version that predicted it while it was the champion."""
    first: dict[str, Entry] = {}
    for entry in entries(data, pipeline):
        if entry.stem not in first or entry.scored < first[entry.stem].scored:
            first[entry.stem] = entry
    return first
