"""Challengers of known quality, for a `World`: how each is made of the rows that it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.scoring import Constant
from perennial.domain.gating.world import KIND, KINDS, LABEL, ROW, World
from perennial.domain.modelling.labels import Classes

BETTER = 0.8
"""The loss of a better challenger, of the champion's."""

BEYOND = 1.25
"""The loss of a worse challenger, of the largest loss that is tolerated."""

_CHAMPION, _CHALLENGER, _SHUFFLE, _BY_HEART = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Table:
    """A model that looks its answers up by one column.

    Attributes:
        column: whose values are places in `known`.
        known: an answer for each of its values.
        classes: empty for regression.
    """

    column: str
    known: NDArray[np.float64]
    classes: Classes

    def predict(self, rows: pd.DataFrame | Mapping[str, Any]) -> NDArray[np.float64]:
        """Answer N rows: shape [N] for regression, probabilities [N, classes] otherwise."""
        places = np.asarray(rows[self.column]).astype(np.int64)
        return np.asarray(self.known[places])


Learner = Callable[..., Table]
"""As `perennial.domain.modelling.training.fit`: from a definition and rows to a model."""


def champion(world: World) -> Table:
    """It knows the rows that it has learned by heart, and of others as much as `CHAMPION` says."""
    known = world.answers(1.0, stream=_CHAMPION)
    known[: world.learned] = world.answers(0.0, stream=_CHAMPION)[: world.learned]
    return Table(ROW, known, world.classes)


def worse(world: World) -> Learner:
    """Its loss is a quarter above the largest that is tolerated, whatever it is given to learn."""
    return _always(world, _tolerated(world) * BEYOND)


def better(world: World) -> Learner:
    """Its loss is a fifth below the champion's, whatever it is given to learn."""
    return _always(world, BETTER)


def identical(world: World) -> Learner:
    """It is the champion once more."""
    return lambda *_, **__: champion(world)


def shuffled(world: World) -> Learner:
    """It learns how labels follow kinds, from labels that were shuffled: nothing, that is."""

    def learn(definition: Definition, rows: pd.DataFrame, **_: str) -> Table:
        chance = np.random.default_rng([world.seed, 1 + _SHUFFLE])
        return by_kind(definition, rows.assign(**{LABEL: chance.permutation(rows[LABEL])}))

    return learn


def memoriser(world: World) -> Learner:
    """It knows what it has learned by heart, and is as bad as the worse one on all other rows."""

    def learn(_: Definition, rows: pd.DataFrame, **__: str) -> Table:
        known = world.answers(_tolerated(world) * BEYOND, stream=_BY_HEART)
        learned = rows[ROW].to_numpy().astype(np.int64)
        known[learned] = world.answers(0.0, stream=_BY_HEART)[learned]
        return Table(ROW, known, world.classes)

    return learn


def by_kind(definition: Definition, rows: pd.DataFrame, **_: str) -> Table:
    """An honest learner: the best constant answer for the rows of each kind."""
    labels, kinds = rows[LABEL].to_numpy(), rows[KIND].to_numpy()
    parts = [Constant.fit(definition, labels[kinds == kind]) for kind in range(KINDS)]
    known = np.concatenate([part.predict(1) for part in parts])
    return Table(KIND, known, parts[0].classes)


def _always(world: World, loss: float) -> Learner:
    model = Table(ROW, world.answers(loss, stream=_CHALLENGER), world.classes)
    return lambda *_, **__: model


def _tolerated(world: World) -> float:
    """The largest loss that still counts as not worse, of the champion's."""
    return 1 + world.definition.promotion.tolerance
