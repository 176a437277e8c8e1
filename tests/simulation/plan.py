"""What happens in one simulated deployment, as data: the same plan gives the same run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Self

FAULTS = ("refused", "unanswered", "retried", "slow", "lost", "lost_after", "dies", "dies_after")
"""What can befall a call to the outside.

refused: it fails, and nothing happened. unanswered: it happened, and fails. retried: it happened,
its answer was lost, and the client's retry is told that somebody was first. slow: minutes pass.
lost, lost_after: the caller waits for ever, before or after it happened. dies, dies_after: the
process ends there.
"""

_OPERATIONS = {
    "drop": 10, "drop again": 2, "drop over": 2, "drop bad": 3, "drop partly bad": 2,
    "drop flipped": 2, "drop late": 1, "drop astray": 1,
    "predict": 5, "sweep": 2, "wait": 2, "apply": 1,
    "rollback": 1, "pin": 1, "unpin": 2, "approve": 2, "reject": 1, "retrain": 1, "recall": 1,
    "retry": 2, "release": 2, "discard": 1, "repair": 1, "restart predict": 1,
}  # fmt: skip

_TASKS = 60  # about so many tasks may meet a fault
_TROUBLED = 0.35  # of them


@dataclass(frozen=True, slots=True)
class Plan:
    """One run.

    Attributes:
        seed: of every turn and choice while it runs.
        settings: lines of the pipeline's definition.
        operations: what is begun, in this order, whenever their turn comes.
        faults: (task, call, kind): what befalls the call-th call of a task, each counted from its
            own start.
    """

    seed: int
    settings: str
    operations: tuple[str, ...]
    faults: tuple[tuple[int, int, str], ...]

    @classmethod
    def draw(cls, seed: int) -> Self:
        """A plan by chance."""
        chance = Random(f"plan {seed}")
        weighed = [*_OPERATIONS.items()]
        settings = (
            f"promotion: {{mode: {chance.choice(['automatic', 'automatic', 'manual'])}}}\n"
            f"rows: {{max_bad_row_fraction: {chance.choice([0, 0.3])}}}\n"
        )
        operations = chance.choices(
            [name for name, _ in weighed],
            [weight for _, weight in weighed],
            k=chance.randint(6, 16),
        )
        return cls(
            seed=seed,
            settings=settings,
            operations=("drop", *operations),
            faults=tuple(
                (task, 1 + int(chance.expovariate(1 / 9)), chance.choice(FAULTS))
                for task in range(_TASKS)
                if chance.random() < _TROUBLED
            ),
        )

    def without(self, elements: Sequence[tuple[str, int]]) -> Plan:
        """The same plan, some operations and faults left out, named by kind and place."""
        gone = set(elements)
        return Plan(
            self.seed,
            self.settings,
            tuple(o for n, o in enumerate(self.operations) if ("operation", n) not in gone),
            tuple(f for n, f in enumerate(self.faults) if ("fault", n) not in gone),
        )

    @property
    def elements(self) -> list[tuple[str, int]]:
        """Everything that can be left out."""
        return [("fault", n) for n in range(len(self.faults))] + [
            ("operation", n) for n in range(len(self.operations))
        ]

    def to_json(self) -> str:
        """For a file among those that are kept."""
        return json.dumps(
            {
                "seed": self.seed,
                "settings": self.settings,
                "operations": self.operations,
                "faults": self.faults,
            },
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        read = json.loads(text)
        faults = tuple((task, call, kind) for task, call, kind in read["faults"])
        return cls(read["seed"], read["settings"], tuple(read["operations"]), faults)
