"""The progressive ledger: how each version predicted each file before it learned from it.

One small object for each version and file, written once, its numbers mirrored in the metadata, so
that one listing gives a pipeline's whole progressive score and the evidence of its probation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from perennial.domain import names
from perennial.domain.evaluation.measuring import Block, Measurement
from perennial.domain.evaluation.scoring import Score
from perennial.domain.evaluation.separation import Separation
from perennial.domain.verdict import SUMMARY
from perennial.ports import ObjectStore
from perennial.workflows.writing import create_once

Part = Literal["champion", "predecessor", "waiting"]
"""What a version was when it predicted a file."""

_MOST_METADATA = 7_500  # bytes: Cloud Storage keeps 8 KiB of it for an object


@dataclass(frozen=True, slots=True)
class Entry:
    """A version's measurement on a file.

    Attributes:
        stem: the file, as in its verdict's name.
        version: the version that predicted it.
        scored: when (UTC).
        measured: over the file's labelled rows that came in no file before.
        part: what the version was then.
        repeated: rows that were left out, because they had come before.
    """

    stem: str
    version: str
    scored: datetime
    measured: Measurement
    part: Part = "champion"
    repeated: int = 0

    @property
    def score(self) -> Score:
        """The score over all rows that count."""
        return self.measured.score


def record(data: ObjectStore, pipeline: str, entry: Entry) -> None:
    """Keep a measurement. The first one stands: a repeated run finds it and changes nothing."""
    document = _document(entry)
    body = facts = json.dumps(document, separators=(",", ":"))
    if len(facts) > _MOST_METADATA:  # long names of slices; the body has them
        facts = json.dumps(document | {"slices": {}}, separators=(",", ":"))
    name = names.score(pipeline, entry.stem, entry.version)
    create_once(data, name, body.encode(), metadata={SUMMARY: facts})


def entries(data: ObjectStore, pipeline: str, *, since: str = "") -> Iterator[Entry]:
    """The entries on the file of stem `since` and later drops, in the order of the drops."""
    prefix = names.scores(pipeline)
    for info in data.list(prefix, start=prefix + since):
        stem, version = info.name.removeprefix(prefix).removesuffix(".json").split("/")
        yield _entry(stem, version, json.loads(info.metadata[SUMMARY]))


def serving(entries: Iterator[Entry] | Sequence[Entry]) -> dict[str, Entry]:
    """For each file, the entry of the first version that predicted it as the champion."""
    first: dict[str, Entry] = {}
    for entry in entries:
        if entry.part == "champion" and (
            entry.stem not in first or entry.scored < first[entry.stem].scored
        ):
            first[entry.stem] = entry
    return first


def progressive(data: ObjectStore, pipeline: str) -> dict[str, Entry]:
    """For each file, the entry of the champion of its time."""
    return serving(entries(data, pipeline))


def _document(entry: Entry) -> dict[str, Any]:
    measured = entry.measured
    return {
        "format": 2,
        "scored": entry.scored.isoformat(),
        "part": entry.part,
        "repeated": entry.repeated,
        **_score_document(measured.score),
        "metric": measured.metric,
        "constant": measured.constant,
        "blocks": [[block.rows, _short(block.loss)] for block in measured.blocks],
        "slices": {
            column: {value: _score_document(score, short=True) for value, score in values.items()}
            for column, values in measured.slices.items()
        },
    }


def _score_document(score: Score, *, short: bool = False) -> dict[str, Any]:
    """A score's numbers; of a slice, few digits and no separation: metadata has 8 KiB."""
    sums = {name: _short(total) for name, total in score.sums.items()} if short else score.sums
    document: dict[str, Any] = {"rows": score.rows, "sums": dict(sums)}
    if score.separation.counts and not short:
        document["separation"] = score.separation.document()
    return document


def _short(number: float) -> float:
    return float(f"{number:.7g}")


def _entry(stem: str, version: str, facts: Mapping[str, Any]) -> Entry:
    """An entry from its stored form; the first format had the sums alone."""
    measured = Measurement(
        score=_score(facts),
        blocks=tuple(Block(rows, loss) for rows, loss in facts.get("blocks", ())),
        slices={
            column: {value: _score(score) for value, score in values.items()}
            for column, values in facts.get("slices", {}).items()
        },
        metric=facts.get("metric", ""),
        constant=facts.get("constant"),
    )
    return Entry(
        stem,
        version,
        datetime.fromisoformat(facts["scored"]),
        measured,
        facts.get("part", "champion"),
        facts.get("repeated", 0),
    )


def _score(facts: Mapping[str, Any]) -> Score:
    separation = Separation.from_document(facts.get("separation", ()))
    return Score(facts["rows"], facts["sums"], separation)
