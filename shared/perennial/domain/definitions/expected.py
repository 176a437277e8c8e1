"""What a person declares of files as a whole: what they are checked for, and what then happens."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from perennial.domain.definitions.files import Measure
from perennial.domain.definitions.recipe import Strict


class Limits(Strict):
    """Above which figure a file draws a warning, and above which it is quarantined.

    Attributes:
        warn: null for never.
        reject: null for never.
    """

    warn: float | None = Field(default=None, ge=0)
    reject: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _are_in_order(self) -> Self:
        if self.warn is not None and self.reject is not None and self.warn > self.reject:
            raise ValueError(
                "expected warn to be the lower of the two, "
                f"found {self.warn:g} above {self.reject:g}"
            )
        return self

    def exceeded_by(self, figure: float) -> Literal["reject", "warn"] | None:
        """What a figure leads to: None where it is above neither limit."""
        if self.reject is not None and figure > self.reject:
            return "reject"
        return "warn" if self.warn is not None and figure > self.warn else None


class Checks(Strict):
    """What a file as a whole is checked for, beside the rules of its columns.

    Attributes:
        duplicate_rows: share of rows that repeat another row of the file. No limits by default,
            because rows of a few categories repeat by nature; `perennial init` writes them where
            the samples have no such rows.
        constant_label: the label is the same in all of 50 rows or more; of classes, which may fill
            a file, it only warns.
        leakage: a feature equals the label in every row.
        unit_change: nearly all values of a column are outside its declared range, and inside once
            multiplied or divided by 10, 100 or 1,000; or they are unlike those of accepted files
            until then: a warning before there were nine of them.

    What follows compares a file with the accepted ones, once there are enough of them. Limits are
    for what a file shows beyond the most that accepted files have shown.

    Attributes:
        constant: a column is the same in all rows, and never was in an accepted file.
        null_fraction: share of empty cells in a feature that no rule max_null_fraction speaks of.
        unseen_categories: share of rows with a value that no accepted file had.
        distribution: Kolmogorov-Smirnov distance of a column's numbers, from 0 to 1, to those of
            all accepted files or to those of the last ones, whichever is nearer.
    """

    duplicate_rows: Limits = Limits()
    constant_label: Measure = "reject"
    leakage: Measure = "reject"
    unit_change: Measure = "reject"
    constant: Measure = "warn"
    null_fraction: Limits = Limits(warn=0.1, reject=0.9)
    unseen_categories: Limits = Limits(warn=0.1)
    distribution: Limits = Limits(warn=0.1)
