"""Notes every call."""

import flask
from perennial.notebook import note


def monitor(request: flask.Request) -> str:
    """Take a request."""
    note("monitor", method=request.method, body=request.get_json())
    return "ok"
