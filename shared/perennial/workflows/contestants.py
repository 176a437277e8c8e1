"""What a challenge asks of rows and of models, and no more: its self-test brings its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.modelling.labels import Classes
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.lineage import Portion


class Contestant(Protocol):
    """A trained model; `perennial.domain.modelling.training.Model` is one."""

    @property
    def classes(self) -> Classes:
        """In the order of its probabilities; empty for regression."""

    def predict(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Answer N typed rows: shape [N] for regression, probabilities [N, classes] otherwise."""


ContestantT = TypeVar("ContestantT", bound=Contestant)
LearnedT_co = TypeVar("LearnedT_co", bound=Contestant, covariant=True)


class Learn(Protocol[LearnedT_co]):
    """Makes a model of rows; `perennial.domain.modelling.training.fit` does."""

    def __call__(
        self, definition: Definition, frame: pd.DataFrame, *, among: str = ""
    ) -> LearnedT_co:
        """Learn from these rows. Raises `NotTrainable`; `among` says which rows they are."""


class RowSource(Protocol):
    """The labelled rows of accepted files; `perennial.workflows.rows.Rows` reads them."""

    def of(self, file: VerdictSummary) -> pd.DataFrame:
        """A file's rows, in the file's order."""

    def of_all(self, files: Sequence[VerdictSummary]) -> pd.DataFrame:
        """Several files' rows, in this order, under the index (stem, row)."""

    def portions(self, frame: pd.DataFrame) -> tuple[Portion, ...]:
        """Which rows of which files a frame from `of_all`, or a part of one, holds, in order."""
