"""`monitor`: translates between the scheduler's HTTP calls and `perennial.workflows.sweep`."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from dataclasses import asdict
from functools import cache

import functions_framework
from flask import Request, Response

from perennial.wiring import monitor as wiring
from perennial.workflows.sweep import Swept

log = logging.getLogger("perennial.monitor")


@functions_framework.http
def monitor(request: Request) -> Response:
    """Sweep, and answer with the counts; 500 when a part of it failed.

    Only a POST sweeps, as the scheduler sends it: looking at the function must not work for it.
    """
    if request.method != "POST":
        return Response("POST starts a sweep", 405, {"Allow": "POST"}, mimetype="text/plain")
    swept = asdict(_sweep()())
    failed = bool(swept["errors"])
    level = logging.ERROR if failed else logging.INFO
    log.log(level, "swept: %s", json.dumps(swept), extra={"swept": swept})
    return Response(json.dumps(swept), 500 if failed else 200, mimetype="application/json")


@cache
def _sweep() -> Callable[[], Swept]:
    """Made by the first call, in the process that handles it."""
    return wiring.connect(os.environ)
