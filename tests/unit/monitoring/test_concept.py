"""Concept drift by Page-Hinkley over the progressive score, file by file."""

from __future__ import annotations

import random

import pytest

from perennial.domain.monitoring.concept import Scored, changed_at, concept_drift


def scored(losses, constants=None) -> list[Scored]:
    return [
        Scored(f"{n}-a", f"file{n}.csv", "v000001", loss, constants[n] if constants else None)
        for n, loss in enumerate(losses)
    ]


def noisy(chance, usual: float, count: int, spread: float = 0.12) -> list[float]:
    return [usual * chance.lognormvariate(0, spread) for _ in range(count)]


def test_steady_scores_are_no_drift():
    """A hundred streams of ninety files: one in a thousand files' looks would be ten alarms."""
    false = 0
    for seed in range(100):
        losses = noisy(random.Random(seed), 0.4, 90)
        false += sum(bool([*concept_drift("p", "mae", scored(losses[:n]))]) for n in (30, 60, 90))
    print(f"{false} false alarms in 300 looks")
    assert false == 0


@pytest.mark.parametrize(("times", "within", "least"), [(4.0, 3, 10), (2.0, 4, 10), (1.5, 12, 8)])
def test_the_worse_it_gets_the_sooner_it_is_found(times, within, least):
    found = 0
    for seed in range(10):
        chance = random.Random(seed)
        losses = noisy(chance, 0.4, 30) + noisy(chance, 0.4 * times, within)
        for symptom in concept_drift("p", "mae", scored(losses)):
            assert symptom.strength >= 1
            assert symptom.evidence["since_file"] in {f"file{n}.csv" for n in range(28, 36)}
            found += 1
    print(f"{times} times the loss: {found} of 10 found within {within} files")
    assert found >= least


def test_one_odd_file_is_no_drift():
    losses = noisy(random.Random(1), 0.4, 40)
    losses[30] = 9.0
    assert changed_at(losses) is None


def test_better_scores_are_no_drift():
    chance = random.Random(2)
    assert not [*concept_drift("p", "mae", scored(noisy(chance, 0.4, 30) + noisy(chance, 0.1, 10)))]


def test_a_loss_that_grows_with_the_labels_is_no_drift():
    """Twice the rentals cost twice the error, for a constant answer too."""
    chance = random.Random(3)
    scale = [1.0] * 30 + [3.0] * 10
    losses = [40 * by * chance.lognormvariate(0, 0.1) for by in scale]
    assert [*concept_drift("p", "mae", scored(losses))]
    assert not [*concept_drift("p", "mae", scored(losses, [100 * by for by in scale]))]


def test_it_is_over_once_the_score_is_as_it_was():
    chance = random.Random(4)
    losses = noisy(chance, 0.4, 30) + noisy(chance, 1.6, 6)
    assert [*concept_drift("p", "mae", scored(losses))]
    losses += noisy(chance, 0.4, 3)
    assert not [*concept_drift("p", "mae", scored(losses))]


def test_after_two_dozen_files_it_is_what_is_usual():
    chance = random.Random(5)
    losses = noisy(chance, 0.4, 30) + noisy(chance, 1.6, 26)
    assert not [*concept_drift("p", "mae", scored(losses))]
    losses += noisy(chance, 6.4, 4)
    [symptom] = concept_drift("p", "mae", scored(losses))
    assert symptom.evidence["since_file"] in {f"file{n}.csv" for n in range(55, 58)}
