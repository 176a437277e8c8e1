"""What the last look at a pipeline says of it: findings, and the figures that they rest on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, Self, TypeVar

from perennial.domain.judging.reference import NO_HISTORY, Reference
from perennial.domain.monitoring.findings import Finding
from perennial.domain.monitoring.volumes import Volume

Told = Literal["usual", "beyond", "too_few", "unknown"]
"""What a distance says: `beyond` its limit, or not; `too_few` rows to tell; `unknown`: there is
nothing to compare."""

Grade = Literal["A", "B", "C", "D", "E", "F", ""]
"""Of a source, from best to worst; empty where too few files came to say."""

Part = Literal["feature", "label", "prediction"]

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Distance:
    """How far newer values lie from those that the champion learned.

    Attributes:
        value: from 0 to 1; None where there is nothing to compare.
        limit: above it the distance is more than usual: what chance gives for so many rows, what
            earlier files showed, and what is declared, whichever is most.
        rows: values on the newer side.
        reference_rows: values on the learned side.
        verdict: what that says.
    """

    value: float | None = None
    limit: float | None = None
    rows: int = 0
    reference_rows: int = 0
    verdict: Told = "unknown"

    @classmethod
    def of(
        cls, value: float, limit: float, rows: float, reference_rows: float, *, strength: float,
        fewest: float,
    ) -> Self:  # fmt: skip
        """With its verdict.

        Args:
            value: as the attribute.
            limit: as the attribute.
            rows: as the attribute.
            reference_rows: as the attribute.
            strength: from 1 on it is beyond its limit.
            fewest: fewer rows say nothing.
        """
        verdict: Told = "too_few" if rows < fewest else "beyond" if strength >= 1 else "usual"
        return cls(round(value, 4), round(limit, 4), round(rows), round(reference_rows), verdict)


@dataclass(frozen=True, slots=True)
class Feature:
    """A column, or the model's predictions, against what the champion learned.

    Attributes:
        name: the column's; `prediction` for the predictions.
        part: what it is to the model.
        distance: name of the measure: `Kolmogorov-Smirnov` or `Jensen-Shannon`.
        drift: of the newest files.
        skew: of what requests brought.
    """

    name: str
    part: Part
    distance: str
    drift: Distance = field(default_factory=Distance)
    skew: Distance = field(default_factory=Distance)


@dataclass(frozen=True, slots=True)
class FilePoint:
    """One accepted file in the course of things.

    Attributes:
        stem: the file, as in its verdict's name.
        name: the file's name in landing.
        at: its place in time (UTC).
        rows: how many.
        loss: of the champion of its time, by the pipeline's metric; None where none predicted it.
        distances: by column, how far it was from what that champion had learned.
    """

    stem: str
    name: str
    at: datetime
    rows: int
    loss: float | None = None
    distances: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """What has come under one prefix of the pipeline's folder in landing.

    Attributes:
        prefix: folders below the pipeline's own, ending in `/`; empty for its root.
        verdicts: how many of the recent files got each verdict.
        grade: how reliable that makes it.
        last_file: the newest file's name.
        last: when it came (UTC).
        rhythm_seconds: usual time between two arrivals, learned or declared; None while unknown.
        late_after_seconds: quiet for longer than that, it counts as down; None while unknown.
    """

    prefix: str
    verdicts: Mapping[str, int]
    grade: Grade
    last_file: str
    last: datetime
    rhythm_seconds: float | None = None
    late_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Jobs:
    """The last training runs.

    Attributes:
        runs: how many were looked at.
        outcomes: how many of them ended how.
        usual_seconds: median time that those took which trained; None where none did.
        at_work: the run that holds the claim; empty without one.
        at_work_seconds: since it took the claim; None without one.
        without_champion: how many ended in a row, the last one included, with nothing promoted.
    """

    runs: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    usual_seconds: float | None = None
    at_work: str = ""
    at_work_seconds: float | None = None
    without_champion: int = 0


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the prediction log holds of the time that was looked at.

    Attributes:
        since, through: that time (UTC); None where no line was found.
        requests: lines of the log.
        rows: instances that they tell of.
        versions: how many of them each version answered.
        failed_look_ups: times that predict could not follow the registry.
        partial: whether there was more to read than a look reads.
        predictions: what was predicted, in the form of a verdict's statistics of a column.
    """

    since: datetime | None = None
    through: datetime | None = None
    requests: int = 0
    rows: int = 0
    versions: Mapping[str, int] = field(default_factory=dict)
    failed_look_ups: int = 0
    partial: bool = False
    predictions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answers:
    """What predictions were like on the days before the last.

    Attributes:
        usual: the reference of these days.
        through: when the last one was folded in (UTC); None before the first.
        refused: days since then that were too far away to be.
    """

    usual: Reference = NO_HISTORY
    through: datetime | None = None
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a finding at this look: it is told once.

    Attributes:
        what: `opened`, `worsened` or `closed`.
        finding: as it is now.
    """

    what: Literal["opened", "worsened", "closed"]
    finding: Finding


@dataclass(frozen=True, slots=True)
class Watch:
    """A look at a pipeline.

    Attributes:
        pipeline: whose.
        number: looks are numbered from 1; only those that brought something new are kept.
        at: when (UTC).
        champion: the version that served then; empty without one.
        findings: those that are open, the worst first, then the newest.
        closed: the last ones that were closed, the newest first.
        changes: what is new since the look before.
        features: every feature, the label and the predictions.
        files: the last accepted files, in their order.
        sources: by prefix.
        jobs: the last training runs.
        traffic: what the prediction log holds.
        errors: by part of the look, what could not be looked at, and why.
        marks: by part of the look, what it was made of: the same again is not looked at again.
        answers: what predictions were like on the days before.
        volumes: rows that sources brought, beside what was predicted before.
    """

    pipeline: str
    number: int
    at: datetime
    champion: str = ""
    findings: tuple[Finding, ...] = ()
    closed: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()
    features: tuple[Feature, ...] = ()
    files: tuple[FilePoint, ...] = ()
    sources: tuple[Source, ...] = ()
    jobs: Jobs = field(default_factory=Jobs)
    traffic: Traffic = field(default_factory=Traffic)
    errors: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    answers: Answers = field(default_factory=Answers)
    volumes: tuple[Volume, ...] = ()
    format: int = 1

    def document(self) -> dict[str, Any]:
        """Ready for JSON; its keys are contract (`perennial monitor --json`)."""
        document: dict[str, Any] = json.loads(self.to_json())
        for name in ("marks", "answers", "volumes"):  # of use to the next look alone
            del document[name]
        return document

    def to_json(self) -> bytes:
        """The stored form."""
        return json.dumps(asdict(self), default=_plain, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form, or `document`; what a later release added means nothing here."""
        stored = json.loads(data)
        facts = {name: stored[name] for name in cls.__dataclass_fields__ if name in stored}
        return cls(
            **facts
            | {
                "at": datetime.fromisoformat(stored["at"]),
                "findings": _each(Finding.from_document, stored["findings"]),
                "closed": _each(Finding.from_document, stored["closed"]),
                "changes": _each(_change, stored["changes"]),
                "features": _each(_feature, stored["features"]),
                "files": _each(_file, stored["files"]),
                "sources": _each(_source, stored["sources"]),
                "jobs": Jobs(**stored["jobs"]),
                "traffic": _traffic(stored["traffic"]),
                "answers": _answers(stored["answers"]) if "answers" in stored else Answers(),
                "volumes": _each(Volume.from_document, stored.get("volumes", ())),
            }
        )


def _each(
    read: Callable[[Mapping[str, Any]], _Item], documents: Iterable[Mapping[str, Any]]
) -> Sequence[_Item]:
    return tuple(map(read, documents))


def _change(document: Mapping[str, Any]) -> Change:
    return Change(document["what"], Finding.from_document(document["finding"]))


def _feature(document: Mapping[str, Any]) -> Feature:
    sides = {side: Distance(**document[side]) for side in ("drift", "skew")}
    return Feature(**{**document, **sides})


def _file(document: Mapping[str, Any]) -> FilePoint:
    return FilePoint(**{**document, "at": datetime.fromisoformat(document["at"])})


def _source(document: Mapping[str, Any]) -> Source:
    return Source(**{**document, "last": datetime.fromisoformat(document["last"])})


def _traffic(document: Mapping[str, Any]) -> Traffic:
    times = {key: document[key] and datetime.fromisoformat(document[key]) for key in _TIMES}
    return Traffic(**{**document, **times})


def _answers(document: Mapping[str, Any]) -> Answers:
    through = document["through"] and datetime.fromisoformat(document["through"])
    usual = Reference.from_json(json.dumps(document["usual"]).encode())
    return Answers(usual, through, document["refused"])


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"cannot store {type(value).__name__}")


_TIMES = ("since", "through")
