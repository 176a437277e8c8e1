"""What the prediction log says of one pipeline in some span of time, line by line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from perennial.domain.log_names import LOOK_UPS, PREDICTIONS
from perennial.domain.serving.lookups import key_text

_MOST_TEXT = 100

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was predicted for a row that has a key.

    Attributes:
        prediction: as it was answered.
        version: which version answered.
        holdout: whether the caller was told to do without it.
        at: when (UTC).
    """

    prediction: object
    version: str
    holdout: bool
    at: datetime


@dataclass(slots=True)
class Tally:
    """What the lines of one pipeline say.

    Attributes:
        since, through: times of the first and the last line (UTC).
        requests, rows: how many lines, and how many instances they tell of.
        versions: how many of these each version answered.
        predictions: what was predicted.
        used: when each of these was asked for (UTC); None where it was to be done without.
        features: by name the values that were sent; None where one was empty.
        distinct: digests of the instances: the same one sent a hundred times says little.
        keyed: the last answer to each key.
        failed: failed look-ups by the hour (as `2026-03-01T12`).
        errors: the last error of them.
    """

    since: datetime | None = None
    through: datetime | None = None
    requests: int = 0
    rows: int = 0
    versions: Counter[str] = field(default_factory=Counter)
    predictions: list[object] = field(default_factory=list)
    used: list[datetime | None] = field(default_factory=list)
    features: dict[str, list[object]] = field(default_factory=dict)
    distinct: set[str] = field(default_factory=set)
    keyed: dict[Key, Answer] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    errors: dict[str, str] = field(default_factory=dict)


def tally(
    lines: Iterable[bytes],
    since: datetime,
    pipelines: Collection[str],
    *,
    into: dict[str, Tally] | None = None,
) -> dict[str, Tally]:
    """Count lines of the log, as the deployment's sink writes them.

    Args:
        lines: of any pipelines; what is no entry of ours is passed over.
        since: earlier ones do not count (UTC).
        pipelines: those that are known: a log can hold what nobody knows any more.
        into: what was counted already.

    Returns:
        By pipeline; those without a line are left out.
    """
    found = {} if into is None else into
    for line in lines:
        try:
            entry = json.loads(line)
            payload, at = entry["jsonPayload"], datetime.fromisoformat(entry["timestamp"])
            pipeline, logger = payload["pipeline"], payload["logger"]
            at = at.astimezone(UTC)
        except (ValueError, KeyError, TypeError):
            continue  # cut off, or not of ours
        if at < since or not isinstance(pipeline, str) or pipeline not in pipelines:
            continue
        of = found.setdefault(pipeline, Tally())
        if logger == PREDICTIONS:
            _count(of, payload, at)
        elif logger == LOOK_UPS and "failed_lookup" in payload:
            of.failed[f"{at:%Y-%m-%dT%H}"] += 1
            of.errors["last"] = str(payload["failed_lookup"])[:_MOST_TEXT]
    return found


def _count(of: Tally, payload: Mapping[str, Any], at: datetime) -> None:
    of.since = at if of.since is None else min(of.since, at)
    of.through = at if of.through is None else max(of.through, at)
    of.requests += 1
    instances = payload.get("instances")
    version, holdout = str(payload.get("version", "")), payload.get("holdout") is True
    for told in instances if isinstance(instances, list) else ():
        if not isinstance(told, dict) or "prediction" not in told:
            continue
        of.rows += 1
        of.versions[version] += 1
        of.predictions.append(told["prediction"])
        of.used.append(None if holdout else at)
        features = told.get("features")
        if isinstance(features, dict):
            of.distinct.add(str(told.get("digest")))
            for name, value in features.items():
                of.features.setdefault(name, []).append(value)
        keys = told.get("keys")
        if isinstance(keys, dict) and all(value is not None for value in keys.values()):
            texts = tuple(str(key_text(keys[name])) for name in sorted(keys))
            of.keyed[texts] = Answer(told["prediction"], version, holdout, at)
