"""A short soak, paced so that champions change and storage fails several times meanwhile."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from tests.bench import load
from tests.bench.soak import FLAT, VERSIONS, Outcome, Plan, Question, soak

PLAN = Plan(2_000, seconds=60, per_second=200, move_seconds=1.0, seed=7)


def test_no_answer_is_wrong_while_everything_around_moves_and_fails(tmp_path: Path) -> None:
    outcome = soak(tmp_path, PLAN)
    assert outcome.wrong == []
    assert outcome.requests >= PLAN.requests
    assert len(outcome.versions) >= PLAN.versions
    kinds = {"new champion", "client trickles", "client goes away", "client never ends"}
    assert kinds <= set(outcome.troubles)
    assert sum(n for kind, n in outcome.troubles.items() if kind.startswith("storage fault")) >= 3
    assert outcome.growth_mib <= FLAT


@pytest.mark.parametrize(
    ("status", "version", "body"),
    [
        (503, "", b"{}"),
        (200, "v000002", b'{"predictions": [1003.0], "model_version": "v000002"}'),
        (200, "v000001", b'{"predictions": [1003.0], "model_version": "v000002"}'),
        (200, "v000099", b'{"predictions": [1003.0], "model_version": "v000099"}'),
        (422, "v000001", b"{}"),
    ],
)
def test_a_wrong_answer_is_found(status: int, version: str, body: bytes) -> None:
    question = Question(Random(1))
    assert question.deserves == 200
    head = f"http/1.1 {status} x\r\nx-model-version: {version}\r\n".encode()
    outcome = Outcome()
    question.check(outcome, load.Answer(status, head, body))
    assert (outcome.wrongs, outcome.requests) == (1, 0)


def test_the_right_answer_is_right() -> None:
    question = Question(Random(1))
    (one,) = json.loads(question.bytes.partition(b"\r\n\r\n")[2])["instances"]
    expected = one["visits"] + (one["age"] or 0) + VERSIONS["v000003"]
    body = json.dumps({"predictions": [expected], "model_version": "v000003"}).encode()
    outcome = Outcome()
    head = b"http/1.1 200 ok\r\nx-model-version: v000003\r\n"
    question.check(outcome, load.Answer(200, head, body))
    assert outcome.wrong == []
    assert outcome.versions == {"v000003": 1}


def test_memory_that_grows_is_seen() -> None:
    flat = Outcome(memory=[(float(t), 80.0 + t % 2) for t in range(60)])
    growing = Outcome(memory=[(float(t), 80.0 + t / 2) for t in range(60)])
    assert abs(flat.growth_mib) < 1
    assert growing.growth_mib == pytest.approx(19.5)
    assert growing.growth_mib > FLAT


def test_versions_cannot_be_mistaken_for_one_another() -> None:
    """They differ by more than any two instances do, so a mixture of two would be seen."""
    assert min(b - a for a, b in pairwise(sorted(VERSIONS.values()))) > 299 + 99
