"""Look-ups: whether `predict` can follow the registry, by its own log lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from perennial.domain.monitoring.findings import Symptom
from perennial.domain.monitoring.requests import Tally

_HOURS = 3
"""Log lines come to the bucket an hour late, or a little more."""


def look_ups_failing(
    pipeline: str, tally: Tally, most: int | None, now: datetime
) -> Iterator[Symptom]:
    """At most one symptom, while one of the last hours had too many.

    Args:
        pipeline: whose.
        tally: the log's lines.
        most: failures in an hour that are no news; None where nobody wants to know.
        now: the time (UTC).
    """
    if most is None:
        return
    hours = [f"{now - timedelta(hours=ago):%Y-%m-%dT%H}" for ago in range(_HOURS)]
    worst = max(hours, key=lambda hour: tally.failed[hour])
    failed = tally.failed[worst]
    if failed <= most:
        return
    yield Symptom(
        "look_ups_failing", "", "error",
        f"predict could not follow the registry {failed:,} times from {worst}:00 on, the last "
        f"time with {tally.errors.get('last', 'an error')}",
        f"a version that served before goes on serving: `GET /` of predict says which; `perennial "
        f"check {pipeline}` looks at the champion's files, `perennial doctor` at grants",
        {"failed": failed, "hour": worst, "limit": most, "error": tally.errors.get("last", "")},
        failed / max(most, 1), worst,
    )  # fmt: skip
