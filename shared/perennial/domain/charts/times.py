"""Axes of time: ticks where calendars and clocks are round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
_DAYS = (1, 2, 7, 14)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000)
_DAY = 86_400
_MONTH = 30.44 * _DAY
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """An axis of time (UTC).

    Attributes:
        first, last: its ends.
    """

    first: datetime
    last: datetime

    @property
    def header(self) -> str:
        """What its places are."""
        return "time (UTC)"

    @classmethod
    def around(cls, times: Iterable[datetime]) -> Self:
        """An axis that holds all of the times; there is at least one."""
        known = [time.astimezone(UTC) for time in times]
        return cls(min(known), max(known))

    def place(self, time: datetime) -> float:
        """Where a time lies, from 0 to 1; in the middle where there is only one."""
        span = (self.last - self.first).total_seconds()
        return (time - self.first).total_seconds() / span if span else 0.5

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """Round times within the axis, at most so many: each with its place and how it is written.

        The ends stand in `caption`, so that no tick needs to repeat what all have in common.
        """
        span = (self.last - self.first).total_seconds()
        if not span:
            return [(0.5, self._minute(self.first))]
        found = next((one for one in self._steps(most) if len(one[0]) <= most), None)
        if found is None:
            return []
        times, pattern = found
        return [(self.place(time), _written(time, pattern)) for time in times]

    def caption(self) -> str:
        """Its ends in words."""
        first, last = self._minute(self.first), self._minute(self.last)
        if (self.last - self.first).total_seconds() > 3 * _DAY:
            first, last = _written(self.first, "%-d %b %Y"), _written(self.last, "%-d %b %Y")
        return f"{first} UTC" if first == last else f"{first} to {last}, UTC"

    def say(self, time: datetime) -> str:
        """A time of the axis as tables write it."""
        return _written(time.astimezone(UTC), "%Y-%m-%d %H:%M")

    def _minute(self, time: datetime) -> str:
        return _written(time, "%-d %b %Y %H:%M")

    def _steps(self, most: int) -> Iterator[tuple[list[datetime], str]]:
        """Ticks ever farther apart, with how they are written."""
        span = (self.last - self.first).total_seconds()
        one_day = self.first.date() == self.last.date()
        one_year = self.first.year == self.last.year
        for step in _SECONDS:
            if span / step <= most + 1:
                clock = "%H:%M:%S" if step < 60 else "%H:%M"
                yield self._even(timedelta(seconds=step)), clock if one_day else f"%-d %b {clock}"
        for step in _DAYS:
            if span / (step * _DAY) <= most + 1:
                yield self._even(timedelta(days=step)), "%-d %b" if one_year else "%-d %b %Y"
        for step in _MONTHS:
            if span / (step * _MONTH) <= most + 2:
                month = "%b" if one_year else "%b %Y"
                yield self._months(step), "%Y" if step >= 12 else month

    def _even(self, step: timedelta) -> list[datetime]:
        """Multiples of a step, counted from a Monday's midnight."""
        number = -((_MONDAY - self.first) // step)
        times = []
        while (number * step) <= self.last - _MONDAY:
            times.append(_MONDAY + number * step)
            number += 1
        return times

    def _months(self, step: int) -> list[datetime]:
        """The first days of every so many months."""
        number = -(-(self.first.year * 12 + self.first.month - 1) // step) * step
        times = []
        while number <= self.last.year * 12 + self.last.month - 1:
            time = _EARLIEST.replace(year=max(number // 12, 1), month=number % 12 + 1)
            if self.first <= time <= self.last:
                times.append(time)
            number += step
        return times


def _written(time: datetime, pattern: str) -> str:
    """As `strftime`, with English months whatever the locale, and days without a leading zero."""
    month = _NAMES[time.month - 1]
    pattern = pattern.replace("%-d", str(time.day)).replace("%b", month)
    return time.strftime(pattern.replace("%Y", f"{time.year:04d}"))


_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
