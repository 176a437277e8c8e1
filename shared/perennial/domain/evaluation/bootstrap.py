"""Confidence in a mean of values that follow each other in time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000


def block_length(count: int) -> int:
    """Values in a block: the cube root of their count, the rate at which blocks should grow.

    Source: Hall, Horowitz and Jing, "On blocking rules for the bootstrap with dependent data",
    Biometrika 82 (1995).
    """
    return max(1, round(math.cbrt(count)))


def resampled_means(values: NDArray[np.float64], *, seed: int) -> NDArray[np.float64]:
    """Means of resamples that keep neighbours together, so that their dependence counts.

    A resample strings together blocks that start anywhere, on a circle, so that every value is
    drawn equally often. Source: Politis and Romano, "A circular block-resampling procedure for
    stationary data" (1992).

    Args:
        values: shape [N], in time order, N ≥ 1.
        seed: of the resampling.

    Returns:
        Shape [`RESAMPLES`].
    """
    count = len(values)
    block = block_length(count)
    circle = np.concatenate([[0.0], np.cumsum(np.concatenate([values, values[: block - 1]]))])
    block_sums = circle[block:] - circle[:-block]
    blocks = math.ceil(count / block)
    starts = np.random.default_rng(seed).integers(0, count, size=(RESAMPLES, blocks))
    means: NDArray[np.float64] = block_sums[starts].sum(axis=1) / (blocks * block)
    return means
