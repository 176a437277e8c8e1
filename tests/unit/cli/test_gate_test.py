"""`perennial gate-test`: what people and scripts read of a gate that was tried."""

from __future__ import annotations

import pytest

from perennial.workflows import challenge as gate

from .conftest import Run

CASES = ["worse", "better", "identical", "shuffled labels", "learned by heart"]


def test_it_shows_what_the_gate_makes_of_each_challenger(flowers: Run) -> None:
    document = flowers("gate-test", "flowers", "--json").json
    told = {key: document[key] for key in ("pipeline", "task", "metric", "tolerance")}

    assert told == {
        "pipeline": "flowers", "task": "binary", "metric": "log_loss", "tolerance": 0.02
    }  # fmt: skip
    assert (document["passed"], document["cases"], document["seeds"]) == (True, 5, 1)
    assert [trial["case"] for trial in document["trials"]] == CASES
    identical = document["trials"][2]
    assert (identical["difference"], identical["low"], identical["high"]) == (0, 0, 0)
    said = flowers("gate-test", "flowers").out
    assert "passes: difference and interval are exactly 0" in said
    assert said.endswith("the gate of flowers decides rightly\n")


def test_it_tries_many_histories(flowers: Run) -> None:
    document = flowers("gate-test", "flowers", "--seeds", "4", "--json").json

    assert document["right"] == dict.fromkeys(CASES, 4)
    assert (
        len({trial["difference"] for trial in document["trials"]}) == 17
    )  # identical: 0 each time


def test_a_gate_that_decides_wrongly_is_code_1_and_named(
    flowers: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = gate.duel
    monkeypatch.setattr(gate, "duel", lambda _, mine, **options: honest(mine, mine, **options))
    ran = flowers("gate-test", "flowers", "--json")

    assert ran.code == 1
    assert ran.document["passed"] is False
    assert ran.document["right"]["worse"] == 0
    (line,) = ran.err.splitlines()
    assert line.startswith(
        "perennial: the gate of flowers cannot be trusted: worse: expected that it does not pass: "
        "all of the interval lies beyond the tolerance, found that it passes: loss +0.0% "
    )
    assert "cannot be trusted" in flowers("gate-test", "flowers").out


def test_a_pipeline_that_was_never_applied_is_named(flowers: Run) -> None:
    assert "roses" in flowers("gate-test", "roses").complaint
