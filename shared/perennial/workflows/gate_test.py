"""Try a gate before it is trusted: let it judge challengers whose quality is known.

They go the way of every challenger: `challenge` holds rows out, says what may be learned, lets the
two meet and decides. Nothing is read or stored, and nothing of scikit-learn is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.gating import learners
from perennial.domain.gating.cases import CASES, Case, GateTest, Trial
from perennial.domain.gating.learners import Table
from perennial.domain.gating.world import World
from perennial.domain.modelling.frames import inputs_of
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.lineage import Batch, Portion, lineage
from perennial.domain.versioning.manifest import Manifest
from perennial.errors import RefusedError
from perennial.workflows.challenge import challenge
from perennial.workflows.loaded import LoadedVersion
from perennial.workflows.rows import portions
from perennial.workflows.stopwatch import Stopwatch

BEFORE_TRUST = range(3)
"""Seeds of the worlds in which a gate must decide rightly before a definition is in force."""

_CHAMPION = "v000001"
_THEN = datetime(2026, 2, 1, tzinfo=UTC)


def try_gate(definition: Definition, seeds: Iterable[int]) -> GateTest:
    """Let the gate of a definition judge each kind of challenger, in a world for each seed.

    Args:
        definition: whose task, metric and promotion settings are tried.
        seeds: of the worlds.
    """
    worlds = (World.make(definition, seed) for seed in seeds)
    return GateTest([_trial(case, world) for world in worlds for case in CASES])


def require_honest_gate(definition: Definition) -> GateTest:
    """Refuse a definition whose gate cannot tell a worse challenger from a better one.

    Raises:
        RefusedError: naming the challenger that was judged wrongly, and the numbers.
    """
    found = try_gate(definition, BEFORE_TRUST)
    if not found.passed:
        raise RefusedError(
            f"the gate of {definition.name} cannot be trusted with promotion.tolerance "
            f"{definition.promotion.tolerance:g} and promotion.min_duel_rows "
            f"{definition.promotion.min_duel_rows}: {found.complaint}; nothing has changed"
        )
    return found


def _trial(case: Case, world: World) -> Trial:
    definition, history = world.definition, world.files
    champion = LoadedVersion(
        manifest=_manifest(world),
        lineage=lineage(history[:1], history[:1]),
        scorer=_Scorer(learners.champion(world)),
    )
    candidate = challenge(
        definition,
        Batch.of(history, champion.lineage),
        _Rows(world),
        champion,
        Stopwatch(_StoppedClock()),
        case.learner(world),
    )
    passes = candidate.status == "approved"
    return Trial.of(case, world.seed, candidate.evaluation["duel"], passes=passes)


class _Rows:
    """The rows of a world, as a `perennial.workflows.contestants.RowSource`."""

    def __init__(self, world: World) -> None:
        stems = (file.file.stem for file in world.files)
        self._frames = dict(zip(stems, world.frames, strict=True))

    def of(self, file: VerdictSummary) -> pd.DataFrame:
        return self._frames[file.file.stem]

    def of_all(self, files: Sequence[VerdictSummary]) -> pd.DataFrame:
        return pd.concat({file.file.stem: self.of(file) for file in files})

    def portions(self, frame: pd.DataFrame) -> tuple[Portion, ...]:
        return portions(frame, {})


class _Scorer:
    """A table of answers, as a `perennial.ports.Scorer`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def predict(self, columns: Mapping[str, Any]) -> NDArray[np.float32]:
        return self._table.predict(columns).astype(np.float32)


class _StoppedClock:
    """Nobody asks how long a trial took."""

    def now(self) -> datetime:
        return _THEN

    def sleep(self, seconds: float) -> None:
        """Go on at once."""


def _manifest(world: World) -> Manifest:
    definition = world.definition
    return Manifest(
        pipeline=definition.name,
        version=_CHAMPION,
        task=definition.task,
        label=definition.label,
        classes=world.classes,
        inputs=inputs_of(definition),
        text="",
        files={},
        run="",
        champion=None,
        definition="",
        trained_rows=world.learned,
        trained_through=world.files[0].order[0],
        created=_THEN,
        seed=definition.training.seed,
    )
