"""A drop that is waited for comes back when its predictions are there."""

from __future__ import annotations

import pytest

from perennial.errors import Unfinished
from perennial.workflows.batch.queue import list_scored
from perennial.workflows.batch.scoring import score_waiting
from perennial.workflows.drop import Dropped, Dropper, Upload
from perennial.workflows.sweep import sweep
from tests.unit.batch.conftest import visits


class Working:
    """While the drop sleeps, the job scores what waits."""

    def __init__(self, taps) -> None:
        self._taps = taps
        self.slept = 0
        self.now = taps.trainer.clock.now

    def sleep(self, seconds: float) -> None:
        self.slept += 1
        list(score_waiting(self._taps.trainer, "taps"))


@pytest.fixture
def drop(taps, tmp_path):
    """Drops a file to be scored and waits; it is judged at once."""
    trainer = taps.trainer

    def judge(_: str) -> None:
        sweep(trainer.buckets, trainer.registry, trainer.launcher, trainer.clock)

    def drop(clock, text: str = visits(30)) -> Dropped:
        path = tmp_path / "feb.csv"
        path.write_text(text)
        dropper = Dropper(
            trainer.buckets, trainer.registry, trainer.launcher, clock, "taps",
            patience=0.5, progress=judge,
        )  # fmt: skip
        return dropper.drop([Upload(path, "score/feb.csv")], wait=True)

    return drop


def test_it_is_there_when_the_wait_ends(taps, drop):
    taps.drop()
    taps.train()
    clock = Working(taps)

    dropped = drop(clock)

    assert clock.slept == 1
    (scored,) = list_scored(taps.trainer.buckets.data, "taps")
    assert ([scored.file], scored.rows) == (dropped.files, 30)


def test_without_a_champion_nothing_is_waited_for(taps, drop):
    clock = Working(taps)

    (verdict,) = drop(clock).verdicts.values()

    assert (verdict.decision, clock.slept) == ("to_score", 0)


def test_a_file_that_is_quarantined_is_not_waited_for(taps, drop):
    taps.drop()
    taps.train()
    clock = Working(taps)

    (verdict,) = drop(clock, "at,heat\nx,y\n").verdicts.values()

    assert (verdict.decision, clock.slept) == ("quarantined", 0)


def test_without_a_job_runner_the_wait_ends_and_says_where_to_look(taps, drop):
    taps.drop()
    taps.train()

    with pytest.raises(Unfinished, match="1 of the dropped files wait to be scored: is the job"):
        drop(taps.trainer.clock)
