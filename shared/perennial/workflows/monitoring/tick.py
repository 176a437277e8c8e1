"""A tick's looks at all pipelines, after its sweep: each by itself, so that none starves others."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from perennial.errors import PerennialError
from perennial.workflows.monitoring.look import Lookout
from perennial.workflows.monitoring.telling import Channel, tell

log = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=4)
"""Looks that have not begun by then are left to the next tick; the sweep had its time before."""


@dataclass(slots=True)
class Watched:
    """What a tick's looks came to.

    Attributes:
        looked: how many pipelines were looked at.
        open: how many findings are open, by severity.
        left: pipelines that there was no time for.
        errors: what went wrong, by pipeline; the others were looked at all the same.
        untold: channels that could not be told, by pipeline; the next tick tells them.
    """

    looked: int = 0
    open: dict[str, int] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    untold: dict[str, dict[str, str]] = field(default_factory=dict)


def watch(lookout: Lookout, pipelines: Sequence[str], channels: Mapping[str, Channel]) -> Watched:
    """Look at pipelines, and tell every channel what changed.

    Args:
        lookout: what looks.
        pipelines: which ones; where time runs out, each tick begins with another.
        channels: who is told, by the name under which that is noted.
    """
    watched, severities = Watched(), Counter[str]()
    began = lookout.clock.now()
    ordered = sorted(pipelines)
    turn = int(began.timestamp()) // 600 % max(len(ordered), 1)
    lookout = lookout.reading_logs(ordered)
    for pipeline in [*ordered[turn:], *ordered[:turn]]:
        if lookout.clock.now() - began > PATIENCE:
            watched.left.append(pipeline)
            continue
        try:
            found = lookout.look(pipeline)
            untold = tell(lookout.buckets.data, pipeline, found, channels)
        except Exception as error:  # one pipeline that breaks must not starve all others
            if not isinstance(error, PerennialError):
                log.exception("%s could not be looked at", pipeline)
            watched.errors[pipeline] = f"{type(error).__name__}: {error}"
            continue
        watched.looked += 1
        severities.update(one.severity for one in found.findings)
        for part, why in found.errors.items():
            log.warning("%s: %s could not be looked at: %s", pipeline, part, why)
        if untold:
            watched.untold[pipeline] = untold
            log.error("%s: not told, and told again at the next tick: %s", pipeline, untold)
    watched.open = dict(severities)
    return watched
