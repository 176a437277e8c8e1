"""Clients that change one registry at the same time, and remember what they believe of it.

Each acts at random, by a seed of its own, as runs and people do: claims and judges, approves, rolls
back, unpins, recalls. All go through the workflows and transitions that really do so; only the
models are missing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from perennial.adapters.clock import SystemClock
from perennial.domain.versioning import recalling
from perennial.domain.versioning import registry as state
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import Head, Status
from perennial.errors import ClaimLost, CommitConflict, StoreUnavailable, UserError
from perennial.ports import ObjectStore
from perennial.workflows import promotion
from perennial.workflows.claims import claim
from perennial.workflows.registry import Registry

PIPELINE = "shop"
HURRY = 50.0
"""How much faster than in earnest a client comes back after a lost race."""

CLAIM_SECONDS = (0.0, 0.0, 0.01, 0.05)
"""So short that many a run goes on as a zombie, whose commits must not land."""


STATUSES: tuple[Status, ...] = ("approved", "waiting", "rejected")


class HurriedClock(SystemClock):
    """The real time, with short sleeps."""

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / HURRY)


class NobodyEnds:
    """A platform that starts nothing and knows of no execution that is over."""

    def launch(self, pipeline: str, *, force: bool = False) -> str:
        raise AssertionError("nothing is launched here")

    def launch_rebuild(self, pipeline: str, version: str) -> str:
        raise AssertionError("nothing is launched here")

    def has_ended(self, execution: str) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Belief:
    """What a client believes of one commit that it tried to make.

    Attributes:
        by: who tried: a run, or a person of whom nothing else is told.
        outcome: `made`, `refused` by the rules, or `unknown`: the store never answered. Or `read`:
            the head was looked at.
        commit: its id, where it was made, or where it was read; empty before the first.
        action: what was tried, in the words of the history; a judgement is `judge` also where it
            promotes.
        began, ended: nanoseconds on the machine's clock, which all its processes share.
    """

    by: str
    outcome: Literal["made", "refused", "unknown", "read"]
    commit: str = ""
    action: str = ""
    began: int = 0
    ended: int = 0


@dataclass(slots=True)
class Promoter:
    """One client.

    Args:
        name: its own.
        models: the registry's bucket, by a connection of its own.
        seed: of its choices.
    """

    name: str
    models: ObjectStore
    seed: int
    beliefs: list[Belief] = field(default_factory=list)
    _clock: HurriedClock = field(default_factory=HurriedClock)
    _acts: int = 0

    def act(self, times: int) -> list[Belief]:
        """Apply, as whoever comes first must, then do so many things; what it believes of them."""
        self._apply()
        chance = random.Random(self.seed)
        deeds = (
            self._run_somehow, self._approve, self._rollback, self._unpin, self._recall,
            self._reject, self._pin, self._hold, self._apply_another, self._read,
        )  # fmt: skip
        for deed in chance.choices(deeds, weights=(12, 3, 2, 4, 1, 1, 1, 2, 1, 6), k=times):
            self._acts += 1
            deed(chance)
        return self.beliefs

    def run(self, status: Status, seconds: float = 60.0) -> None:
        """As `workflows.train` does: claim, make a version, judge it, again after a conflict.

        Args:
            status: what its gate says of the version.
            seconds: how long its claim lives.
        """
        self._acts += 1
        run = self._by
        head = self._try(f"run {run}", "claim", lambda: claim(
            self._registry, NobodyEnds(), self._clock, PIPELINE, run, seconds=seconds
        ))  # fmt: skip
        while head is not None:
            try:
                head = self._judge(head, run, status)
            except CommitConflict:
                head = self._still(head.epoch)
            except StoreUnavailable:
                return  # the run dies over its version's files; its claim runs out
            else:
                break
        if head is not None:
            change = partial(state.release_claim, epoch=head.epoch, run=run, recalls=head.recalls)
            self._try(f"run {run}", "release", lambda: self._registry.commit(
                PIPELINE, change, action="release", by=f"run {run}"
            ))  # fmt: skip

    def _still(self, epoch: int) -> Head | None:
        """The head, while the claim of this epoch is in it; None also without an answer."""
        try:
            latest = self._registry.require(PIPELINE)
        except StoreUnavailable:
            return None
        return latest if _holds(latest, epoch) else None

    @property
    def _registry(self) -> Registry:
        return Registry(self.models, self._clock)

    @property
    def _by(self) -> str:
        return f"{self.name}-{self._acts}"

    def _try(self, by: str, action: str, deed: Callable[[], Head]) -> Head | None:
        """Try a commit, and note what became of it as far as this client can tell."""
        began = time.monotonic_ns()

        def note(outcome: Literal["made", "refused", "unknown"], commit: str = "") -> None:
            ended = time.monotonic_ns()
            self.beliefs.append(Belief(by, outcome, commit, action, began, ended))

        try:
            head = deed()
        except (UserError, ClaimLost):
            note("refused")
        except CommitConflict:
            note("refused")
            raise
        except StoreUnavailable:
            note("unknown")
        else:
            note("made", head.commit)
            return head
        return None

    def _read(self, chance: random.Random) -> None:
        """Look at the head, and note which it is."""
        began = time.monotonic_ns()
        with suppress(StoreUnavailable):
            head = self._registry.head(PIPELINE) or Head(PIPELINE)
            ended = time.monotonic_ns()
            self.beliefs.append(Belief(self._by, "read", head.commit, "read", began, ended))

    def _reject(self, chance: random.Random) -> None:
        self._try(self._by, "reject", lambda: promotion.reject(
            self._registry, PIPELINE, None, by=self._by, why="no"
        ))  # fmt: skip

    def _pin(self, chance: random.Random) -> None:
        self._try(self._by, "pin", lambda: promotion.pin(
            self._registry, self._clock, PIPELINE, by=self._by, why="calm"
        ))  # fmt: skip

    def _hold(self, chance: random.Random) -> None:
        """Claim and give back, as a backfill does."""
        run = self._by
        head = self._try(f"run {run}", "claim", lambda: claim(
            self._registry, NobodyEnds(), self._clock, PIPELINE, run, seconds=0.05
        ))  # fmt: skip
        if head is not None:
            change = partial(state.release_claim, epoch=head.epoch)
            self._try(f"run {run}", "release", lambda: self._registry.commit(
                PIPELINE, change, action="release", by=f"run {run}"
            ))  # fmt: skip

    def _apply_another(self, chance: random.Random) -> None:
        change = partial(state.apply_definition, digest=f"{chance.randrange(3)}")
        self._try(self._by, "apply", lambda: self._registry.commit(
            PIPELINE, change, action="apply", by=self._by
        ))  # fmt: skip

    def _apply(self) -> None:
        self._try(self._by, "apply", lambda: self._registry.commit(
            PIPELINE, lambda head: head, action="apply", by=self._by
        ))  # fmt: skip

    def _run_somehow(self, chance: random.Random) -> None:
        (status,) = chance.choices(STATUSES, weights=(5, 3, 1))
        self.run(status, chance.choice(CLAIM_SECONDS))

    def _judge(self, head: Head, run: str, status: Status) -> Head | None:
        registry = self._registry
        version = registry.reserve_version(PIPELINE, run)
        registry.write_version(manifest(version, run, head), {})
        change = partial(
            state.judge_version, version=version, status=status, epoch=head.epoch,
            against=head.champion, definition=head.definition, recalls=head.recalls,
        )  # fmt: skip
        return self._try(f"run {run}", "judge", lambda: registry.commit(
            PIPELINE, change, by=f"run {run}", version=version,
            action=lambda after: "promote" if after.champion == version else "judge",
        ))  # fmt: skip

    def _approve(self, chance: random.Random) -> None:
        self._try(self._by, "approve", lambda: promotion.approve(
            self._registry, PIPELINE, None, by=self._by, why="looks right"
        ))  # fmt: skip

    def _rollback(self, chance: random.Random) -> None:
        try:
            head = self._registry.head(PIPELINE) or Head(PIPELINE)
        except StoreUnavailable:
            return
        to = chance.choice([None, *sorted(head.approved)])
        self._try(self._by, "rollback", lambda: promotion.rollback(
            self._registry, self._clock, PIPELINE, to, by=self._by, why="a feeling"
        ))  # fmt: skip

    def _unpin(self, chance: random.Random) -> None:
        self._try(self._by, "unpin", lambda: promotion.unpin(self._registry, PIPELINE, by=self._by))

    def _recall(self, chance: random.Random) -> None:
        """Of the versions of that very head, a file of the latest has tainted a few."""
        latest = chance.choice((1, 2, 3))
        flag = chance.random() < 0.2

        def change(head: Head) -> Head:
            tainted = sorted(head.statuses)[-latest:]
            return recalling.recall(head, tainted, relearn=True, without_champion=flag)

        self._try(self._by, "recall", lambda: self._registry.commit(
            PIPELINE, change, action="recall", by=self._by, why="cents",
            version=lambda after: after.champion,
        ))  # fmt: skip


def _holds(head: Head, epoch: int) -> bool:
    return head.claim is not None and head.claim.epoch == epoch


def manifest(version: str, run: str, head: Head) -> Manifest:
    """What a run states of a version, before its judgement: which champion it met, and when."""
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    return Manifest(
        pipeline=PIPELINE, version=version, task="binary", label="bought", classes=(False, True),
        inputs=(), text="", files={}, run=run, champion=head.champion, definition=head.definition,
        trained_rows=1, trained_through=long_ago, created=long_ago, seed=0,
        environment={"recalls": str(head.recalls)},
    )  # fmt: skip
