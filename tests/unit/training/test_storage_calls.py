"""The bill in infra/cost.py rests on these counts, so they must be what the workflows really do."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from infra.cost import (
    INGEST_CALLS,
    KEY_CALLS,
    NEW_FILE_CALLS,
    RUN_CALLS,
    SWEEP_CALLS,
    most_segments,
)
from perennial.domain.names import FileId
from perennial.ports import Buckets
from perennial.workflows.ingest import ingest
from perennial.workflows.registry import Registry
from perennial.workflows.sweep import sweep
from perennial.workflows.trainer import Trainer

from .conftest import DEFINITION
from .test_keys import KEYED, drop

CLASS = {
    **dict.fromkeys(("create", "overwrite", "replace", "copy_from", "list"), "A"),
    **dict.fromkeys(("stat", "read", "download"), "B"),
}

STATIC = DEFINITION.replace("min_rows: 40", "min_rows: 40\n  mode: static\n  span: {files: 1}")
STATIC_RUN_CALLS = (11, 18)  # of these one reads the span, whose rows prove nothing
"""Those of a run that predicts one new file, its score included."""


class Counted:
    """A store that counts what the platform would charge for each call."""

    def __init__(self, store, calls: Counter[str]) -> None:
        self._store = store
        self._calls = calls

    def __getattr__(self, name):
        if name in CLASS:
            self._calls[CLASS[name]] += 1
        return getattr(self._store, name)


@pytest.fixture
def calls(taps) -> Counter[str]:
    """What the pipeline's stores were asked, from here on."""
    calls: Counter[str] = Counter()
    taps.trainer = counting(taps.trainer, calls)
    return calls


def counting(trainer: Trainer, calls: Counter[str]) -> Trainer:
    """The same, whose stores count."""
    plain = trainer.buckets
    buckets = Buckets(
        landing=Counted(plain.landing, calls),
        quarantine=Counted(plain.quarantine, calls),
        data=Counted(plain.data, calls),
        models=Counted(plain.models, calls),
    )
    return replace(trainer, buckets=buckets, registry=Registry(buckets.models, trainer.clock))


def counted(calls: Counter[str], work) -> tuple[int, int]:
    calls.clear()
    work()
    return calls["A"], calls["B"]


def test_ingest_calls(taps, calls):
    for _ in range(3):
        taps.drop()
    taps.train()
    parts = taps.trainer
    info = parts.buckets.landing.overwrite("taps/x.csv", b"at,heat,room,open\n2026-02-01,1,a,1\n")
    file = FileId(info.generation, info.name)
    assert (
        counted(
            calls, lambda: ingest(parts.buckets, parts.registry, parts.clock, file, parts.launcher)
        )
        == INGEST_CALLS
    )


@pytest.mark.parametrize("new", [1, 2, 5])
def test_calls_of_a_run(taps, calls, new):
    """By itself, for each new file, and for each file whose rows it reads."""
    taps.drop()
    taps.train()
    for _ in range(new):
        taps.drop()
    made = counted(calls, taps.train)
    own, learned = NEW_FILE_CALLS, 1 + new
    assert made == (RUN_CALLS[0] + own[0] * new, RUN_CALLS[1] + own[1] * new + learned)


@pytest.mark.parametrize("before", [1, 2, 3])
def test_calls_that_key_columns_add_to_a_run(taps, another, before):
    """Beside one for each segment of the index: as many as the number of runs before has bits."""
    made = []
    for pipeline, text in ((another(), KEYED.replace("role: key", "role: ignore")), (taps, KEYED)):
        pipeline.apply(text)
        for day in range(1, before + 1):
            drop(pipeline, day, range(200 * day, 200 * (day + 1)))
            pipeline.train()
        drop(pipeline, before + 1, range(200))
        calls: Counter[str] = Counter()
        pipeline.trainer = counting(pipeline.trainer, calls)
        made.append(counted(calls, pipeline.train))
    plain, keyed = made
    segments = before.bit_count()
    assert keyed == (plain[0] + KEY_CALLS[0], plain[1] + KEY_CALLS[1] + segments)
    assert segments <= most_segments(before)


@pytest.mark.parametrize("later", [0, 1, 12])
def test_calls_of_a_run_of_a_static_pipeline(taps, calls, later):
    """They do not grow with the files that its model has predicted before."""
    taps.apply(STATIC)
    taps.drop()
    for _ in range(later):
        taps.drop()
    taps.train()
    taps.drop()
    assert counted(calls, taps.train) == STATIC_RUN_CALLS


def test_calls_of_an_idle_sweep(taps, calls):
    taps.drop()
    taps.train()
    parts = taps.trainer
    assert (
        counted(calls, lambda: sweep(parts.buckets, parts.registry, parts.launcher, parts.clock))
        == SWEEP_CALLS
    )
