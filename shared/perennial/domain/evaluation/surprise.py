"""Surprise: a file that champions predict far worse than usual, and no better than a constant.

Either the world has changed, or the file is wrong. A model that learned a wrong file would look no
worse on the rest of that file, so what surprises must prove more than what does not. A week of
holidays is predicted badly, too, but much better than by a constant that knows its labels; labels
that belong to other rows, or come in another unit, are not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_FILES = 8
"""Fewest earlier files that tell what is usual."""

NEWEST_FILES = 26
"""Earlier files that still count: what was usual long ago says little."""

_LEAST = 2.0  # times the usual loss: less never surprises, however regular the files were
_NORMAL = 1.4826  # a median absolute deviation as a standard deviation, of normal values
_SMALLEST_LOSS = 1e-12


@dataclass(frozen=True, slots=True)
class Band:
    """What a champion's loss on a new file usually is.

    Attributes:
        usual: the median over earlier files.
        highest: above it, a loss surprises.
        files: over how many files.
    """

    usual: float
    highest: float
    files: int

    def surprises(self, loss: float) -> bool:
        """Whether a mean loss lies above what is usual."""
        return loss > self.highest


def usual_band(losses: Sequence[float], width: float) -> Band | None:
    """The band of a champion's losses on files that were new to it.

    Losses are compared as ratios: median and median absolute deviation of their logarithms.

    Args:
        losses: the metric on each earlier file, in order; each of the champion of its time.
        width: how many robust deviations above the median the band ends; it never ends below twice
            the median.

    Returns:
        None while there are too few files.
    """
    recent = np.log(np.maximum(losses[-NEWEST_FILES:], _SMALLEST_LOSS))
    if len(recent) < LEAST_FILES:
        return None
    usual = float(np.median(recent))
    spread = _NORMAL * float(np.median(np.abs(recent - usual)))
    highest = math.exp(usual) * max(math.exp(width * spread), _LEAST)
    return Band(math.exp(usual), highest, len(recent))


@dataclass(frozen=True, slots=True)
class Surprise:
    """A file that surprised.

    Attributes:
        file: its name in landing.
        stem: as in its verdict's name.
        loss: the least on it, of the champion's and of those of the earlier ones.
        band: what is usual.
        constant: the loss of the best constant answer to the file.
    """

    file: str
    stem: str
    loss: float
    band: Band
    constant: float

    @property
    def sentence(self) -> str:
        """What was expected and found."""
        return (
            f"no champion's loss on {self.file} is below {self.loss:.4g}, and usually it is about "
            f"{self.band.usual:.4g} (at most {self.band.highest:.4g}, by the last "
            f"{self.band.files} files); a constant would have had {self.constant:.4g}"
        )
