"""The policies that a replay tries: when to train, on what, and what lets a new model serve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from perennial.domain.definitions.definition import Definition
from perennial.domain.definitions.recipe import Window
from perennial.domain.replaying.fits import Fit
from perennial.domain.words import counted
from perennial.errors import RefusedError

Promotion = Literal["none", "duel", "duel+probation"]
PROMOTIONS: tuple[Promotion, ...] = ("none", "duel", "duel+probation")

FIRST_SHARE = 0.15
"""Of the files are for training only, where nobody says how many."""

MIN_SCORED = 8
"""Fewest files that a replay can say anything on."""

_MAX_TRAININGS = 100  # of one window: a longer history is retrained less often by default
_CADENCES = (1, 2, 4, 13)
_WINDOWS = (8, 26, 52)


@dataclass(frozen=True, slots=True)
class Policy:
    """One way to keep a model.

    Attributes:
        every: files between trainings; None for a model that is trained once.
        window: newest files that a training learns; None for all.
        promotion: what lets a new model serve.
    """

    every: int | None
    window: int | None = None
    promotion: Promotion = "none"

    @property
    def name(self) -> str:
        """What people call it."""
        if self.every is None:
            return "static"
        span = "all history" if self.window is None else f"last {counted(self.window, 'file')}"
        often = "every file" if self.every == 1 else f"every {self.every} files"
        gate = "" if self.promotion == "none" else f", {self.promotion.replace('+', ' and ')}"
        return f"{often}, {span}{gate}"


STATIC = Policy(every=None)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a replay tries.

    Attributes:
        files: of the history.
        first: how many of them are for training only.
        cadences: files between trainings, ascending.
        windows: files that a training learns, ascending; all history is tried too.
        horizon: files after its training on which a model is followed.
    """

    files: int
    first: int
    cadences: tuple[int, ...]
    windows: tuple[int, ...]

    @property
    def scored(self) -> range:
        """The files on which policies are compared."""
        return range(self.first, self.files)

    @property
    def horizon(self) -> int:
        """How many files after its training a model is followed."""
        return max(26, 2 * self.cadences[-1])

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Every policy without a gate, the static one first."""
        spans: tuple[int | None, ...] = (*self.windows, None)
        return (STATIC, *(Policy(every, span) for span in spans for every in self.cadences))

    def trained_at(self, every: int) -> range:
        """The files before which a policy trains."""
        return range(self.first, self.files, every)

    @property
    def wanted(self) -> dict[Fit, int]:
        """Every distinct fit of the policies without a gate, and how far it is followed."""
        found: dict[Fit, int] = {static_fit(self): self.files}
        for policy in self.policies[1:]:
            for file in self.trained_at(policy.every or 1):
                fit = Fit(learnable(range(file), policy.window))
                # Followed as far as any policy needs it, so that growth leaves old fits valid.
                followed = min(self.files, file + self.horizon)
                found[fit] = max(found.get(fit, 0), followed)
        return found


def static_fit(plan: Plan) -> Fit:
    """The one training of the static policy."""
    return Fit(tuple(range(plan.first)))


def learnable(files: Sequence[int], window: int | None) -> tuple[int, ...]:
    """The newest of these files that a window lets a model learn."""
    return tuple(files if window is None else files[-window:])


def make_plan(
    definition: Definition,
    rows: Sequence[int],
    *,
    first: int | None = None,
    cadences: Sequence[int] = (),
    windows: Sequence[int] = (),
) -> Plan:
    """Decide what to try.

    Args:
        definition: its own window and trigger are tried too.
        rows: how many rows each file has, in order.
        first: files for training only; about a seventh when None, enough for `training.min_rows`.
        cadences: files between trainings; 1, 2, 4 and 13 when empty, in larger steps where the
            history is long.
        windows: in files; when empty as many as `first`, 8, 26 and 52, as far as the history
            goes.

    Raises:
        RefusedError: when too few files are left to score, or none is left after a cadence.
    """
    files = len(rows)
    if first is None:
        first = max(1, round(FIRST_SHARE * files))
        while first < files and sum(rows[:first]) < definition.training.min_rows:
            first += 1
    if files - first < MIN_SCORED:
        raise RefusedError(
            f"a replay needs {MIN_SCORED} files after the first {first}, which are for training "
            f"only; found {counted(files, 'accepted file')}"
        )
    step = math.ceil((files - first) / _MAX_TRAININGS)
    own_cadence, own_window = _own(definition)
    limit = files - first
    if cadences and max(cadences) >= limit:
        raise RefusedError(
            f"a model that is trained every {max(cadences)} files would be trained once on the "
            f"{limit} files that are scored: give fewer"
        )
    chosen = set(cadences) or {step * n for n in _CADENCES if 2 * step * n <= limit} | own_cadence
    spans = set(windows) or {first, *_WINDOWS} | own_window
    return Plan(
        files=files,
        first=first,
        cadences=tuple(sorted(n for n in chosen if n < limit)) or (1,),
        # A window that never lets anything go is all history.
        windows=tuple(sorted(n for n in spans if n < files - 1)),
    )


def _own(definition: Definition) -> tuple[set[int], set[int]]:
    """The definition's own cadence and window, where they are in files."""
    training = definition.training
    cadence = {training.trigger.files} if training.trigger.files else set()
    window = training.window.files if isinstance(training.window, Window) else None
    return cadence, {window} if window else set()
