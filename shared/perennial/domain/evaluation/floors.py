"""Floors: what a model must reach, whatever the champion does, as a whole and by slice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from perennial.domain.definitions.recipe import GAINS, Promotion, Quality
from perennial.domain.evaluation.measuring import MISSING, OTHERS, Measurement
from perennial.domain.evaluation.scoring import Score
from perennial.domain.words import counted


@dataclass(frozen=True, slots=True)
class Floor:
    """One floor, and what was found.

    Attributes:
        quality: what is measured.
        floor: the least that is asked of a gain, the most of a loss.
        value: what was found; None where the rows cannot tell.
        rows: on how many rows.
        slice: `column = value`; empty for all rows.
        passed: whether it was reached; None where the rows cannot tell.
    """

    quality: Quality
    floor: float
    value: float | None
    rows: int
    slice: str = ""
    passed: bool | None = None

    @property
    def sentence(self) -> str:
        """What was asked and found."""
        where = f" where {self.slice}" if self.slice else ""
        if self.value is None or self.passed is None:
            return f"{self.quality}{where} cannot be told on {counted(self.rows, 'row')}"
        least = "at least" if self.quality in GAINS else "at most"
        return (
            f"{self.quality} is {self.value:.4g}{where} on {counted(self.rows, 'row')}, and must "
            f"be {least} {self.floor:g}"
        )


def check_floors(promotion: Promotion, measured: Measurement) -> tuple[Floor, ...]:
    """Hold a challenger's measurement against every floor of its definition.

    A slice with fewer rows than its `min_rows` is not judged; what rows cannot tell (an area under
    a curve of one class) is not judged either, and both are said.
    """
    overall = [*_floors(promotion.floors, measured.score, "", 1)]
    for column, one in promotion.slices.items():
        for value, score in measured.slices.get(column, {}).items():
            if value not in (OTHERS, MISSING):
                overall += _floors(one.floors, score, f"{column} = {value}", one.min_rows)
    return tuple(overall)


def _floors(
    floors: Mapping[Quality, float], score: Score, where: str, min_rows: int
) -> Iterator[Floor]:
    metrics = score.metrics() if score.rows >= min_rows else {}
    for quality, floor in floors.items():
        value = metrics.get(quality)
        passed = None
        if value is not None:
            passed = value >= floor if quality in GAINS else value <= floor
        yield Floor(quality, floor, value, score.rows, where, passed)
