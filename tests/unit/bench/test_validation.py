"""The subjects of the validation bench do the same work: all name the same failing rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import orders
from tests.bench.validation import ARROW, PERENNIAL, RIVALS, SUBJECTS, take_turn

ROWS, FAULTY = 2_000, 50


def spoilt(directory: Path, faulty: int) -> tuple[Path, Path, list[int]]:
    """A file, its definition, and the lines of its failing rows."""
    file, definition = directory / "orders.csv", directory / "orders.yaml"
    definition.write_text(orders.DEFINITION)
    return file, definition, orders.write(file, ROWS, faulty)


@pytest.mark.parametrize("subject", [subject for subject in SUBJECTS if subject != ARROW])
def test_every_subject_names_the_failing_rows_and_no_other(subject: str, tmp_path: Path) -> None:
    if subject != PERENNIAL and not (RIVALS / ".ready").exists():
        pytest.skip("the rivals are not installed: `python -m tests.bench.validation` does that")
    file, definition, expected = spoilt(tmp_path, FAULTY)
    assert len(expected) == FAULTY
    assert take_turn(subject, file, definition).lines == expected


def test_the_same_seed_writes_the_same_file(tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    assert orders.write(first, 500, 20) == orders.write(second, 500, 20)
    assert first.read_bytes() == second.read_bytes()


def test_a_file_without_faults_has_no_failing_row(tmp_path: Path) -> None:
    file, definition, expected = spoilt(tmp_path, 0)
    assert take_turn(PERENNIAL, file, definition).lines == expected == []


def test_every_kind_of_fault_occurs(tmp_path: Path) -> None:
    """So the subjects are not compared on a few kinds only."""
    file, _, lines = spoilt(tmp_path, FAULTY)
    rows = file.read_text().splitlines()
    text = "\n".join(rows[line - 1] for line in lines)
    assert all(cell in text for cell in orders.FAULTS.values() if cell)
    assert len({row.split(",")[0] for row in rows}) < len(rows)
