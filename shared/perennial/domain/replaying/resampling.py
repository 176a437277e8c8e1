"""Confidence in losses over files that follow each other in time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from perennial.domain.evaluation.bootstrap import RESAMPLES, block_length

LOW, HIGH = 0.025, 0.975


def draw_files(files: int, *, seed: int, block: int | None = None) -> NDArray[np.int64]:
    """Resamples of files that keep neighbours together, on a circle.

    Rows of a file share its weather, its campaign or its bug, so a file is drawn whole, and blocks
    of files because neighbours resemble each other. Source of the scheme: see
    `perennial.domain.evaluation.bootstrap.resampled_means`, which does the same for rows.

    Args:
        files: how many there are, at least 1.
        seed: of the resampling.
        block: neighbours that stay together; as many as suit the number of files when None.

    Returns:
        Places of files: shape [`RESAMPLES`, files].
    """
    block = block or block_length(files)
    blocks = math.ceil(files / block)
    starts = np.random.default_rng(seed).integers(0, files, size=(RESAMPLES, blocks, 1))
    drawn = (starts + np.arange(block)) % files
    return drawn.reshape(RESAMPLES, -1)[:, :files]


def resampled_losses(
    sums: NDArray[np.float64],
    rows: NDArray[np.float64],
    drawn: NDArray[np.int64],
    *,
    squared: bool = False,
) -> NDArray[np.float64]:
    """A metric over each resample.

    Args:
        sums: losses of each file, shape [files].
        rows: rows of each file, shape [files].
        drawn: shape [resamples, files].
        squared: whether the metric is the root of the mean.

    Returns:
        Shape [resamples].
    """
    # A resample may hold only files whose rows prove nothing; it then says nothing of anybody.
    counts = np.maximum(rows[drawn].sum(axis=1), 1.0)
    means: NDArray[np.float64] = sums[drawn].sum(axis=1) / counts
    return np.sqrt(np.maximum(means, 0.0)) if squared else means


def times_drawn(drawn: NDArray[np.int64]) -> NDArray[np.float64]:
    """How often each of N places was drawn: shape [resamples, N], from draws of N places each."""
    resamples, places = drawn.shape
    flat = drawn + places * np.arange(resamples)[:, None]
    counts = np.bincount(flat.ravel(), minlength=resamples * places)
    return counts.reshape(resamples, places).astype(np.float64)


def mean_loss(sums: NDArray[np.float64], rows: NDArray[np.float64], *, squared: bool) -> float:
    """The metric over all files."""
    mean = float(sums.sum() / max(rows.sum(), 1.0))
    return math.sqrt(max(mean, 0.0)) if squared else mean


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """The 95 % interval of resampled values."""
    low, high = np.quantile(values, [LOW, HIGH])
    return float(low), float(high)
