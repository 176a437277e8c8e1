"""A predecessor returns into question only when it is surely better, over several files."""

from __future__ import annotations

import numpy as np

from perennial.domain.evaluation.probation import Meeting, best, weigh

RNG = np.random.default_rng(5)


def weighed(served, theirs, *, files=2, rows=1, name="v000001", **options):
    """`rows` of each value, the values spread evenly over so many files."""
    meetings = [
        Meeting(f"file {number}", rows * len(before), before, after)
        for number, (before, after) in enumerate(
            zip(np.array_split(served, files), np.array_split(theirs, files), strict=True)
        )
    ]
    return weigh(name, meetings, **{"min_rows": 50, "seed": 0, **options})


def test_one_file_or_few_rows_say_nothing():
    losses = RNG.gamma(2, 1, 100)
    assert weighed(losses, losses / 2, files=1) is None
    assert weighed(losses[:40], losses[:40] / 2) is None


def test_a_predecessor_of_half_the_loss_is_better_and_its_sentence_says_by_how_much():
    losses = RNG.gamma(2, 1, 400)
    found = weighed(losses, losses / 2)
    assert found.better
    assert np.isclose(found.difference, -0.5)
    assert found.sentence.startswith("v000001 would have done 50% better on the last 2 files")


def test_equal_models_are_never_better_and_a_small_advantage_is_within_the_margin():
    losses = RNG.gamma(2, 1, 400)
    assert not weighed(losses, losses).better
    assert not weighed(losses, losses * 0.97).better


def test_equally_good_models_hardly_ever_alarm():
    alarms = 0
    for seed in range(300):
        chance = np.random.default_rng(seed)
        truth = chance.normal(size=300)
        served, theirs = (np.abs(truth - truth - chance.normal(size=300)) for _ in range(2))
        alarms += weighed(served, theirs).better
    assert alarms <= 6  # one-sided 2.5 % without a margin; measured: 3


def test_sums_over_blocks_of_time_tell_the_same_as_rows():
    served = np.abs(RNG.normal(size=480)) + 1
    theirs = served - 0.5
    blocks = weighed(
        served.reshape(48, 10).sum(axis=1), theirs.reshape(48, 10).sum(axis=1), rows=10
    )
    rows = weighed(served, theirs)
    assert np.isclose(blocks.served_loss, rows.served_loss)
    assert np.isclose(blocks.difference, rows.difference)


def test_a_file_that_nobody_could_predict_does_not_outweigh_a_good_one():
    wrong = RNG.gamma(2, 50, 100)
    good = RNG.gamma(2, 1, 100)
    found = weighed(np.concatenate([wrong, good]), np.concatenate([wrong * 1.02, good * 0.5]))
    assert found.better
    assert np.isclose(found.difference, -0.24)


def test_squared_losses_are_compared_by_their_roots():
    found = weighed(np.full(100, 4.0), np.full(100, 1.0), squared=True)
    assert (found.served_loss, found.predecessor_loss, found.difference) == (2.0, 1.0, -0.5)


def test_the_newest_of_the_best_is_named():
    losses = RNG.gamma(2, 1, 400)
    good, newer, older, same = (
        weighed(losses, losses * factor, name=name)
        for name, factor in (("v4", 0.8), ("v3", 0.52), ("v2", 0.5), ("v1", 1.0))
    )
    assert best([good, newer, older, same]) is newer
    assert best([good, same]) is good
    assert best([same]) is None
