"""Checks after upgrades, on record: one for each champion and environment, written once.

Apart from the workflow that makes them, because whoever shows them has nothing that trains.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import takewhile
from typing import Any

from perennial.domain import names
from perennial.domain.verdict import SUMMARY
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.rebuilding import Rebuild
from perennial.domain.versioning.upgrades import Check, environment_digest
from perennial.errors import ObjectNotFound
from perennial.ports import ObjectStore
from perennial.workflows.writing import create_once

RECENT = 10
"""Runs for which the check of a champion that was succeeded since is still shown."""

_MOST = 1000  # characters of a reason in an object's metadata, which has limits


def is_checked(
    data: ObjectStore, pipeline: str, version: str, environment: Mapping[str, str]
) -> bool:
    """Whether a version was trained again in this environment already."""
    try:
        data.stat(names.upgrade(pipeline, version, environment_digest(environment)))
    except ObjectNotFound:
        return False
    return True


def record_check(data: ObjectStore, found: Rebuild, environment: Mapping[str, str]) -> Check:
    """Keep what was found, whole, and in short as metadata, so that a listing shows it.

    Of two processes that checked the same at once, the first one's result stays.
    """
    check = Check.of(found, environment)
    summary = asdict(check) | {"reason": check.reason[:_MOST]}
    create_once(
        data,
        names.upgrade(found.pipeline, found.version, check.environment),
        found.to_json(),
        metadata={SUMMARY: json.dumps(summary)},
    )
    return check


def latest_check(
    data: ObjectStore, pipeline: str, champion: Manifest | None, runs: Sequence[Mapping[str, Any]]
) -> Check | None:
    """What came of the check under the environment that trained last.

    Of the champion in force, or of the one that served when this environment came, for as long as
    that is one of the recent runs: the run that finds an upgrade usually promotes, too.

    It lists and reads nothing, so that whoever may list sees it.

    Args:
        data: the data bucket.
        pipeline: whose.
        champion: the version in force.
        runs: summaries of all runs, oldest first.

    Returns:
        None where nothing was to be checked, or the check is not over.
    """
    environment = runs[-1].get("environment", "") if runs else ""
    if not environment:
        return None
    versions: list[str | None] = []
    if champion is not None and environment_digest(champion.environment) != environment:
        versions.append(champion.version)
    since = list(takewhile(lambda run: run.get("environment") == environment, reversed(runs)))
    if len(since) <= RECENT:
        # The run that met it may have ended before its record: its version says whom it met.
        versions += [since[-1]["champion"], champion.champion if champion else None]
    for version in dict.fromkeys(filter(None, versions)):
        for info in data.list(names.upgrade(pipeline, version, environment)):
            return Check(**json.loads(info.metadata[SUMMARY]))
    return None
