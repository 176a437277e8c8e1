"""Hundreds of files at once, and one for another pipeline."""

from __future__ import annotations

from tests.chaos.storm import Storm


def test_a_storm_is_learned_once_and_starves_no_other_pipeline() -> None:
    """And no file costs more storage calls, or longer listings, than those before it did."""
    outcome = Storm(400, seed=3).run()

    assert outcome.findings.complaints() == []
    assert outcome.findings.learned == 400
    assert outcome.judged_before < 100
    assert 0 <= outcome.learned_before < 400
    assert outcome.calls[1] <= outcome.calls[0] * 1.5
    assert outcome.listed[1] <= outcome.listed[0] + 5
