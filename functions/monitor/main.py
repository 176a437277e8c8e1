"""`monitor`: translates between the scheduler's HTTP calls and sweep and watch."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict
from functools import cache

import functions_framework
from flask import Request, Response

from perennial.domain.monitoring.alert import document
from perennial.domain.monitoring.report import Change
from perennial.domain.verdict import Verdict
from perennial.wiring import monitor as wiring
from perennial.workflows.sweep import Standing

log = logging.getLogger("perennial.monitor")
findings = logging.getLogger("perennial.monitor.findings")

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


@functions_framework.http
def monitor(request: Request) -> Response:
    """Sweep, then look at every pipeline; answer with the counts, 500 when a part of it failed.

    Only a POST does so, as the scheduler sends it: looking at the function must not work for it.
    """
    if request.method != "POST":
        return Response("POST starts a sweep", 405, {"Allow": "POST"}, mimetype="text/plain")
    swept = asdict(_monitor().sweep(_tell))
    _log_counts("swept", swept)
    watched = asdict(_monitor().watch(_tell_change))
    _log_counts("watched", watched)
    failed = bool(swept["errors"] or watched["errors"])
    body = json.dumps({**swept, "watched": watched})
    return Response(body, 500 if failed else 200, mimetype="application/json")


def _log_counts(what: str, counts: dict[str, object]) -> None:
    level = logging.ERROR if counts["errors"] else logging.INFO
    log.log(level, "%s: %s", what, json.dumps(counts), extra={what: counts})


def _tell(found: Verdict | Standing) -> None:
    """One line each; metrics count verdicts by `decision`, and read `champion_age_seconds`."""
    if isinstance(found, Standing):
        age = found.champion_age_seconds
        log.info(
            "%s: %s", found.pipeline,
            "accepted files wait for a first champion" if age is None
            else f"champion {found.champion} was made {age:.0f} s ago",
            extra=asdict(found),
        )  # fmt: skip
        return
    file = found.file
    log.info(
        "%s: %s%s", file.name, found.decision, f" ({found.reason})" if found.reason else "",
        extra={
            "pipeline": found.pipeline, "file": file.name, "generation": file.generation,
            "decision": found.decision, "rows": found.rows,
        },
    )  # fmt: skip


def _tell_change(pipeline: str, change: Change) -> None:
    """One line for each finding that opens, worsens or closes; metrics count them by `finding`."""
    told = document(pipeline, change)
    level = logging.INFO if change.what == "closed" else _LEVELS[change.finding.severity]
    findings.log(
        level, "%s", told["text"],
        extra={
            "pipeline": pipeline, "finding": told["kind"], "subject": told["subject"],
            "finding_severity": told["severity"], "change": told["change"],
            "advice": told["advice"], "opened": told["opened"], "closed": told["closed"],
        },
    )  # fmt: skip


@cache
def _monitor() -> wiring.Monitor:
    """Made by the first call, in the process that handles it."""
    return wiring.connect(os.environ)
