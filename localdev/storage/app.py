"""The application: from a request, by way of its fault if one is due, to its answer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from localdev.storage.access import NOBODY, Access
from localdev.storage.calls import Call, answer
from localdev.storage.connection import close, cut_receive, cut_send
from localdev.storage.engine import Engine
from localdev.storage.errors import (
    ApiError,
    NotModified,
    RangeNotSatisfiable,
    error_body,
)
from localdev.storage.faults import HEADER, Fault, FaultPlans
from localdev.storage.handlers import (
    buckets,
    composition,
    copies,
    downloads,
    metadata,
    resumable,
    uploads,
)
from localdev.storage.handlers.batches import batch
from localdev.storage.routing import Target, route
from localdev.storage.sessions import Progress

Handler = Callable[[Call], Awaitable[Response]]

_HANDLERS: dict[str, Handler] = {
    "insert_bucket": buckets.insert,
    "get_bucket": buckets.get,
    "list_buckets": buckets.list_buckets,
    "patch_bucket": buckets.patch,
    "delete_bucket": buckets.delete,
    "get_policy": buckets.get_policy,
    "list_notifications": buckets.list_notifications,
    "set_policy": buckets.set_policy,
    "service_account": buckets.service_account,
    "get": metadata.get,
    "list": metadata.list_objects,
    "patch": metadata.patch,
    "update": metadata.update,
    "delete": metadata.delete,
    "download": downloads.download,
    "insert": uploads.insert,
    "resume": resumable.resume,
    "cancel": resumable.cancel,
    "copy": copies.copy,
    "rewrite": copies.rewrite,
    "move": copies.move,
    "compose": composition.compose,
}

_CONTROLS = frozenset(("GET health", "GET faults", "POST faults", "DELETE faults"))

_log = logging.getLogger(__name__)


class Emulator:
    """The emulator as an ASGI application.

    Args:
        engine: The state that it serves.
        access: Who is held to what.
    """

    def __init__(self, engine: Engine, access: Access = NOBODY) -> None:
        self._engine = engine
        self._access = access
        self._progress = Progress()
        self._faults = FaultPlans()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or let it suffer the fault that awaits it."""
        fault = self._due_fault(Request(scope)) if self._faults.pending else None
        try:
            if fault is None:
                await self._serve(scope, receive, send)
            else:
                await self._suffer(fault, scope, receive, send)
        except ClientDisconnect:
            _log.debug("The client left in the middle of %s", scope["raw_path"])

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _suffer(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        match fault.do:
            case "status":
                body = error_body(fault.status, "backendError", "This fault was ordered.")
                await answer(body, fault.status)(scope, receive, send)
            case "delay":
                await asyncio.sleep(fault.seconds)
                await self._serve(scope, receive, send)
            case "cut" if scope["method"] in ("POST", "PUT", "PATCH"):
                await self._serve_cut_short(scope, receive, send, fault.after_bytes)
            case "cut":
                await self._serve(scope, receive, cut_send(scope, receive, send, fault.after_bytes))
            case _:
                await self._respond(Request(scope, receive))
                await close(scope, receive)

    async def _serve_cut_short(
        self, scope: Scope, receive: Receive, send: Send, after_bytes: int
    ) -> None:
        try:
            await self._serve(scope, cut_receive(receive, after_bytes), send)
        except ClientDisconnect:
            # Only now: whoever sees the cut can rely on what came before it being kept.
            await close(scope, receive)

    def _due_fault(self, request: Request) -> Fault | None:
        try:
            target = _target(request)
        except ApiError:
            return None
        if target.operation in _CONTROLS:
            return None
        return self._faults.take(request.headers.get(HEADER), request.method, target)

    async def _respond(self, request: Request) -> Response:
        try:
            target = _target(request)
            caller = self._access.caller(request.headers.get("authorization"))
            call = Call(self._engine, self._progress, request, target, request.query_params, caller)
            if target.operation in _CONTROLS:
                return await self._control(call)
            caller.check(target)
            if target.operation == "batch":
                return await batch(call, self._respond)
            return await _HANDLERS[target.operation](call)
        except ApiError as refusal:
            return refused(refusal)
        except ClientDisconnect:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer
            _log.exception("%s %s failed", request.method, request.scope["raw_path"])
            return answer(error_body(500, "internalError", "The emulator itself failed."), 500)

    async def _control(self, call: Call) -> Response:
        match call.target.operation:
            case "POST faults":
                self._faults.add(await call.document())
            case "DELETE faults":
                self._faults.clear()
        return answer({"status": "ready", "faults": self._faults.shown()})


def refused(refusal: ApiError) -> Response:
    """The answer that tells of a refusal."""
    if isinstance(refusal, NotModified):
        return Response(status_code=refusal.status)
    response = answer(refusal.to_json(), refusal.status)
    if isinstance(refusal, RangeNotSatisfiable):
        response.headers["content-range"] = f"bytes */{refusal.size}"
    return response


def _target(request: Request) -> Target:
    return route(request.method, request.scope["raw_path"], request.query_params)
