"""The accepted drops of one name: which of them is about the time of an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from perennial.domain.verdict import VerdictSummary

_ANY_TIME = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Reach:
    """Between which bounds the first and the last event times of some drops lie.

    Of one drop without event times they lie anywhere.
    """

    first: tuple[datetime, datetime]
    last: tuple[datetime, datetime]

    @classmethod
    def of(cls, file: VerdictSummary) -> _Reach:
        if file.first_event is None or file.last_event is None:
            return cls(_ANY_TIME, _ANY_TIME)
        return cls((file.first_event, file.first_event), (file.last_event, file.last_event))

    def __or__(self, other: _Reach) -> _Reach:
        return _Reach(_both(self.first, other.first), _both(self.last, other.last))

    def may_nest(self, first: datetime, last: datetime) -> bool:
        """Whether the times of one of them may lie within these, or around; of one drop, do."""
        return (self.first[1] >= first and self.last[0] <= last) or (
            self.first[0] <= first and self.last[1] >= last
        )


class Namesakes:
    """Drops of one name, the latest first.

    Beside them stands what every two, four, eight … of them reach, so that a search passes over
    those together of which none can match: of a rolling export, dropped under its name thousands
    of times, each file matches next to none.
    """

    def __init__(self) -> None:
        self._files: list[VerdictSummary] = []
        self._reaches: list[list[_Reach]] = [[]]  # at n, of each 2**n drops

    def add(self, file: VerdictSummary) -> None:
        """Add one that came before all of them."""
        self._files.append(file)
        reach, level = _Reach.of(file), 0
        while True:
            self._reaches[level].append(reach)
            if len(self._reaches[level]) % 2:
                return
            reach = self._reaches[level][-2] | reach
            level += 1
            if level == len(self._reaches):
                self._reaches.append([])

    def nested(self, file: VerdictSummary) -> VerdictSummary | None:
        """The latest drop whose event times lie within a file's, or around; without any, they may.

        A correction may have lost a row at either end, or got one. The windows of a rolling export
        lie side by side, and what one of them has at its beginning the next has not.
        """
        first, last = file.first_event, file.last_event
        if first is None or last is None:
            return self._files[0] if self._files else None
        place = 0
        while place < len(self._files):
            level = self._widest(place)
            while (nests := self._reaches[level][place >> level].may_nest(first, last)) and level:
                level -= 1
            if nests:
                return self._files[place]
            place += 1 << level
        return None

    def _widest(self, place: int) -> int:
        """The level of the largest run of drops that begins at this place and is complete."""
        aligned = (place & -place).bit_length() - 1 if place else len(self._reaches) - 1
        return next(n for n in range(aligned, -1, -1) if place >> n < len(self._reaches[n]))


def _both(
    one: tuple[datetime, datetime], other: tuple[datetime, datetime]
) -> tuple[datetime, datetime]:
    return min(one[0], other[0]), max(one[1], other[1])
