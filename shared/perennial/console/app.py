"""From a request to a page: who asks, what is asked for, and what is said when it goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from perennial.console import actions, forgery, pages
from perennial.console.pace import Pace
from perennial.console.rendering import Renderer
from perennial.errors import (
    ForbiddenError,
    LaunchError,
    NotFoundError,
    PerennialError,
    PermissionDenied,
    RefusedError,
    StoreUnavailable,
    TooManyError,
    UserError,
)
from perennial.wiring.console import Console
from perennial.workflows.console.callers import Caller

log = logging.getLogger("perennial.console")

_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # With no-referrer browsers send `Origin: null` with forms, which tells nothing of a forged one.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_MOST_FORM, _MOST_TYPED = 1 << 20, 1 << 16
_QUESTIONS, _QUESTION_SECONDS = 30, 60.0
_MOST_LINES, _MOST_LINE = 200, 500
_YEAR = 31_536_000

_PAGES: Mapping[str, pages.Page] = {
    "/": pages.overview,
    "/p/<name>": pages.pipeline,
    "/p/<name>/versions": pages.versions,
    "/p/<name>/versions/<version>": pages.version,
    "/p/<name>/compare": pages.compare,
    "/p/<name>/files": pages.files,
    "/p/<name>/files/<stem>": pages.file,
    "/p/<name>/quarantine": pages.quarantine,
    "/p/<name>/findings": pages.findings,
    "/p/<name>/runs": pages.runs,
    "/p/<name>/runs/<execution>": pages.run,
    "/p/<name>/runs/<execution>/state": pages.run_state,
    "/p/<name>/history": pages.commits,
    "/p/<name>/replay": pages.replayed,
}
# Not /static/, which the framework keeps for itself.
_STATIC, _DO, _TRY = "/assets/<file>", "/p/<name>/do/<action>", "/p/<name>/try"
_ROUTES = Map(
    [
        *(Rule(path, endpoint=path, methods=["GET"]) for path in _PAGES),
        Rule(_STATIC, endpoint=_STATIC, methods=["GET"]),
        Rule(_DO, endpoint=_DO, methods=["GET", "POST"]),
        Rule(_TRY, endpoint=_TRY, methods=["POST"]),
    ],
    strict_slashes=False,
    merge_slashes=False,  # which would answer with a redirect; no link of ours has two
)
_STATUS: tuple[tuple[type[PerennialError], HTTPStatus], ...] = (
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (ForbiddenError, HTTPStatus.FORBIDDEN),
    (TooManyError, HTTPStatus.TOO_MANY_REQUESTS),
    (RefusedError, HTTPStatus.CONFLICT),
    (UserError, HTTPStatus.BAD_REQUEST),
    (StoreUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (LaunchError, HTTPStatus.SERVICE_UNAVAILABLE),
)


class App:
    """The console.

    Args:
        console: its parts.
        renderer: its templates.
    """

    def __init__(self, console: Console, renderer: Renderer) -> None:
        self._console = console
        self._renderer = renderer
        self._pace = Pace(_QUESTIONS, _QUESTION_SECONDS, console.clock)

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        response = self._answer(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def _answer(self, request: Request) -> Response:
        try:
            route, named = _ROUTES.bind_to_environ(request.environ).match()
        except MethodNotAllowed as error:
            allowed = ", ".join(sorted(error.valid_methods or ()))
            refused = _plain(f"{request.path} answers {allowed}", HTTPStatus.METHOD_NOT_ALLOWED)
            refused.headers["Allow"] = allowed
            return refused
        except NotFound:
            return self._wrong(request, HTTPStatus.NOT_FOUND, f"there is no page {request.path}")
        except HTTPException as error:
            return _plain(error.description or "", error.code or 400)
        if route == _STATIC:
            return self._static(**named)
        try:
            caller = self._console.gate.caller(request.headers.get)
        except PermissionDenied as error:
            log.warning("refused: %s", error)
            return _plain(f"Forbidden: {error}", HTTPStatus.FORBIDDEN)
        special: dict[str, Callable[..., Response]] = {_DO: self._do, _TRY: self._try}
        handler = special.get(route, self._page)
        try:
            return handler(request, caller, route, **named)
        except PerennialError as error:
            return self._wrong(request, _status_of(error, request), str(error), caller)
        except HTTPException as error:  # a form that is too large
            return _plain(error.description or "", error.code or HTTPStatus.BAD_REQUEST)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            return self._wrong(
                request, HTTPStatus.INTERNAL_SERVER_ERROR, "the log has the details", caller
            )

    def _page(self, request: Request, caller: Caller, route: str, **named: str) -> Response:
        template, shown = _PAGES[route](self._asked(request), **named)
        return self._html(request, caller, template, shown)

    def _try(self, request: Request, caller: Caller, _: str, name: str) -> Response:
        form = self._form(request, _MOST_TYPED)
        self._pace.take(caller.name)
        template, shown = pages.tried(self._asked(request), name, form)
        return self._html(request, caller, template, shown)

    def _do(self, request: Request, caller: Caller, _: str, name: str, action: str) -> Response:
        """Ask for a reason; or act, once there is one."""
        if not caller.may_act:
            return self._wrong(
                request,
                HTTPStatus.FORBIDDEN,
                f"{caller.name} reads only: `operators` in the deployment's variables lists those "
                "who may act",
                caller,
            )
        wanted = actions.action(action)
        if not wanted.heals:
            self._console.registry.require(name)
        form = self._form(request) if request.method == "POST" else {}
        subject = form.get("subject") or request.args.get("subject", "")
        fix = form.get("fix") or request.args.get("fix", "")
        given = {**form, "fix": fix}
        order = actions.Order(self._console, name, subject, caller.name, form.get("why", ""), given)
        complaint, status = "", HTTPStatus.OK
        if request.method == "POST":
            try:
                return self._act(action, wanted, order, forgery.secret(request.cookies))
            except (NotFoundError, ForbiddenError):
                raise
            except RefusedError as error:
                complaint, status = str(error), HTTPStatus.CONFLICT
            except UserError as error:
                complaint, status = str(error), HTTPStatus.BAD_REQUEST
        shown = {
            "name": name,
            "action": action,
            "title": wanted.title,
            "effect": wanted.effect.format(subject=subject or "The version"),
            "danger": wanted.danger,
            "subject": subject,
            "about": order.file.name if wanted.heals else subject,
            "back": f"/p/{name}/files/{subject}" if wanted.heals else f"/p/{name}",
            "fix": fix,
            "foreseen": _foreseen(wanted, order),
            "why": form.get("why", ""),
            "complaint": complaint,
        }
        return self._html(request, caller, "confirm.html", shown, status)

    def _act(
        self, name: str, wanted: actions.Action, order: actions.Order, secret: str
    ) -> Response:
        order = replace(order, why=actions.reason_of(order.why))
        try:
            done = wanted.act(order)
        finally:  # what failed may have happened, or somebody else was first
            self._console.snapshots.forget(order.pipeline)
        log.info(
            "%s: %s %s by %s: %s", order.pipeline, name, order.subject, order.by, order.why,
            extra={
                "pipeline": order.pipeline, "action": name, "subject": order.subject,
                "by": order.by, "why": order.why, "outcome": done.message,
            },
        )  # fmt: skip
        mark = "&" if "?" in done.place else "?"
        stamp = forgery.stamp(secret, unquote(done.place.partition("?")[0]), name)
        place = f"{done.place}{mark}done={stamp}"
        return redirect(place, HTTPStatus.SEE_OTHER, Response)

    def _form(self, request: Request, most: int = _MOST_FORM) -> dict[str, str]:
        """What a form of ours holds, of so many bytes at most.

        Raises:
            ForbiddenError: when it is none of ours.
        """
        request.max_content_length = most
        form = request.form.to_dict()
        given = form.get(forgery.FIELD, "")
        forgery.check(request.headers.get, request.cookies, given, request.host)
        return form

    def _asked(self, request: Request) -> pages.Asked:
        return pages.Asked(self._console, request.args.to_dict())

    def _static(self, file: str) -> Response:
        found = self._renderer.static(file)
        if found is None:
            return _plain("no such file", HTTPStatus.NOT_FOUND)
        response = Response(found[0], content_type=found[1])
        response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
        return response

    def _wrong(
        self, request: Request, status: HTTPStatus, said: str, caller: Caller | None = None
    ) -> Response:
        if caller is None:  # nobody who is known
            try:
                caller = self._console.gate.caller(request.headers.get)
            except PermissionDenied:
                return _plain(status.phrase, status)
        shown = {"title": status.phrase, "said": said[:2000]}
        return self._html(request, caller, "wrong.html", shown, status)

    def _html(
        self,
        request: Request,
        caller: Caller,
        template: str,
        shown: Mapping[str, Any],
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        secret = forgery.secret(request.cookies)
        body = self._renderer.page(
            template,
            reader=caller,
            form=secret,
            now=self._console.clock.now(),
            path=request.path,
            done=actions.ACTIONS.get(
                forgery.stamped(request.cookies, request.path, request.args.get("done", ""))
            ),
            **shown,
        )
        response = Response(body, status, content_type="text/html; charset=utf-8")
        if request.cookies.get(forgery.COOKIE) != secret:
            response.set_cookie(
                forgery.COOKIE, secret, httponly=True, samesite="Strict", secure=_is_secure(request)
            )
        return response


def _status_of(error: PerennialError, request: Request) -> HTTPStatus:
    """What an error is to a browser; the log is told of what is no fault of whoever asks."""
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), None)
    if status is None:
        log.error("%s %s failed", request.method, request.path, exc_info=error)
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("%s %s failed: %s", request.method, request.path, error)
    return status or HTTPStatus.INTERNAL_SERVER_ERROR


def _foreseen(wanted: actions.Action, order: actions.Order) -> list[str]:
    if wanted.foresee is None:
        return []
    try:
        lines = wanted.foresee(order)
    except PerennialError as error:
        lines = [str(error)]
    return [
        one if len(one) <= _MOST_LINE else f"{one[:_MOST_LINE]}…" for one in lines[:_MOST_LINES]
    ]


def _is_secure(request: Request) -> bool:
    """Whether the browser speaks https, be it to a proxy before this."""
    return request.is_secure or request.headers.get("X-Forwarded-Proto") == "https"


def _plain(text: str, status: int) -> Response:
    return Response(text + "\n", status, content_type="text/plain; charset=utf-8")
