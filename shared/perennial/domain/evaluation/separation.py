"""How well probabilities separate two classes, from counts that merge over files and workers.

The area under a curve is no mean of row losses, so its rows cannot be summed. What can is a
histogram of the probabilities of each class. Two rows in one bin count as a tie, so that the areas
are those of probabilities rounded to their bin: a tenth of a unit of log-odds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 256
_WIDEST = 14.0  # log-odds: beyond it, a probability is 0 or 1 to six digits
_LEAST = 1e-12
_WITHIN = (np.arange(8) + 0.5) / 8  # places within a bin, whose rows come in any order


@dataclass(frozen=True, slots=True)
class Separation:
    """How many rows of each class got a probability in which bin.

    Attributes:
        counts: by bin, ascending: rows of the first class, and of the second.
    """

    counts: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, positive: ArrayLike, probability: ArrayLike) -> Self:
        """Count N rows.

        Args:
            positive: whether each row is of the second class: shape [N], booleans.
            probability: what the model gave to the second class: shape [N].
        """
        truth = np.asarray(positive, dtype=np.bool_)
        bins = _bins(np.asarray(probability, dtype=np.float64))
        negatives = np.bincount(bins[~truth], minlength=BINS)
        positives = np.bincount(bins[truth], minlength=BINS)
        used = np.flatnonzero(negatives + positives).tolist()
        return cls({place: (int(negatives[place]), int(positives[place])) for place in used})

    @classmethod
    def from_document(cls, triples: Iterable[Sequence[int]]) -> Self:
        """Read the stored form."""
        return cls({place: (negatives, positives) for place, negatives, positives in triples})

    def document(self) -> list[list[int]]:
        """The stored form: bin, rows of the first class, rows of the second."""
        return [[place, *pair] for place, pair in sorted(self.counts.items())]

    def __add__(self, other: Separation) -> Separation:
        """The counts over both sets of rows."""
        merged = dict(self.counts)
        for place, (negatives, positives) in other.counts.items():
            before = merged.get(place, (0, 0))
            merged[place] = (before[0] + negatives, before[1] + positives)
        return Separation(merged)

    def areas(self) -> dict[str, float]:
        """`roc_auc` and `pr_auc` (average precision); empty unless both classes occur.

        Sources: Hanley and McNeil, "The meaning and use of the area under a ROC curve", Radiology
        143 (1982), ties counting half; Davis and Goadrich, "The relationship between
        precision-recall and ROC curves", ICML (2006), for what lies between the points.
        """
        descending = [self.counts[place] for place in sorted(self.counts, reverse=True)]
        negatives, positives = np.array(descending, dtype=np.float64).reshape(-1, 2).T
        total = positives.sum()
        if not total or not negatives.sum():
            return {}
        beaten = negatives.sum() - np.cumsum(negatives)  # negatives that rank below each bin
        ranked = float((positives * (beaten + negatives / 2)).sum())
        before_p, before_n = np.cumsum(positives) - positives, np.cumsum(negatives) - negatives
        found = before_p[:, None] + positives[:, None] * _WITHIN
        wrong = before_n[:, None] + negatives[:, None] * _WITHIN
        precision = (found / np.maximum(found + wrong, _LEAST)).mean(axis=1)
        return {
            "roc_auc": ranked / float(total * negatives.sum()),
            "pr_auc": float((positives / total * precision).sum()),
        }


def _bins(probability: NDArray[np.float64]) -> NDArray[np.int64]:
    sure = np.clip(probability, _LEAST, 1 - _LEAST)
    log_odds = np.clip(np.log(sure) - np.log1p(-sure), -_WIDEST, _WIDEST)
    places: NDArray[np.int64] = ((log_odds + _WIDEST) / (2 * _WIDEST) * (BINS - 1)).round()
    return places.astype(np.int64)
