"""What commands print."""

from __future__ import annotations

import json
import sys

import pytest
from pytest_mock import MockerFixture

from perennial.cli.output import age, emit, moment, progress, table


def test_json_is_one_document_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    lines = (line for line in ["never made"])
    emit({"name": "Blüte", "n": 1}, lines, as_json=True)
    out = capsys.readouterr().out

    assert json.loads(out) == {"name": "Blüte", "n": 1}
    assert "Blüte" in out
    assert next(lines) == "never made"


def test_people_get_lines(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"n": 1}, ["one", "two"], as_json=False)

    assert capsys.readouterr().out == "one\ntwo\n"


@pytest.mark.parametrize("watched", [True, False])
def test_progress_is_for_who_watches(
    capsys: pytest.CaptureFixture[str], mocker: MockerFixture, watched: bool
) -> None:
    mocker.patch.object(sys.stderr, "isatty", return_value=watched)
    progress("uploaded a.csv")
    out, err = capsys.readouterr()

    assert out == ""
    assert ("uploaded a.csv" in err) is watched


def test_a_table_keeps_long_and_odd_cells_whole() -> None:
    name = "flowers/" + "x" * 150 + "[bold].csv"
    text = table(("file", "rows"), [(name, 12), ("b", None)])

    assert name in text
    assert "12" in text
    assert not any(line.endswith(" ") for line in text.splitlines())


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 seconds"), (1.2, "1 second"), (119, "119 seconds"), (120, "2 minutes"),
     (7300, "2 hours"), (172_800, "2 days")],
)  # fmt: skip
def test_ages_are_told_in_the_unit_that_suits(seconds: float, text: str) -> None:
    assert age(seconds) == text


def test_moments_are_told_to_the_second() -> None:
    assert moment("2026-02-14T08:00:00.123456+00:00") == "2026-02-14 08:00:00"
    assert moment(None) == ""


def test_a_strangers_text_forges_no_row_and_steers_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = "a\nb\x1b[2J\u202e"
    emit({}, [table(("file", "rows"), [(name, 1)]), f"file {name[2:]}"], as_json=False)
    *_, row, line = capsys.readouterr().out.splitlines()

    assert row.split() == ["a·b·[2J·", "1"]
    assert line == "file b·[2J·"
    emit({"file": name}, (), as_json=True)
    told = capsys.readouterr().out
    assert json.loads(told) == {"file": name}
    assert r"\u202e" in told
