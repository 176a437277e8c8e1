"""An honest gate decides rightly every time; one that was tampered with is found out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from perennial.domain.definitions.definition import Definition
from perennial.domain.gating.cases import CASES
from perennial.errors import RefusedError
from perennial.workflows import challenge as gate
from perennial.workflows.gate_test import BEFORE_TRUST, require_honest_gate, try_gate

Define = Callable[..., Definition]
TASKS = [
    ("binary", "log_loss"),
    ("multiclass", "log_loss"),
    ("regression", "mae"),
    ("regression", "rmse"),
]
SETTINGS = [
    {"tolerance": 0.0},
    {"tolerance": 0.1},
    {"tolerance": 0.5},
    {"min_duel_rows": 10},
    {"min_duel_rows": 200},
    {"training": {"window": {"files": 1}}, "min_duel_rows": 900},
    {"training": {"window": {"days": 0.5}, "freshness": "judged", "seed": 7}},
    {"mode": "manual", "surprise": 0.5, "probation": "return", "floors": {}},
]


@pytest.mark.parametrize(("task", "metric"), TASKS)
def test_it_decides_rightly_100_times_out_of_100(define: Define, task: str, metric: str) -> None:
    found = try_gate(define(task, metric=metric), range(100))
    right = found.document()["right"]
    print(f"\n{task}, {metric}: {right}")
    assert right == dict.fromkeys((case.name for case in CASES), 100), found.complaint


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize(("task", "metric"), [*TASKS, ("binary", "brier"), ("multiclass", "brier")])
def test_it_decides_rightly_with_other_settings(
    define: Define, task: str, metric: str, settings: dict
) -> None:
    found = try_gate(define(task, metric=metric, **settings), range(3))
    assert found.passed, found.complaint


def test_more_duel_rows_than_it_tries_leave_every_duel_inconclusive_and_still_right(
    define: Define,
) -> None:
    found = try_gate(define(min_duel_rows=50_000), [0])
    assert found.passed, found.complaint
    assert {trial.outcome for trial in found.trials} == {"inconclusive"}


def test_the_same_seed_tries_the_same(define: Define) -> None:
    assert try_gate(define(), [7]) == try_gate(define(), [7])
    assert try_gate(define(), [7]) != try_gate(define(), [8])


def wrong_cases(definition: Definition) -> set[str]:
    found = try_gate(definition, BEFORE_TRUST)
    assert not found.passed
    return {trial.case for trial in found.wrong}


@pytest.mark.parametrize(("task", "metric"), TASKS)
class TestASabotagedGate:
    def test_that_compares_the_challenger_with_itself_is_found_out(
        self, define: Define, monkeypatch: pytest.MonkeyPatch, task: str, metric: str
    ) -> None:
        honest = gate.duel
        monkeypatch.setattr(
            gate, "duel", lambda _, challenger, **options: honest(challenger, challenger, **options)
        )
        wrong = wrong_cases(define(task, metric=metric))
        assert wrong == {"worse", "better", "shuffled labels", "learned by heart"}

    def test_that_judges_the_two_on_different_rows_is_found_out(
        self, define: Define, monkeypatch: pytest.MonkeyPatch, task: str, metric: str
    ) -> None:
        honest = gate.duel

        def elsewhere(champion, challenger, **options):
            half = len(champion) // 2
            return honest(champion[:half], challenger[-half:], **options)

        monkeypatch.setattr(gate, "duel", elsewhere)
        assert "identical" in wrong_cases(define(task, metric=metric))

    def test_that_pairs_the_same_rows_wrongly_is_found_out(
        self, define: Define, monkeypatch: pytest.MonkeyPatch, task: str, metric: str
    ) -> None:
        honest = gate.duel
        monkeypatch.setattr(
            gate,
            "duel",
            lambda champion, *rest, **options: honest(champion[::-1], *rest, **options),
        )
        assert "identical" in wrong_cases(define(task, metric=metric))

    def test_whose_challenger_learned_the_rows_it_is_tested_on_is_found_out(
        self, define: Define, monkeypatch: pytest.MonkeyPatch, task: str, metric: str
    ) -> None:
        monkeypatch.setattr(
            gate, "_before", lambda _, batch, rows, held_out: rows.of_all(batch.history)
        )
        assert wrong_cases(define(task, metric=metric)) == {"learned by heart"}

    def test_that_leaves_a_third_of_those_rows_to_the_challenger_is_found_out(
        self, define: Define, monkeypatch: pytest.MonkeyPatch, task: str, metric: str
    ) -> None:
        honest = gate._before

        def leaky(definition, batch, rows, held_out):
            return honest(definition, batch, rows, held_out.drop(held_out.index[::3]))

        monkeypatch.setattr(gate, "_before", leaky)
        assert wrong_cases(define(task, metric=metric)) == {"learned by heart"}

    def test_that_tests_on_what_the_champion_knows_by_heart_is_found_out(
        self, define: Define, monkeypatch: pytest.MonkeyPatch, task: str, metric: str
    ) -> None:
        def known(_, batch, rows, *__):
            return gate._HeldOut(rows.of_all(batch.history).head(300))

        monkeypatch.setattr(gate, "_held_out", known)
        assert "better" in wrong_cases(define(task, metric=metric))

    def test_that_lets_everything_pass_is_found_out(
        self, define: Define, monkeypatch: pytest.MonkeyPatch, task: str, metric: str
    ) -> None:
        honest = gate.duel

        def lenient(*losses, **options):
            return honest(*losses, **options | {"tolerance": 1e9})

        monkeypatch.setattr(gate, "duel", lenient)
        wrong = wrong_cases(define(task, metric=metric))
        assert wrong == {"worse", "shuffled labels", "learned by heart"}

    def test_that_lets_nothing_pass_is_found_out(
        self, define: Define, monkeypatch: pytest.MonkeyPatch, task: str, metric: str
    ) -> None:
        honest = gate.duel
        monkeypatch.setattr(
            gate, "duel", lambda champion, challenger, **o: honest(champion, challenger + 9, **o)
        )
        assert wrong_cases(define(task, metric=metric)) >= {"better", "identical"}


@pytest.mark.parametrize(("task", "metric"), TASKS)
def test_a_tolerance_that_lets_a_model_pass_which_learned_nothing_is_refused(
    define: Define, task: str, metric: str
) -> None:
    with pytest.raises(
        RefusedError,
        match=r"the gate of shop cannot be trusted with promotion.tolerance 0.9 and "
        r"promotion.min_duel_rows 50: shuffled labels: expected that it does not pass, found that "
        r"it passes: loss \+\d\d\.\d% \(.*; tolerance 90.0%\) on 300 rows; nothing has changed",
    ):
        require_honest_gate(define(task, metric=metric, tolerance=0.9))


def test_it_trains_nothing_and_so_needs_no_scikit_learn() -> None:
    program = (
        "import sys; from perennial.workflows import gate_test; "
        "sys.exit([m for m in ('sklearn', 'onnxruntime', 'skl2onnx') if m in sys.modules] or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
