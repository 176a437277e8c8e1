"""Telling of what changed: each change once to each channel, also where a tick died in between.

A channel was told of all looks up to a number, which a note beside them says. What it was not told
of, because the process ended or the channel did not answer, the next tick tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from perennial.domain import names
from perennial.domain.monitoring.report import Change, Watch
from perennial.errors import PerennialError
from perennial.ports import ObjectStore
from perennial.workflows.monitoring.watches import read_watch
from perennial.workflows.writing import create_once

CATCH_UP = 20
"""So many looks are told of at most; what is older than these is in the last one's findings."""

Channel = Callable[[str, Change], None]
"""Takes the pipeline's name and a change; raises a `PerennialError` when nobody took it."""


def tell(
    data: ObjectStore, pipeline: str, latest: Watch, channels: Mapping[str, Channel]
) -> dict[str, str]:
    """Tell every channel what it was not told yet.

    Args:
        data: the data bucket.
        pipeline: whose findings.
        latest: the last look that was kept.
        channels: by the name under which notes are kept.

    Returns:
        What went wrong, by channel: it is told again at the next tick.
    """
    failed = {}
    for name, channel in channels.items():
        try:
            _tell(data, pipeline, latest, name, channel)
        except PerennialError as error:
            failed[name] = f"{type(error).__name__}: {error}"
    return failed


def _tell(data: ObjectStore, pipeline: str, latest: Watch, name: str, channel: Channel) -> None:
    told = next(iter(data.list(names.told(pipeline, name), limit=1)), None)
    through = names.parse_watch(told.name) if told else 0
    for number in range(max(through, latest.number - CATCH_UP) + 1, latest.number + 1):
        watch = latest if number == latest.number else read_watch(data, pipeline, number)
        for change in watch.changes if watch else ():
            channel(pipeline, change)
        if number == latest.number or (watch and watch.changes):
            create_once(data, names.told_of(pipeline, name, number), b"")
