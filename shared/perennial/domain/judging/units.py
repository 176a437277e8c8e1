"""Numbers in another unit: what they are multiplied by then, and what speaks against it."""

from __future__ import annotations

import polars as pl

from perennial.domain.judging.quantiles import Distribution
from perennial.domain.judging.reference import Usual

OUTSIDE = 0.9
"""Share of values in another unit that lie outside what is known, at the least."""

RESCALINGS = tuple(
    rescaling
    for factor in (10, 100, 1000)
    for rescaling in ((1, factor, f"divided by {factor:,}"), (factor, 1, f"times {factor:,}"))
)
"""By which values in another unit are multiplied and divided to be as they were, and its name."""

_VARIED = 5
"""Numbers with fewer different values are codes, of which one may well be ten times another."""


def are_codes(values: pl.Series) -> bool:
    """Whether a column's numbers may be codes, which are in no unit."""
    return values.drop_nulls().hash().n_unique() < _VARIED


def rescales(new: Distribution, usual: Usual, factor: float) -> bool:
    """Whether numbers times a factor may be usual ones, as far as their width tells.

    Another unit makes the middle half wider or narrower by as much. A countdown that comes to its
    end has smaller numbers than ever, and they reach as far as they always did.
    """
    return not _is_as_wide(new, usual) and _is_as_wide(new.scaled(factor), usual, slack=2)


def _is_as_wide(numbers: Distribution, usual: Usual, *, slack: float = 1) -> bool:
    """Whether the middle half reaches about as far as in accepted files."""
    if usual.narrowest is None or usual.widest is None:
        return False
    return usual.narrowest / slack <= numbers.spread <= usual.widest * slack
