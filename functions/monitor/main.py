"""`monitor`: translates between the scheduler's HTTP calls and `perennial.workflows.sweep`."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict
from functools import cache

import functions_framework
from flask import Request, Response

from perennial.domain.verdict import Verdict
from perennial.wiring import monitor as wiring
from perennial.workflows.sweep import Standing

log = logging.getLogger("perennial.monitor")


@functions_framework.http
def monitor(request: Request) -> Response:
    """Sweep, and answer with the counts; 500 when a part of it failed.

    Only a POST sweeps, as the scheduler sends it: looking at the function must not work for it.
    """
    if request.method != "POST":
        return Response("POST starts a sweep", 405, {"Allow": "POST"}, mimetype="text/plain")
    swept = asdict(_monitor()(_tell))
    failed = bool(swept["errors"])
    level = logging.ERROR if failed else logging.INFO
    log.log(level, "swept: %s", json.dumps(swept), extra={"swept": swept})
    return Response(json.dumps(swept), 500 if failed else 200, mimetype="application/json")


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


@cache
def _monitor() -> wiring.Monitor:
    """Made by the first call, in the process that handles it."""
    return wiring.connect(os.environ)
