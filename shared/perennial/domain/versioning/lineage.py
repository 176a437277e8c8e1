"""What a version has learned, and which rows may still prove something about it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Self

from perennial.domain.definitions.recipe import Window
from perennial.domain.names import FileId
from perennial.domain.verdict import VerdictSummary


@dataclass(frozen=True, slots=True)
class Learned:
    """A file that a version has taken into account.

    Attributes:
        stem: the file, as in its verdict's name.
        name: the file's name in landing.
        sha256: of the original bytes.
        rows_object: its typed rows in the data bucket.
        rows: how many.
        order: its place in time, as ISO text: last event time, else creation.
        used: False where the window had passed it by, or where another file replaces it.
        superseded_by: stem of the file that is learned in its place; empty where none is.
    """

    stem: str
    name: str
    sha256: str
    rows_object: str
    rows: int
    order: str
    used: bool
    superseded_by: str = ""

    @property
    def summary(self) -> VerdictSummary:
        """As much of the file's verdict as its rows need."""
        place = datetime.fromisoformat(self.order)
        return VerdictSummary(
            file=FileId(int(self.stem.split("-")[0]), self.name),
            number=1,
            decision="accepted",
            decided=place,
            reason="",
            sha256=self.sha256,
            rows=self.rows,
            rows_object=self.rows_object,
            first_event=None,
            last_event=place,
        )


@dataclass(frozen=True, slots=True)
class Portion:
    """Rows of one accepted file, in order.

    Attributes:
        stem: the file, as in its verdict's name.
        spans: runs of places in its typed rows, each from a first place to before a last one.
        sha256: of the typed rows' object; empty where nobody noted it.
    """

    stem: str
    spans: tuple[tuple[int, int], ...]
    sha256: str = ""

    @property
    def rows(self) -> int:
        """How many."""
        return sum(end - start for start, end in self.spans)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a version's graph answered to some rows when it was made.

    Attributes:
        rows: which.
        predictions: for each a number, or the list of the classes' probabilities.
    """

    rows: tuple[Portion, ...]
    predictions: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a version has learned.

    Attributes:
        files: every file that it has taken into account, in time order.
        rows: the very rows that it was fitted to, in their order: without those that were held
            out, or that the window had passed by. None before format 2, which did not note them.
        recorded: rows and answers by which its graph can be told from another; None likewise.
    """

    files: tuple[Learned, ...] = ()
    rows: tuple[Portion, ...] | None = None
    recorded: Recorded | None = None
    format: int = 2

    @property
    def stems(self) -> frozenset[str]:
        """The files' stems."""
        return frozenset(file.stem for file in self.files)

    @property
    def in_effect(self) -> tuple[Learned, ...]:
        """The files that no other one replaced when it was made."""
        return tuple(file for file in self.files if not file.superseded_by)

    @property
    def learned(self) -> tuple[Learned, ...]:
        """The files whose rows it has learned."""
        return tuple(file for file in self.files if file.used)

    @property
    def used(self) -> frozenset[str]:
        """Stems of the files that it learned from."""
        return frozenset(file.stem for file in self.learned)

    @property
    def newest(self) -> tuple[datetime, int] | None:
        """Place in time, and generation, of the newest file that was taken into account."""
        places = ((datetime.fromisoformat(f.order), int(f.stem.split("-")[0])) for f in self.files)
        return max(places, default=None)

    @property
    def through(self) -> datetime | None:
        """The newest place in time that was learned."""
        places = (datetime.fromisoformat(file.order) for file in self.files if file.used)
        return max(places, default=None)

    def to_json(self) -> bytes:
        """The stored form."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form."""
        document = json.loads(data)
        rows, recorded = document.get("rows"), document.get("recorded")
        return cls(
            files=tuple(Learned(**file) for file in document["files"]),
            rows=None if rows is None else _portions(rows),
            recorded=recorded
            and Recorded(_portions(recorded["rows"]), tuple(recorded["predictions"])),
            format=document["format"],
        )


def _portions(documents: Sequence[dict[str, Any]]) -> tuple[Portion, ...]:
    return tuple(
        Portion(one["stem"], tuple((start, end) for start, end in one["spans"]), one["sha256"])
        for one in documents
    )


@dataclass(frozen=True, slots=True)
class Batch:
    """What one run works on, each in time order.

    Attributes:
        history: every accepted file that no later one replaces.
        fresh: those that the champion has not learned.
        proof: the fresh ones that come after all it has learned: only they can prove something,
            because a late file would be predicted with knowledge of its future, and one that
            replaces a file that it has learned with knowledge of an earlier state of its rows.
        superseded: accepted files that are replaced, each with the one that replaces it.
    """

    history: tuple[VerdictSummary, ...]
    fresh: tuple[VerdictSummary, ...]
    proof: tuple[VerdictSummary, ...]
    superseded: tuple[tuple[VerdictSummary, VerdictSummary], ...] = ()

    @classmethod
    def of(
        cls,
        accepted: Sequence[VerdictSummary],
        champion: Lineage,
        replaced: Mapping[str, VerdictSummary] = MappingProxyType({}),
    ) -> Self:
        """Sort the accepted files by what the champion knows of them.

        Args:
            accepted: every accepted file.
            champion: what it knows.
            replaced: by the stem of a file the one that replaces it.
        """
        ordered = sorted(accepted, key=lambda file: file.order)
        history = tuple(file for file in ordered if file.file.stem not in replaced)
        known, newest = {file.stem for file in champion.in_effect}, champion.newest
        fresh = tuple(file for file in history if file.file.stem not in known)
        late = {by.file.stem for stem, by in replaced.items() if stem in champion.stems}
        proof = tuple(
            f for f in fresh if f.file.stem not in late and (newest is None or f.order > newest)
        )
        pairs = ((f, replaced[f.file.stem]) for f in ordered if f.file.stem in replaced)
        return cls(history, fresh, proof, tuple(pairs))

    def replaced_by(self, file: VerdictSummary) -> frozenset[str]:
        """Stems of the files that this one replaces."""
        return frozenset(old.file.stem for old, by in self.superseded if by.file == file.file)


def within(window: str | Window, history: Sequence[VerdictSummary]) -> Sequence[VerdictSummary]:
    """The newest part of a time-ordered history that a window lets a model learn from.

    A window of days is counted back from the newest file, and keeps whole files.
    """
    if not isinstance(window, Window) or not history:
        return history
    if window.files is not None:
        return history[-window.files :]
    start = history[-1].order[0] - timedelta(days=window.days or 0)
    return [file for file in history if file.order[0] > start]


def lineage(
    history: Sequence[VerdictSummary],
    used: Sequence[VerdictSummary],
    rows: Sequence[Portion] | None = None,
    superseded: Sequence[tuple[VerdictSummary, VerdictSummary]] = (),
) -> Lineage:
    """The lineage of a version that learned `rows` of the files `used` out of `history`.

    Args:
        history: the files that it has taken into account.
        used: those that it learned from.
        rows: the very rows.
        superseded: other files, each with the one of `history` that replaces it.
    """
    stems = {file.file.stem for file in used}
    by = {old.file.stem: new.file.stem for old, new in superseded}
    known = sorted([*history, *(old for old, _ in superseded)], key=lambda file: file.order)
    return Lineage(
        files=tuple(
            Learned(
                stem=file.file.stem,
                name=file.file.name,
                sha256=file.sha256,
                rows_object=file.rows_object,
                rows=file.rows,
                order=file.order[0].isoformat(),
                used=file.file.stem in stems,
                superseded_by=by.get(file.file.stem, ""),
            )
            for file in known
        ),
        rows=None if rows is None else tuple(rows),
    )
