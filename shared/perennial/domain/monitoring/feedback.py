"""A feedback loop: labels follow what the model said, and the model then learns its own echo.

A good model's predictions go with the labels, too. What tells the two apart are rows for which the
prediction was not used: those of requests marked as holdout, and without any, the rows of the same
files that nobody asked for. Where labels go with predictions far more closely among exposed rows
than among those, exposure makes the labels.

Correlations are compared by Fisher's z (R. A. Fisher, "On the probable error of a coefficient of
correlation deduced from a small sample", Metron 1, 1921), mean losses by their standard errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import atanh, sqrt
from statistics import fmean

from perennial.domain.monitoring.findings import EASED, Symptom

FEWEST_ROWS = 50
CERTAIN = 4.0  # standard errors
_CLOSER = 0.1  # of a correlation
_LESS = 0.3  # of a loss
_NEARLY = 0.999


@dataclass(frozen=True, slots=True)
class Pair:
    """A logged prediction and the label that came for its row.

    Attributes:
        prediction, label: as numbers; of classes, the probability of one and whether it came.
        loss: of the prediction, by the pipeline's metric.
        holdout: whether the caller was told to do without the prediction.
    """

    prediction: float
    label: float
    loss: float
    holdout: bool


@dataclass(frozen=True, slots=True)
class Whole:
    """The same files' rows, as the progressive score knows them: asked for or not.

    Attributes:
        rows: how many.
        loss: sum of their losses.
        blocks: mean losses of parts of them, which tell how much losses differ.
    """

    rows: int
    loss: float
    blocks: Sequence[float] = ()


def feedback_loop(
    pipeline: str, pairs: Sequence[Pair], whole: Whole, news: str
) -> Iterator[Symptom]:
    """At most one symptom.

    Args:
        pipeline: whose.
        pairs: rows whose prediction is in the log and whose label has come.
        whole: the files that these labels came in.
        news: what the evidence is of.
    """
    exposed = [pair for pair in pairs if not pair.holdout]
    held = [pair for pair in pairs if pair.holdout]
    if len(exposed) < FEWEST_ROWS:
        return
    if len(held) >= FEWEST_ROWS:
        yield from _by_holdout(pipeline, exposed, held, news)
    else:
        yield from _by_files(pipeline, exposed, whole, news)


def correlation(pairs: Sequence[Pair]) -> float | None:
    """Pearson's, of predictions and labels; None where either is always the same."""
    x, y = [pair.prediction for pair in pairs], [pair.label for pair in pairs]
    middle, height = fmean(x), fmean(y)
    across = sum((a - middle) ** 2 for a in x)
    up = sum((b - height) ** 2 for b in y)
    if not across or not up:
        return None
    both = sum((a - middle) * (b - height) for a, b in zip(x, y, strict=True))
    return both / sqrt(across * up)


def _by_holdout(
    pipeline: str, exposed: Sequence[Pair], held: Sequence[Pair], news: str
) -> Iterator[Symptom]:
    with_it, without = correlation(exposed), correlation(held)
    if with_it is None or without is None:
        return
    apart = fisher(with_it) - fisher(without)
    error = sqrt(1 / (len(exposed) - 3) + 1 / (len(held) - 3))
    strength = min(apart / error / CERTAIN, (with_it - without) / _CLOSER)
    if strength < EASED:
        return
    yield Symptom(
        "feedback_loop", "", "warning",
        f"labels go with predictions at {with_it:.2f} (correlation) where predictions were used, "
        f"{len(exposed):,} rows, and at {without:.2f} where they were held out, {len(held):,} "
        "rows: exposure makes labels",
        f"learn from the rows that were held out, or give exposure to the model as a feature; "
        f"until then `perennial status {pipeline}` flatters the champion",
        {"exposed_rows": len(exposed), "holdout_rows": len(held),
         "exposed_correlation": round(with_it, 4), "holdout_correlation": round(without, 4),
         "standard_errors": round(apart / error, 2)},
        strength, news,
    )  # fmt: skip


def _by_files(pipeline: str, exposed: Sequence[Pair], whole: Whole, news: str) -> Iterator[Symptom]:
    """Against the rows that nobody asked for: all of the files, less those that were exposed."""
    others = whole.rows - len(exposed)
    if others < FEWEST_ROWS or len(whole.blocks) < 4:
        return
    losses = [pair.loss for pair in exposed]
    mine, theirs = fmean(losses), max(whole.loss - sum(losses), 0.0) / others
    spread = fmean((one - mine) ** 2 for one in losses) / len(losses)
    middle = fmean(whole.blocks)
    spread += fmean((one - middle) ** 2 for one in whole.blocks) / len(whole.blocks)
    if not theirs or not spread:
        return
    strength = min((theirs - mine) / sqrt(spread) / CERTAIN, (1 - mine / theirs) / _LESS)
    if strength < EASED:
        return
    yield Symptom(
        "feedback_loop", "", "warning",
        f"the loss on {len(exposed):,} rows whose prediction was asked for before their label "
        f"came is {mine:.4g}, and {theirs:.4g} on {others:,} other rows of the same files: labels "
        "may follow predictions",
        "declare monitoring.holdout: 0.1 and do without the prediction where an answer says "
        '"holdout": true; the two groups then tell for certain. '
        f"Until then `perennial status {pipeline}` may flatter the champion",
        {"exposed_rows": len(exposed), "other_rows": others, "exposed_loss": round(mine, 6),
         "other_loss": round(theirs, 6)},
        strength, news,
    )  # fmt: skip


def fisher(correlation: float) -> float:
    """Fisher's z of a correlation."""
    return atanh(max(-_NEARLY, min(_NEARLY, correlation)))
