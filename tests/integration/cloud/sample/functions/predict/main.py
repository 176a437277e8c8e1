"""Answers with what it can import, or does something bad when asked to."""

import importlib.util
import os

from perennial.notebook import note
from starlette.requests import Request
from starlette.responses import JSONResponse

hoard = []


async def predict(request: Request) -> JSONResponse:
    """Take a request."""
    match request.url.path:
        case "/die":
            os._exit(3)
        case "/kill-the-master":
            os.kill(os.getppid(), 9)
        case "/hoard":
            hoard.append(b"x" * (700 << 20))
    note("request", path=request.url.path)
    wanted = request.query_params.getlist("import")
    return JSONResponse(
        {
            "pid": os.getpid(),
            "variables": dict(os.environ),
            "found": {name: bool(importlib.util.find_spec(name)) for name in wanted},
        }
    )
