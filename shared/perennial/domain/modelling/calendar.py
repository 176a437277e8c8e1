"""Parts of a time that habits follow."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from perennial.domain.modelling.inputs import MISSING_TIME

PARTS = ("hour", "weekday", "month")


class CalendarParts(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Hour (0 to 23), weekday (Monday is 0) and month (1 to 12), in UTC.

    Reads int64 seconds since 1970, shape [N, times], and gives float32 of shape [N, 3 × times],
    NaN where the time is missing.
    """

    def fit(self, x: ArrayLike, y: object = None) -> Self:
        """Learn nothing but the number of columns."""
        self.n_features_in_ = np.shape(x)[1]
        return self

    def transform(self, x: ArrayLike) -> NDArray[np.float32]:
        """The parts of each time, side by side."""
        seconds = np.asarray(x, dtype=np.int64)
        missing = seconds == MISSING_TIME
        days = np.floor_divide(seconds, 86_400)
        months = seconds.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
        parts: list[NDArray[Any]] = [
            np.floor_divide(seconds, 3_600) % 24,
            (days + 3) % 7,  # 1 January 1970 was a Thursday
            months % 12 + 1,
        ]
        stacked = np.stack([np.where(missing, np.nan, part) for part in parts], axis=2)
        return stacked.reshape(len(seconds), -1).astype(np.float32)
