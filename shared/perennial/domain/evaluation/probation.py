"""Probation: a champion against earlier ones, on the files that came after they were made.

A duel is fought on the rows of one file, so a file that is wrong as a whole passes it. What such a
file did shows on the next ones: a champion that has learned it is beaten by one that has not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perennial.domain.evaluation.bootstrap import resampled_means
from perennial.domain.evaluation.duel import CONFIDENCE
from perennial.domain.words import counted

LAGS = (1, 2, 3, 4)
"""Promotions back to the earlier champions that are compared."""

POOLED_FILES = 4
"""The newest files over which evidence is pooled."""

LEAST_FILES = 2
"""Fewest files that say anything: returns on the evidence of one do harm where the newest rows
matter most."""

MARGIN = 0.05
"""By how much, relative to the losses of who served, a predecessor must surely be better."""

_SMALLEST_LOSS = 1e-12


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a predecessor did on files that neither it nor whoever served had learned.

    Attributes:
        predecessor: the earlier champion.
        files: names of the files, in order.
        rows: rows in them.
        served_loss: the metric of the versions that served, each on its files.
        predecessor_loss: the predecessor's, on the same rows.
        difference: the predecessor's loss minus that of who served, relative to the latter file by
            file, on average.
        low, high: its 95 % interval.
        better: whether the predecessor is surely better by more than the margin.
    """

    predecessor: str
    files: tuple[str, ...]
    rows: int
    served_loss: float
    predecessor_loss: float
    difference: float
    low: float
    high: float
    better: bool

    @property
    def sentence(self) -> str:
        """What was found, with its numbers."""
        return (
            f"{self.predecessor} would have done {-self.difference:.0%} better on the last "
            f"{counted(len(self.files), 'file')} (loss {self.predecessor_loss:.4g} against "
            f"{self.served_loss:.4g} on {counted(self.rows, 'row')}, 95 % interval {self.low:+.0%} "
            f"to {self.high:+.0%})"
        )


@dataclass(frozen=True, slots=True)
class Meeting:
    """Who served and a predecessor, on the same rows of one file.

    Attributes:
        file: its name.
        rows: how many rows count.
        served: summed losses of who served, by row or by block of time, in order: shape [N].
        theirs: the predecessor's, of the same rows or blocks: shape [N].
    """

    file: str
    rows: int
    served: NDArray[np.float64]
    theirs: NDArray[np.float64]

    @property
    def scale(self) -> float:
        """The mean of what served lost: files count by their rows, however hard they were."""
        return max(float(self.served.mean()), _SMALLEST_LOSS)


def weigh(
    predecessor: str,
    meetings: Sequence[Meeting],
    *,
    min_rows: int,
    seed: int,
    squared: bool = False,
) -> Evidence | None:
    """Compare a predecessor with who served, over several files.

    Each file's differences are taken relative to what served lost on it: a file that nobody could
    predict, because its labels are wrong, would outweigh the good ones that follow otherwise.

    Args:
        predecessor: its version.
        meetings: the files, in order; those without rows are left out.
        min_rows: fewest rows that say anything.
        seed: of the resampling.
        squared: whether the losses are squares and their metric the root of the mean (`rmse`).

    Returns:
        None on too few files or rows.
    """
    met = [one for one in meetings if one.rows and len(one.served)]
    rows = sum(one.rows for one in met)
    if len(met) < LEAST_FILES or rows < min_rows:
        return None
    before = sum(float(one.served.sum()) for one in met) / rows
    after = sum(float(one.theirs.sum()) for one in met) / rows
    differences = np.concatenate([(one.theirs - one.served) / one.scale for one in met])
    resamples = np.append(resampled_means(differences, seed=seed), differences.mean())
    if squared:
        resamples = np.sqrt(np.maximum(1 + resamples, 0)) - 1
        before, after = before**0.5, after**0.5
    tails = [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2]
    low, high = np.quantile(resamples[:-1], tails).tolist()
    return Evidence(
        predecessor=predecessor,
        files=tuple(one.file for one in met),
        rows=rows,
        served_loss=before,
        predecessor_loss=after,
        difference=float(resamples[-1]),
        low=low,
        high=high,
        better=high < -MARGIN,
    )


def best(evidence: Sequence[Evidence]) -> Evidence | None:
    """The predecessor to return to; None when none is surely better.

    It is the newest that comes within the margin of the best: one that is older by a promotion or
    two may seem a little better by chance, and has learned less.

    Args:
        evidence: of each predecessor, the newest first.
    """
    better = [one for one in evidence if one.better]
    least = min((one.difference for one in better), default=0.0)
    return next((one for one in better if one.difference <= least + MARGIN), None)
