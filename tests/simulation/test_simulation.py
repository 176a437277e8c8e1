"""Hundreds of seeded deployments keep every invariant; the harness finds what is broken."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from perennial.domain.versioning import registry as transitions
from perennial.workflows import deciding, verdicts
from perennial.workflows.registry import Registry
from perennial.workflows.sweep import _Decisions
from perennial.workflows.writing import Written
from tests.simulation.__main__ import KEPT
from tests.simulation.minimising import minimised
from tests.simulation.plan import FAULTS, Plan
from tests.simulation.running import Outcome, run

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 200
SHARDS = 20


@pytest.fixture(autouse=True)
def quiet():
    """Thousands of failures are logged, all of them on purpose."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_invariant_holds_at_rest(shard):
    for seed in range(shard, SEEDS, SHARDS):
        outcome = run(Plan.draw(seed))
        assert outcome.broken == [], f"python -m tests.simulation --from {seed} --trace"


def test_the_seeds_meet_every_kind_of_fault_and_get_somewhere():
    plans = [Plan.draw(seed) for seed in range(SEEDS)]
    assert {kind for plan in plans for _, _, kind in plan.faults} == set(FAULTS)
    counts = run(plans[1]).counts
    assert counts["champions"] > 1
    assert counts["events doubled"] > 0
    assert counts["events lost"] > 0
    assert counts["deaths"] > 0


@pytest.mark.parametrize("file", sorted(KEPT.glob("*.json")), ids=lambda file: file.stem)
def test_what_once_failed_holds(file):
    assert run(Plan.from_json(file.read_text())).broken == []


def test_a_seed_does_the_same_in_every_process():
    told = [_traced(hash_seed) for hash_seed in ("1", "2")]
    assert told[0] == told[1]
    assert b"all is well" in told[0]


def _traced(hash_seed: str) -> bytes:
    command = [sys.executable, "-m", "tests.simulation", "--from", "1", "--trace"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, check=True
    ).stdout


def _overwritten(store, name, data, **options):
    """A write-once object that is written whatever lies there."""
    options.pop("content_type", None)
    return Written(store.overwrite(name, data, **options), data, mine=True)


DEFECTS = {
    "blind to its own commit": (Registry, "_is_mine", lambda self, head: False),
    "commits without a claim": (transitions, "require_claim", lambda head, epoch: None),
    "verdicts overwritten": (verdicts, "create_once", _overwritten),
    "no sweep": (_Decisions, "lacking", lambda self, files, *, defined: []),
    "contents without an owner": (deciding, "own", lambda *_: None),
}


@pytest.mark.parametrize("defect", sorted(DEFECTS))
def test_a_defect_is_found(defect, monkeypatch):
    monkeypatch.setattr(*DEFECTS[defect])
    assert _failure(defect).broken


def test_a_failing_seed_is_made_small(monkeypatch):
    monkeypatch.setattr(*DEFECTS["no sweep"])
    plan = next(plan for plan in map(Plan.draw, range(50)) if run(plan).broken)
    small = minimised(plan, lambda smaller: bool(run(smaller).broken))
    assert len(small.elements) < len(plan.elements)
    assert run(small).broken
    for element in small.elements:
        assert not run(small.without([element])).broken, element
    assert Plan.from_json(small.to_json()) == small


def _failure(defect: str) -> Outcome:
    """Of the plan that is kept for it, or, where calls have moved since, of some seed."""
    kept = Plan.from_json((KEPT / f"{defect.replace(' ', '-')}.json").read_text())
    for plan in (kept, *map(Plan.draw, range(100))):
        outcome = run(plan)
        if outcome.broken:
            return outcome
    pytest.fail("no seed found it")
