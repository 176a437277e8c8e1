"""Run records: what each training run considered, decided and took. Written once, at its end."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Self

from perennial.domain import names
from perennial.domain.evaluation.repeated_keys import RepeatedKeys
from perennial.domain.judging.redelivery import Superseded
from perennial.domain.verdict import SUMMARY
from perennial.ports import ObjectStore
from perennial.workflows.writing import create_once

Outcome = Literal[
    "promoted", "waiting_approval", "rejected", "set_aside", "scored", "nothing_new", "waiting",
    "failed",
]  # fmt: skip
"""`promoted`: a version serves. `waiting_approval`: it needs a person (manual mode or a pin).
`rejected`: its gate turned it down. `set_aside`: so it did, and the new files are suspect.
`scored`: a static model predicted the new files. `nothing_new`: no accepted file that the champion
has not learned. `waiting`: the rows do not suffice yet. `failed`: the run broke; the reason says
how."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that a run found and a person should know.

    Attributes:
        kind: `suspect`: files were set aside; `probation`: an earlier champion is better;
            `returned`: it serves again.
        message: one sentence, with its numbers and the way on.
        version: the version that it is about.
        files: names of the files that it is about.
    """

    kind: Literal["suspect", "probation", "returned"]
    message: str
    version: str | None = None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run did.

    Attributes:
        run: its id; ids sort by start time.
        execution: the platform's name of the process that ran it.
        outcome: how it ended.
        reason: one sentence.
        version: the version it made, if it made one.
        started, ended: when (UTC).
        seconds: time by step: read, score, train, duel, importance, refit, export, parity, record,
            smoke, write.
        files, rows: how many accepted files were new to the champion, and their rows.
        champion: the version that served when it began.
        environment: digest of the libraries and the code that it ran with.
        considered: stems of every accepted file that its last listing showed.
        alerts: what a person should know.
        superseded: files that another replaces, as the champion did not know yet.
        repeated_keys: what there is to say of new files that bring keys of earlier ones.
    """

    pipeline: str
    run: str
    outcome: Outcome
    reason: str
    started: datetime
    ended: datetime
    execution: str = ""
    version: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    files: int = 0
    rows: int = 0
    champion: str | None = None
    environment: str = ""
    considered: tuple[str, ...] = ()
    alerts: tuple[Alert, ...] = ()
    repeated_keys: tuple[RepeatedKeys, ...] = ()
    superseded: tuple[Superseded, ...] = ()
    format: int = 1

    def summary(self) -> dict[str, Any]:
        """The record without the long list: what listings and the command line show."""
        facts = asdict(self)
        del facts["considered"], facts["format"]
        return json.loads(json.dumps(facts, default=datetime.isoformat))  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form."""
        document = json.loads(data)
        for key in ("started", "ended"):
            document[key] = datetime.fromisoformat(document[key])
        document["considered"] = tuple(document["considered"])
        document["alerts"] = tuple(
            Alert(**{**alert, "files": tuple(alert["files"])})
            for alert in document.get("alerts", ())
        )
        document["repeated_keys"] = tuple(
            RepeatedKeys.from_document(one) for one in document.get("repeated_keys", ())
        )
        document["superseded"] = tuple(Superseded(**one) for one in document.get("superseded", ()))
        return cls(**document)


_STARTED = "%Y%m%dT%H%M%S%f"


def new_run_id(started: datetime) -> str:
    """A name for a run; names sort by when runs started (UTC)."""
    return f"{started:{_STARTED}}-{secrets.token_hex(4)}"


def started_of(run: str) -> datetime | None:
    """When a run started (UTC), by its id; None where it is none of a run."""
    try:
        return datetime.strptime(run.partition("-")[0], _STARTED).replace(tzinfo=UTC)
    except ValueError:
        return None


def write_run(data: ObjectStore, record: RunRecord) -> None:
    """Store a run's record; its summary becomes metadata, so that a listing shows the runs."""
    body = json.dumps(asdict(record), default=datetime.isoformat).encode()
    create_once(
        data, names.run(record.pipeline, record.run), body,
        metadata={SUMMARY: json.dumps(_short(record))},
    )  # fmt: skip


def _short(record: RunRecord) -> dict[str, Any]:
    """The summary within the 8 KiB of an object's metadata."""
    alerts = [
        {**asdict(alert), "message": alert.message[:600], "files": alert.files[:10]}
        for alert in record.alerts[:4]
    ]
    repeated = [
        {**asdict(one), "name": one.name[:100], "examples": []} for one in record.repeated_keys[:2]
    ]
    return record.summary() | {
        "reason": record.reason[:200], "alerts": alerts, "repeated_keys": repeated,
        "superseded": [],
    }  # fmt: skip


def read_run(data: ObjectStore, pipeline: str, run: str) -> RunRecord:
    """A run's record, whole."""
    return RunRecord.from_json(data.read(names.run(pipeline, run)).data)


def read_considered(data: ObjectStore, pipeline: str, run: str) -> frozenset[str]:
    """Stems of the files that a run considered; none before the first run."""
    if not run:
        return frozenset()
    return frozenset(read_run(data, pipeline, run).considered)


def list_runs(data: ObjectStore, pipeline: str, *, since: str = "") -> Iterator[dict[str, Any]]:
    """Summaries of the runs whose ids are `since` or later, oldest first."""
    prefix = names.runs(pipeline)
    for info in data.list(prefix, start=prefix + since):
        yield json.loads(info.metadata[SUMMARY])
