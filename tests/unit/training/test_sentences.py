"""What a run, its versions and their history say to people is true of what happened."""

from __future__ import annotations

from perennial.domain import names
from perennial.workflows.promotion import rollback


def pinned_with_one_that_waits(taps) -> str:
    """Two champions, a rollback to the first, and a third version that passed since."""
    for _ in range(2):
        taps.drop()
        taps.train()
    rollback(taps.registry, taps.trainer.clock, "taps", "v000001", by="ada", why="a bad feeling")
    taps.drop()
    (record,) = taps.train()
    assert record.outcome == "waiting_approval"
    return record.version


def test_a_version_that_waits_behind_a_pin_is_said_to_pass_and_nowhere_to_be_promoted(taps):
    version = pinned_with_one_that_waits(taps)

    entry = next(taps.registry.history("taps"))
    card = taps.registry.models.read(names.version("taps", version, "card.md")).data.decode()

    assert ", passes: " in entry.why
    assert "lower than v000001's" in entry.why or "higher than v000001's" in entry.why
    assert entry.why in card
    for text in (entry.why, card):
        assert "promoted" not in text
        assert "approved" not in text


def test_a_first_version_names_a_constant_predictor_as_its_opponent(taps):
    taps.drop()
    (record,) = taps.train()

    assert record.reason.startswith("inconclusive, passes: ")  # of 20 rows
    assert "lower than a constant predictor's" in record.reason
