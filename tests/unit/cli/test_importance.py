"""What `perennial versions --explain` says of columns."""

from __future__ import annotations

from perennial.cli.importance import importance_lines

TOLD = {
    "metric": "mae", "loss": 36.123, "rows": 2000, "held_out": 2500, "permutations": 5,
    "columns": [
        {"column": "hour", "rise": 81.2, "low": 70.5, "high": 92.0, "verdict": "helps"},
        {"column": "holiday", "rise": 0.01, "low": -0.02, "high": 0.04, "verdict": "unproven"},
        {"column": "noise", "rise": -2.0, "low": -3.0, "high": -1.0, "verdict": "hurts"},
    ],
    "not_proven_to_help": ["holiday", "noise"],
}  # fmt: skip


def test_people_read_a_table_and_the_columns_that_are_not_proven_to_help() -> None:
    heading, table, conclusion = importance_lines(TOLD)

    assert heading == (
        "columns    each shuffled 5 times among 2,000 held-out rows (the newest of 2,500), where "
        "the challenger's mae is 36.12"
    )
    _, _, hour, holiday, noise = table.splitlines()
    assert [cell.strip() for cell in hour.split("  ") if cell] == [
        "hour", "+81.2", "+70.5 to +92", "helps",
    ]  # fmt: skip
    assert holiday.endswith("not proven to help")
    assert noise.endswith("hurts")
    assert conclusion == "not proven to help: holiday, noise"


def test_versions_without_it_say_nothing() -> None:
    assert list(importance_lines(None)) == []
