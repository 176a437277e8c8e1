"""Checks histories of concurrent clients of one registry: `python -m tests.linearizability`.

Each history is that of two to eight clients in threads, over a store in memory that yields at every
call and at times answers nobody for a while, after a write has landed or before.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

from perennial.adapters.memory import MemoryStore
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import Commit
from perennial.errors import StoreUnavailable
from perennial.workflows.registry import Registry
from tests.calls import Calls, Watched
from tests.integration.registry.checking import violations
from tests.integration.registry.promoters import PIPELINE, Belief, HurriedClock, Promoter

ACTS = 20
OUTAGES = (0, 2, 5, 20)
"""Calls in a row without an answer after the first: the last are more than anybody tries again."""

FAILS = {"create": 0.02, "replace": 0.2}
"""How often it begins at such a call: a commit is most often in doubt."""


class Unreliable(Watched):
    """A connection that fails for a while, at a write that has landed or has not.

    Args:
        store: the bucket.
        chance: decides when.
    """

    def __init__(self, store: MemoryStore, chance: random.Random) -> None:
        super().__init__(store, Calls(jitter=chance))
        self._chance = chance
        self._out = 0

    def __getattr__(self, method: str) -> Any:
        call = super().__getattr__(method)

        def made(*args: Any, **options: Any) -> Any:
            if self._out > 0:
                self._out -= 1
                self._fail()
            if self._chance.random() >= FAILS.get(method, 0.0):
                return call(*args, **options)
            self._out = self._chance.choice(OUTAGES)
            if self._chance.random() < 0.5:
                call(*args, **options)
            return self._fail()

        return made

    def _fail(self) -> Any:
        raise StoreUnavailable("no answer", bucket=self.bucket, name="")


def history_of(seed: int) -> tuple[list[Commit], dict[str, Manifest], list[Belief]]:
    """One history: the commits, oldest first, what versions state, and what clients believe."""
    store, clients = MemoryStore("models"), 2 + seed % 7

    def race(number: int) -> list[Belief]:
        lost = Unreliable(store, random.Random(f"{seed}/{number}"))
        promoter = Promoter(f"p{number}", lost, 100 * seed + number)  # type: ignore[arg-type]
        return promoter.act(ACTS)

    with ThreadPoolExecutor(clients) as pool:
        beliefs = list(chain.from_iterable(pool.map(race, range(clients))))
    registry = Registry(store, HurriedClock())
    head = registry.head(PIPELINE)
    commits = list(registry.history(PIPELINE))[::-1]
    versions = head.statuses if head else {}
    return commits, {v: registry.manifest(PIPELINE, v) for v in versions}, beliefs


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.linearizability", description=__doc__)
    parser.add_argument("--histories", type=int, default=200)
    options = parser.parse_args()
    outcomes: Counter[str] = Counter()
    commits, landed, wrong = 0, 0, 0
    for seed in range(options.histories):
        history, manifests, beliefs = history_of(seed)
        found = violations(history, manifests, beliefs)
        outcomes.update(belief.outcome for belief in beliefs)
        commits += len(history)
        landed += len(
            {entry.head.commit for entry in history}
            - {one.commit for one in beliefs if one.outcome == "made"}
        )
        wrong += len(found)
        for one in found:
            print(f"history {seed}: {one}", file=sys.stderr)
    operations = outcomes.total()
    print(
        f"{options.histories:,} histories, {operations:,} operations: {outcomes['made']:,} made, "
        f"{outcomes['refused']:,} refused, {outcomes['read']:,} reads, "
        f"{outcomes['unknown']:,} of unknown outcome, {landed:,} of which took effect; "
        f"{commits:,} commits; {wrong} violations"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
