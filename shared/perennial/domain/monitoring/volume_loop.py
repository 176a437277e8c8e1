"""A feedback loop by volume: how many rows come follows what the model said before.

Patrols go where incidents are predicted, and more incidents are reported there; loans are given to
whom the model trusts, and only theirs are ever paid back. Labels may be right, row by row: what the
model steers is which rows there are.

Where requests were held out at random, rows tell: whether the row of a prediction came at all goes
with the prediction where it was used, and not where it was held out. Without a holdout there is
only the course of time: a source's rows, file by file, against the mean of what was predicted since
the file before, by the correlation of ranks given what explains both (partial Spearman; its error
after E. C. Fieller, H. O. Hartley, E. S. Pearson, "Tests for rank correlation coefficients I",
Biometrika 44, 1957): how many predictions were asked for, seasons, the days of the week, and the
source's own past, so that only what predictions add to these counts (C. W. J. Granger,
"Investigating causal relations by econometric models and cross-spectral methods", Econometrica 37,
1969).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import log1p, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from perennial.domain.monitoring.feedback import CERTAIN, FEWEST_ROWS, Pair, correlation, fisher
from perennial.domain.monitoring.findings import EASED, Symptom
from perennial.domain.monitoring.jumps import ROWS
from perennial.domain.monitoring.volumes import Volume

_CERTAIN = 5.0
"""Standard errors: what else moves both is never known whole, so chance is not all there is."""

_FEWEST_FILES = 16
_FEWEST_FREE = 12
"""Files beyond what the controls take up."""

_DAY = 86400.0  # seconds
_NOTHING = 1e-6  # of ranks: rounding
_CLOSER = 0.2
"""Of a correlation: how much closer arrival goes with used predictions than with those held out."""

_FIELLER = 1.06


def volume_loop(
    pipeline: str, known: Sequence[Volume], limit: float | None, news: str
) -> Iterator[Symptom]:
    """At most one symptom a source.

    Args:
        pipeline: whose.
        known: what `volumes` remembers.
        limit: of the partial correlation; None is never.
        news: what the evidence is of.
    """
    if limit is None:
        return
    by_source: dict[str, list[Volume]] = defaultdict(list)
    for one in known:
        by_source[one.prefix].append(one)
    for prefix, of in by_source.items():
        found = follows(of)
        if found is None:
            continue
        r, errors = found
        strength = min(errors / _CERTAIN, abs(r) / limit)
        if strength < EASED:
            continue
        yield Symptom(
            "feedback_loop", ROWS if not prefix else f"{ROWS} from {prefix}", "warning",
            f"how many rows {pipeline}/{prefix} brings goes with what was predicted since its file "
            f"before, at {r:+.2f} over {len(of)} files (rank correlation, given how much was asked "
            "and how many rows came before): the source may follow the model",
            "find out whether callers act on predictions in a way that brings or stops rows; "
            "monitoring.holdout: 0.1 with serving.log.keys tells for certain. A loop that is meant "
            "needs rows that nobody steered, such as a share of cases chosen at random",
            {"files": len(of), "rank_correlation": round(r, 4), "standard_errors": round(errors, 2),
             "limit": limit, "source": prefix,
             "rows": [one.rows for one in of[-8:]], "predicted": [one.mean for one in of[-8:]]},
            strength, news,
        )  # fmt: skip


def follows(known: Sequence[Volume]) -> tuple[float, float] | None:
    """Partial rank correlation of a source's rows with predictions, and its standard errors.

    Args:
        known: of one source, in order of time.

    Returns:
        None where too few files came, or one of the two is always the same.
    """
    if len(known) < _FEWEST_FILES + 1:
        return None
    rows = _ranks([one.rows for one in known])
    now = known[1:]
    asked = _ranks([log1p(one.asked) for one in now])
    controls = np.column_stack([_slow(len(now)), _calendar(now), asked, rows[:-1]])
    said, rank = _unexplained(_ranks([one.mean for one in now]), controls)
    came, _ = _unexplained(rows[1:], controls)
    spread = sqrt(float(said @ said) * float(came @ came))
    free = len(now) - rank - 2
    if free < _FEWEST_FREE or spread < _NOTHING:
        return None
    r = float(said @ came) / spread
    return r, abs(fisher(r)) * sqrt(free / _FIELLER)


def _slow(count: int) -> NDArray[np.float64]:
    """Trend, and all that takes longer than a dozen files (as cosines): seasons move both."""
    places = np.arange(count)
    waves = [np.cos(pi * k * (places + 0.5) / count) for k in range(count // 6 + 1)]
    return np.column_stack([*waves, places / count])


def _calendar(known: Sequence[Volume]) -> NDArray[np.float64]:
    """Days of the week, and times of the day, where files come so often: busy hours move both."""
    gap = np.median(np.diff([one.at.timestamp() for one in known]))
    columns = [np.zeros(len(known))]
    if gap < _DAY * 3.5:
        days = np.array([one.at.weekday() for one in known])
        columns += [(days == day).astype(float) for day in range(6)]
    if gap < _DAY / 2:
        turns = np.array([one.at.timestamp() for one in known]) * 2 * pi / _DAY
        columns += [wave(turns * times) for times in (1, 2) for wave in (np.sin, np.cos)]
    return np.column_stack(columns)


def _unexplained(
    values: NDArray[np.float64], controls: NDArray[np.float64]
) -> tuple[NDArray[np.float64], int]:
    """What controls leave of values, and how many of them are independent."""
    weights, _, rank, _ = np.linalg.lstsq(controls, values, rcond=1e-9)
    return np.asarray(values - controls @ weights, dtype=float), int(rank)


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """From 0 on; equal values share the mean of theirs."""
    _, places, counts = np.unique(np.array(values), return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts + 1) / 2)[places], dtype=float)


def arrival_loop(pipeline: str, pairs: Sequence[Pair], news: str) -> Iterator[Symptom]:
    """At most one symptom: whether rows come at all, against what was said of them.

    Args:
        pipeline: whose.
        pairs: logged predictions; as label, whether the row came.
        news: what the evidence is of.
    """
    used, held = ([one for one in pairs if one.holdout is out] for out in (False, True))
    if min(len(used), len(held)) < FEWEST_ROWS:
        return
    # Where all came, or none, what was said made no difference.
    with_it, without = correlation(used) or 0.0, correlation(held) or 0.0
    apart = abs(fisher(with_it) - fisher(without))
    errors = apart / sqrt(1 / (len(used) - 3) + 1 / (len(held) - 3))
    strength = min(errors / CERTAIN, abs(with_it - without) / _CLOSER)
    if strength < EASED:
        return
    shares = [sum(one.label for one in of) / len(of) for of in (used, held)]
    yield Symptom(
        "feedback_loop", ROWS, "warning",
        f"whether a row comes goes with its prediction at {with_it:+.2f} (correlation) where that "
        f"was used, {len(used):,} rows, and at {without:+.2f} where it was held out, "
        f"{len(held):,} rows: the model chooses what it learns from",
        "learn from the rows that were held out, or weigh rows by how often their like are let "
        f"through; until then `perennial status {pipeline}` knows only what the model let in",
        {"used_rows": len(used), "holdout_rows": len(held),
         "used_correlation": round(with_it, 4), "holdout_correlation": round(without, 4),
         "used_came": round(shares[0], 4), "holdout_came": round(shares[1], 4),
         "standard_errors": round(errors, 2)},
        strength, news,
    )  # fmt: skip
