"""What people read of files in quarantine leads on to what they can do."""

from __future__ import annotations

from pathlib import Path

import pytest

from perennial.ports import Buckets

from .conftest import BAD, GOOD, Run

MIXED = b"petals,bought\n1,true\nmany,false\n"


@pytest.fixture
def hospital(flowers: Run, buckets: Buckets) -> Run:
    """A file that breaks a rule, one with a row that cannot be read, and one of no pipeline."""
    Path("bad one.csv").write_bytes(BAD)
    Path("mixed.csv").write_bytes(MIXED)
    flowers("drop", "flowers", "bad one.csv", "mixed.csv")
    buckets.landing.overwrite("stray.csv", GOOD)
    flowers("sweep")
    return flowers


def test_the_list_says_how_to_see_all_that_is_wrong(hospital: Run) -> None:
    for name in ("flowers", "_unknown"):
        out = hospital("quarantine", "list", name).out
        assert f"`perennial quarantine show {name} FILE` says all that is wrong" in out


def test_a_file_is_shown_with_the_ways_out(hospital: Run) -> None:
    out = hospital("quarantine", "show", "flowers", "bad one.csv").out
    assert "`perennial quarantine release flowers 'flowers/bad one.csv' --why …`" in out


def test_a_file_of_no_pipeline_cannot_be_released_and_is_not_said_to(hospital: Run) -> None:
    out = hospital("quarantine", "show", "_unknown", "stray.csv").out
    assert "drop it again under a pipeline's name" in out
    assert "release" not in out


def test_release_says_how_many_rows_were_accepted_and_left_out(hospital: Run) -> None:
    words = ["quarantine", "release", "flowers", "mixed.csv", "--why", "it happens"]
    assert "released by rosa: it happens (1 row accepted, 1 left out)" in hospital(*words).out


def test_a_discarded_file_is_not_called_so_twice(hospital: Run) -> None:
    words = ["quarantine", "discard", "flowers", "mixed.csv", "--why", "bin"]
    out = hospital(*words).out
    assert out.count("discarded") == 1
    assert "by rosa: bin" in out


def test_one_file_is_counted_in_the_singular(flowers: Run, buckets: Buckets) -> None:
    buckets.landing.overwrite("flowers/a.csv", GOOD)
    assert flowers("sweep").out.startswith("1 file seen; ")
