"""A champion that is older than its definition allows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from perennial.domain.monitoring.findings import Symptom
from perennial.domain.versioning.manifest import Manifest

_DAY = 86400


def champion_old(
    champion: Manifest, declared_days: float | None, now: datetime
) -> Iterator[Symptom]:
    """At most one symptom.

    Args:
        champion: what serves.
        declared_days: from which age on it is old; None for never.
        now: the time (UTC).
    """
    days = (now - champion.created).total_seconds() / _DAY
    if declared_days is None or days < declared_days:
        return
    pipeline = champion.pipeline
    yield Symptom(
        "champion_old", "", "warning",
        f"{champion.version} is {days:.1f} days old, and is to be replaced within "
        f"{declared_days:g}; it learned rows through {champion.trained_through:%Y-%m-%d %H:%M}",
        f"`perennial status {pipeline}` says what is waited for: files that do not come, an "
        f"approval, a pin, or a gate (`perennial versions {pipeline} --explain V`)",
        {"version": champion.version, "days": round(days, 2), "limit_days": declared_days,
         "trained_through": champion.trained_through.isoformat()},
        days / declared_days, champion.version,
    )  # fmt: skip
