"""What a gate is tried with, what it must decide, and whether it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from perennial.domain.gating import learners
from perennial.domain.gating.learners import Learner
from perennial.domain.gating.world import World
from perennial.domain.words import counted

Decision = Literal["passes", "does not pass"]


@dataclass(frozen=True, slots=True)
class Case:
    """A challenger, and what an honest gate makes of it.

    Attributes:
        name: what kind of challenger.
        learner: makes it, in a world.
        decision: whether it must pass.
        expected: the same for people, with the numbers that must go with it.
        shows: whether the duel's numbers go with it: its evidence in, yes or no out.
    """

    name: str
    learner: Callable[[World], Learner]
    decision: Decision
    expected: str
    shows: Callable[[Mapping[str, Any]], bool] = lambda _: True


CASES = (
    Case(
        "worse", learners.worse, "does not pass",
        "does not pass: all of the interval lies beyond the tolerance",
        lambda duel: bool(duel["low"] > duel["tolerance"]),
    ),
    Case(
        "better", learners.better, "passes",
        "passes: all of the interval lies below 0",
        lambda duel: bool(duel["high"] < 0),
    ),
    Case(
        "identical", learners.identical, "passes",
        "passes: difference and interval are exactly 0",
        lambda duel: bool(duel["difference"] == duel["low"] == duel["high"] == 0),
    ),
    Case("shuffled labels", learners.shuffled, "does not pass", "does not pass"),
    Case("learned by heart", learners.memoriser, "does not pass", "does not pass"),
)  # fmt: skip
"""The first two find out a gate that compares a challenger with itself, the third one that judges
the two on different rows, the fourth a tolerance so wide that a model passes which learned nothing,
and the last a gate whose challengers have learned the rows that they are tested on."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a gate made of one challenger.

    Attributes:
        case: its name.
        seed: of the world.
        expected: what an honest gate makes of it.
        decision: what this one made of it.
        right: whether that is so.
        outcome, rows, difference, low, high, tolerance: the duel's own numbers.
    """

    case: str
    seed: int
    expected: str
    decision: Decision
    right: bool
    outcome: str
    rows: int
    difference: float | None
    low: float | None
    high: float | None
    tolerance: float

    @classmethod
    def of(cls, case: Case, seed: int, duel: Mapping[str, Any], *, passes: bool) -> Trial:
        """Hold a decision, and the duel behind it, against what the case expects."""
        decision: Decision = "passes" if passes else "does not pass"
        return cls(
            case=case.name,
            seed=seed,
            expected=case.expected,
            decision=decision,
            right=decision == case.decision and duel["difference"] is not None and case.shows(duel),
            outcome=duel["outcome"],
            rows=duel["rows"],
            difference=duel["difference"],
            low=duel["low"],
            high=duel["high"],
            tolerance=duel["tolerance"],
        )

    @property
    def found(self) -> str:
        """What was decided and measured, for people."""
        return f"{self.decision}: {self.numbers}"

    @property
    def numbers(self) -> str:
        """The duel's difference and interval, for people."""
        if self.difference is None:
            return "no rows to judge it on"
        return (
            f"loss {self.difference:+.1%} ({self.low:+.1%} to {self.high:+.1%}; tolerance "
            f"{self.tolerance:.1%}) on {counted(self.rows, 'row')}"
        )


@dataclass(frozen=True, slots=True)
class GateTest:
    """What came of trying a gate."""

    trials: Sequence[Trial]

    @property
    def wrong(self) -> list[Trial]:
        """The trials that it did not decide rightly."""
        return [trial for trial in self.trials if not trial.right]

    @property
    def passed(self) -> bool:
        """Whether it decided rightly every time."""
        return not self.wrong

    @property
    def cases(self) -> int:
        """How many kinds of challengers it decided about."""
        return len({trial.case for trial in self.trials})

    @property
    def complaint(self) -> str:
        """The first wrong decision of each kind, in one line."""
        first = {trial.case: trial for trial in reversed(self.wrong)}
        kinds = [case.name for case in CASES if case.name in first]
        return "; ".join(
            f"{kind}: expected that it {first[kind].expected}, found that it {first[kind].found}"
            for kind in kinds
        )

    def document(self) -> dict[str, Any]:
        """Ready for JSON: whether it may be trusted, how often each case was decided rightly."""
        right = Counter(trial.case for trial in self.trials if trial.right)
        return {
            "passed": self.passed,
            "cases": self.cases,
            "seeds": len({trial.seed for trial in self.trials}),
            "right": {case: right[case] for case in dict.fromkeys(t.case for t in self.trials)},
            "trials": [asdict(trial) for trial in self.trials],
        }
