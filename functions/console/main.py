"""`console`: the operators' web page; everything is `perennial.console`."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from perennial.console.app import App
from perennial.console.rendering import Renderer
from perennial.wiring import console as wiring


@functions_framework.http
def console(request: Request) -> Response:
    """Answer a browser."""
    return _app()(request)


@cache
def _app() -> App:
    """Made by the first request, in the process that answers it."""
    return App(wiring.connect(os.environ), Renderer(Path(__file__).parent))
