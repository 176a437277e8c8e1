"""Static against dynamic: what the model that was trained once would have lost, month by month."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from itertools import groupby

from localdev.demo import shop
from localdev.demo.crowds import Visit
from localdev.demo.events import Month, Scored
from localdev.demo.tools import Tools

COIN_TOSS = math.log(2)
"""Log loss of saying one half to everything."""

_LEAST = 1e-6  # of a probability: one certain mistake must not outweigh a month


def months(tools: Tools, static: str, scored: Mapping[date, Scored]) -> Iterator[Month]:
    """Compare the two for every month in which scored weeks began.

    Args:
        tools: to ask the predict function for the static version's predictions.
        static: the version that was trained once.
        scored: progressive scores by the week's first day, in order.

    Raises:
        StepFailed: the predict function does not answer for that version.
    """
    for month, weeks in groupby(scored, key=lambda week: f"{week:%Y-%m}"):
        static_sum = dynamic_sum = 0.0
        rows = 0
        for week in weeks:
            visits = shop.visits(week)
            answer = tools.predict([instance(visit) for visit in visits], static)
            static_sum += sum(losses(answer.bought, [visit.bought for visit in visits]))
            dynamic_sum += scored[week].loss * len(visits)
            rows += len(visits)
        yield Month(month, rows, static_sum / rows, dynamic_sum / rows)


def losses(probabilities: Sequence[float], outcomes: Sequence[bool]) -> Iterator[float]:
    """Log loss, in nats, of each probability of what then happened or did not."""
    for probability, outcome in zip(probabilities, outcomes, strict=True):
        yield -math.log(max(_LEAST, probability if outcome else 1 - probability))


def instance(visit: Visit) -> dict[str, object]:
    """A visit as the predict function takes it: without its name and its outcome."""
    columns = asdict(visit)
    del columns["visit_id"], columns["bought"]
    return columns
