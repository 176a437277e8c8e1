"""ISO 8601 in a column of any mixture."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from perennial.domain.definitions.definition import Column
from perennial.domain.formats.cells import read_cells

NINE = datetime(2024, 2, 1, 9, tzinfo=UTC)
TEN = NINE.replace(hour=10)

TIMES = {
    "2024-02-01T10:00:00Z": TEN,
    "2024-02-01 10:00:00Z": TEN,
    "2024-02-01T10:00Z": TEN,
    "2024-02-01T10:00:00": TEN,
    "2024-02-01T10:00:00+01:00": NINE,
    "2024-02-01T10:00+01": NINE,
    "2024-02-01T10:00:00.5Z": TEN.replace(microsecond=500_000),
    "2024-02-01": TEN.replace(hour=0),
    "2024-02-01T10:00+01Z": None,
    "2024-02-01T10:00:00ZZ": None,
    "2024-02-01Z": None,
    "xxxxxxxxxxxxxxxx:00Z": None,
    "2024-02-30T10:00:00Z": None,
    "éééééééééé": None,
}


@pytest.mark.parametrize("turn", range(len(TIMES)))
def test_a_time_is_read_the_same_wherever_it_stands(turn: int) -> None:
    """Whichever comes first, which only says what is tried first."""
    texts = [*TIMES][turn:] + [*TIMES][:turn]

    found = read_cells(pl.Series([None, *texts, ""], dtype=pl.String), Column(type="timestamp"))

    assert found.to_list() == [None, *(TIMES[text] for text in texts), None]
