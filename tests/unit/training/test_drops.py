"""Dropping with a view to the end: verdicts, held-back training, runs, and giving up in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from perennial.domain.versioning import registry as state
from perennial.errors import PermissionDenied, RefusedError, Unfinished
from perennial.workflows.apply import apply
from perennial.workflows.drop import BACKFILL_CLAIM_SECONDS, Dropper, Upload
from perennial.workflows.queue import accepted_files
from perennial.workflows.status import status
from perennial.workflows.suspects import set_aside
from perennial.workflows.sweep import sweep

DAY = "at,heat,room,open\n" + "".join(
    f"2026-01-{1 + n // 24:02d}T{n % 24:02d}:00:00,{n % 7 - 3}.5,a,{int(n % 7 > 3)}\n"
    for n in range(96)
)


class PassingClock:
    """A clock of which every look takes a while."""

    def __init__(self, clock, seconds: float) -> None:
        self._clock, self._step, self._passed = clock, seconds, 0.0

    def now(self):
        self._passed += self._step
        return self._clock.now() + timedelta(seconds=self._passed)

    def sleep(self, seconds: float) -> None:
        self._passed += seconds


@pytest.fixture
def uploads(tmp_path):
    paths = []
    for number in range(4):
        path = tmp_path / f"{number}.csv"
        path.write_text(DAY.replace("2026-01", f"2026-{number + 1:02d}"))
        paths.append(Upload(path, path.name))
    return paths


class CreateOnly:
    """A landing bucket of a deployment: whoever drops may create and read, and not replace."""

    def __init__(self, store) -> None:
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def overwrite(self, name, data, *, metadata=None):
        if next(self._store.list(name, limit=1), None) is not None:
            raise PermissionDenied(f"{name} exists already", bucket="landing", name=name)
        return self._store.overwrite(name, data, metadata=metadata)


@pytest.fixture
def deployed(taps):
    """A deployment's grants around the pipeline."""
    buckets = taps.trainer.buckets
    buckets = replace(buckets, landing=CreateOnly(buckets.landing))
    taps.trainer = replace(taps.trainer, buckets=buckets)
    return taps


def dropper(taps, clock=None, **options) -> Dropper:
    trainer = taps.trainer
    return Dropper(
        trainer.buckets, trainer.registry, trainer.launcher, clock or trainer.clock, "taps",
        **options,
    )  # fmt: skip


def judge_all(taps):
    trainer = taps.trainer
    return lambda _: sweep(trainer.buckets, trainer.registry, trainer.launcher, trainer.clock)


def test_a_slow_backfill_keeps_training_back_to_its_end(taps, uploads):
    clock = PassingClock(taps.trainer.clock, BACKFILL_CLAIM_SECONDS / 3)
    holders = []

    def look(_):
        judge_all(taps)(_)
        holders.append(taps.head.claim_lives(taps.head.claim.deadline - timedelta(seconds=1)))

    launched = []
    taps.trainer.launcher.launch = lambda pipeline, **_: launched.append(pipeline) or "x"
    dropped = dropper(taps, clock, progress=look).drop(uploads, backfill=True)
    assert [v.decision for v in dropped.verdicts.values()] == ["accepted"] * 4
    assert holders == [True] * 4
    assert taps.head.epoch > 2, "the claim was renewed"
    assert taps.head.claim is None
    assert launched == ["taps"]


def test_a_backfill_does_not_wait_for_a_run_whose_process_is_over(taps, uploads):
    taps.registry.commit(
        "taps",
        lambda head: state.take_claim(
            head, run="dead", now=taps.trainer.clock.now(), seconds=7200, execution="job-9"
        ),
        action="claim",
        by="dead",
    )
    with pytest.raises(RefusedError, match="run dead works on taps"):
        dropper(taps, patience=0.01).drop(uploads, backfill=True)
    taps.trainer.launcher.ended.add("job-9")
    dropped = dropper(taps, progress=judge_all(taps)).drop(uploads, backfill=True)
    assert len(dropped.verdicts) == 4


def test_every_run_that_ended_meanwhile_is_told(taps, uploads):
    def judge_and_train(_):
        judge_all(taps)(_)
        taps.train()

    dropped = dropper(taps, progress=judge_and_train).drop(uploads, wait=True)
    assert [run["version"] for run in dropped.runs] == ["v000001", "v000002", "v000003", "v000004"]


def test_a_file_that_its_run_set_aside_is_told_as_suspect(taps, uploads):
    """The verdict in force at the end, not the one that let it be learned."""

    class Working:
        """While the drop sleeps, a run sets the file aside."""

        now = taps.trainer.clock.now

        def sleep(self, seconds: float) -> None:
            data = taps.trainer.buckets.data
            set_aside(
                data, "taps", accepted_files(data, "taps"), by="run r1", reason="odd",
                decided=self.now(),
            )  # fmt: skip

    dropped = dropper(taps, Working(), progress=judge_all(taps)).drop(uploads[:1], wait=True)
    assert [(v.decision, v.reason) for v in dropped.verdicts.values()] == [("suspect", "odd")]


def test_a_failed_run_ends_the_wait(taps, uploads):
    def judge_and_fail(_):
        judge_all(taps)(_)
        taps.trainer.codec.on_export = lambda: 1 / 0
        with pytest.raises(ZeroDivisionError):
            taps.train()

    dropped = dropper(taps, progress=judge_and_fail).drop(uploads[:1], wait=True)
    assert [run["outcome"] for run in dropped.runs] == ["failed"]
    trainer = taps.trainer
    shown = status(trainer.buckets, trainer.registry, trainer.launcher, trainer.clock, "taps")
    assert "ZeroDivisionError" in shown["alerts"][0]


def test_without_delivery_the_wait_ends_and_says_where_to_look(taps, uploads):
    with pytest.raises(Unfinished, match="4 of the dropped files have no verdict"):
        dropper(taps, patience=0.5).drop(uploads, wait=True)


def test_without_a_job_runner_the_wait_ends_and_says_where_to_look(taps, uploads):
    with pytest.raises(Unfinished, match="is the job runner alive"):
        dropper(taps, patience=0.5, progress=judge_all(taps)).drop(uploads, wait=True)


@pytest.mark.parametrize("name", ["taps/", "taps/sub", "Taps", ""])
def test_a_name_that_cannot_be_a_pipelines_is_refused(taps, uploads, name):
    trainer = taps.trainer
    one = Dropper(trainer.buckets, trainer.registry, trainer.launcher, trainer.clock, name)
    with pytest.raises(RefusedError, match="expected a pipeline's name"):
        one.drop(uploads)


def test_a_definition_that_mends_a_failed_run_starts_another(taps):
    taps.drop(rows=20)
    taps.train(force=True)
    launched = []
    taps.trainer.launcher.launch = lambda pipeline, **how: launched.append(how) or "x"
    trainer = taps.trainer
    parts = (trainer.buckets, trainer.registry, trainer.launcher, trainer.clock)
    apply(*parts, taps.text.replace("min_rows: 40", "min_rows: 10"), by="ada")
    assert launched == [{"force": True}]


def test_another_question_under_the_same_name_is_refused(taps):
    taps.drop()
    taps.train()
    trainer = taps.trainer
    parts = (trainer.buckets, trainer.registry, trainer.launcher, trainer.clock)
    text = taps.text.replace("binary", "regression").replace(", classes: [0, 1]", "")
    with pytest.raises(RefusedError, match="as a new pipeline"):
        apply(*parts, text, by="ada")


def test_a_run_that_died_without_a_record_is_an_alert(taps):
    taps.drop()

    def dies():
        raise KeyboardInterrupt

    taps.trainer.codec.on_export = dies
    with pytest.raises(KeyboardInterrupt):
        taps.train()
    taps.trainer.launcher.ended.add("job-1")
    trainer = taps.trainer
    shown = status(trainer.buckets, trainer.registry, trainer.launcher, trainer.clock, "taps")
    assert "ended without a record" in shown["alerts"][0]


def test_a_drop_that_broke_off_goes_on_where_nobody_may_overwrite(deployed, uploads):
    first = dropper(deployed).drop(uploads[:2])
    again = dropper(deployed).drop(uploads)
    assert again.files[:2] == first.files
    assert len({file.name for file in again.files}) == 4


def test_another_file_of_a_name_that_is_there_is_refused(deployed, uploads):
    dropper(deployed).drop(uploads[:1])
    uploads[0].path.write_text(DAY.replace(",a,", ",b,"))
    with pytest.raises(PermissionDenied, match="exists already"):
        dropper(deployed).drop(uploads[:1])
