"""Concept drift: champions predict new files worse than they used to, though they go on learning.

The detector is the Page-Hinkley test (E. S. Page, "Continuous inspection schemes", Biometrika 41,
1954) of river, over the progressive score file by file. A file's loss is taken relative to that of
the best constant answer to it, so that a week of many rentals, which costs more, is no drift, and
as a logarithm in robust deviations from what was usual before, so that one odd file does not
decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import exp, log
from statistics import median

from perennial.domain.monitoring.findings import EASED, Symptom

FEWEST_FILES = 12
"""Files that tell what is usual, before the first that may be worse."""

MOST_FILES = 96

_TOLERATED = 0.75  # deviations: a change of twice that is what the test is tuned to
_THRESHOLD = 9.0  # summed deviations beyond what is tolerated
_CLIPPED = 5.0  # deviations: one file alone is never enough
_SMALLEST = 1e-9
_LEAST = 0.15  # of the loss: less than that is no finding, however regular files are
_NORMAL = 1.4826
_LATEST = 3


@dataclass(frozen=True, slots=True)
class Scored:
    """How the champion of its time predicted a file.

    Attributes:
        stem: the file, as in its verdict's name.
        file: its name.
        version: the champion.
        loss: by the pipeline's metric.
        constant: the loss of the best constant answer; None where that is unknown.
    """

    stem: str
    file: str
    version: str
    loss: float
    constant: float | None

    @property
    def relative(self) -> float:
        """The logarithm of the loss relative to the constant's."""
        scale = self.constant if self.constant and self.constant > _SMALLEST else 1.0
        return log(max(self.loss, _SMALLEST) / scale)


def concept_drift(pipeline: str, metric: str, scores: Sequence[Scored]) -> Iterator[Symptom]:
    """At most one symptom.

    Args:
        pipeline: whose champions.
        metric: the name of the loss.
        scores: of the champion of its time on each file, in order; the last `MOST_FILES` count.
    """
    scores = scores[-MOST_FILES:]
    since = changed_at([one.relative for one in scores])
    if since is None:
        return
    before, after = scores[:since], scores[since:]
    usual = median(one.relative for one in before)
    now = median(one.relative for one in after[-_LATEST:])
    strength = (now - usual) / log(1 + _LEAST)
    if strength < EASED or len(after) > 2 * FEWEST_FILES:  # by then it is what is usual
        return
    loss, was = median(o.loss for o in after), median(o.loss for o in before)
    yield Symptom(
        "concept_drift", "", "warning",
        f"{metric} on new files is {loss:.4g} since {after[0].file}, and was {was:.4g} on the "
        f"{len(before)} files before; relative to a constant answer it is {exp(now - usual):.2f} "
        "times as high",
        f"compare a few labels of {after[0].file} with what they mean; if they are wrong, "
        f"`perennial recall {pipeline} FILE --why …` takes the files back, if the world has "
        f"changed, `perennial replay {pipeline}` says which training.window forgets fast enough",
        {
            "metric": metric, "loss": round(loss, 6), "loss_before": round(was, 6),
            "relative": round(exp(now), 4), "relative_before": round(exp(usual), 4),
            "since_file": after[0].file, "files": len(after), "files_before": len(before),
            "versions": sorted({one.version for one in after})[-5:], "test": "Page-Hinkley",
        },
        strength, after[-1].stem,
    )  # fmt: skip


def changed_at(values: Sequence[float]) -> int | None:
    """Where values began to lie higher than before; None where they did not.

    The last such place counts.

    Args:
        values: in their order; the first `FEWEST_FILES` are never the place.
    """
    if len(values) <= FEWEST_FILES:
        return None
    from river.drift import PageHinkley  # takes a second, which most looks need not wait for

    fresh = partial(
        PageHinkley, min_instances=1, delta=_TOLERATED, threshold=_THRESHOLD, alpha=1.0, mode="up"
    )
    test, since, begin = fresh(), None, 0  # values from `begin` on tell what is usual
    high: dict[int, float] = {}
    for place in range(FEWEST_FILES, len(values)):
        if since is not None and place - since == FEWEST_FILES:
            test, begin = fresh(), since  # what was new is usual by now
        known = values[begin : place if since in (None, begin) else since]
        high[place] = _deviations(values[place], known)
        test.update(high[place])  # type: ignore[no-untyped-call]
        if test.drift_detected:
            since = place
            while high.get(since - 1, 0.0) > 2 * _TOLERATED and since - 1 > begin:
                since -= 1
    return since


def _deviations(value: float, known: Sequence[float]) -> float:
    usual = median(known)
    spread = _NORMAL * median(abs(one - usual) for one in known)
    return max(-_CLIPPED, min(_CLIPPED, (value - usual) / max(spread, _LEAST / 3)))
