"""Replays that were kept: immutable, numbered, the newest first in a listing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from perennial.domain import names
from perennial.errors import PreconditionFailed
from perennial.ports import ObjectStore
from perennial.workflows.writing import create_once

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class KeptReplay:
    """A replay, and who made it.

    Attributes:
        number: replays are numbered from 1.
        at: when it was kept (UTC).
        by: who asked for it.
        document: as `perennial replay --json` prints it.
    """

    number: int
    at: datetime
    by: str
    document: Mapping[str, Any]
    format: int = 1

    def to_json(self) -> bytes:
        """The stored form."""
        return json.dumps(asdict(self), default=datetime.isoformat, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form; what a later release added means nothing here."""
        stored = json.loads(data)
        at = datetime.fromisoformat(stored["at"])
        return cls(stored["number"], at, stored["by"], stored["document"], stored["format"])


def latest_replay(data: ObjectStore, pipeline: str) -> KeptReplay | None:
    """The replay that was kept last; None where none was.

    One listing of one name, and one read.
    """
    for info in data.list(names.replays(pipeline), limit=1):
        return KeptReplay.from_json(data.read(info.name).data)
    return None


def keep_replay(
    data: ObjectStore, pipeline: str, document: Mapping[str, Any], *, at: datetime, by: str
) -> KeptReplay:
    """Keep a replay as the latest.

    Raises:
        PreconditionFailed: when others kept theirs first again and again.
        StoreUnavailable: when the outcome stays unknown.
    """
    for _ in range(ATTEMPTS):
        before = latest_replay(data, pipeline)
        kept = KeptReplay(before.number + 1 if before else 1, at, by, document)
        name = names.replay(pipeline, kept.number)
        written = create_once(data, name, kept.to_json(), content_type="application/json")
        if written.mine:
            return kept
    raise PreconditionFailed(
        f"{pipeline}: expected to keep this replay, found that others were first {ATTEMPTS} times; "
        "try again",
        bucket=data.bucket,
        name=names.replays(pipeline),
    )
