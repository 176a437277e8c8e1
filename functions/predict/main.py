"""`predict`: translates between HTTP and `perennial.workflows.serve`."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache, partial
from random import getrandbits, random
from time import perf_counter
from types import ModuleType
from urllib.parse import quote, unquote

import orjson
from starlette.background import BackgroundTask
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from perennial.domain.serving import openapi
from perennial.domain.serving.instance_values import shortened
from perennial.domain.serving.lookups import Entry
from perennial.domain.serving.media_types import CSV, JSON, body_type, prefers_csv
from perennial.domain.serving.problems import (
    MEDIA_TYPE,
    InvalidInstances,
    Problem,
    look_up_failed,
    not_ready,
    unknown_parameter,
    unknown_pipeline,
)
from perennial.domain.serving.request_rows import MAX_BYTES, MAX_INSTANCES, Rows, read_json
from perennial.errors import ModelError, PerennialError, StoreError
from perennial.wiring import predict as wiring
from perennial.workflows.serve import INLINE_INSTANCES, Server
from perennial.workflows.serving.loading import Answer, Model
from perennial.workflows.serving.lookups import Lookups
from perennial.workflows.serving.pipeline import ServedPipeline

_JSON = JSON.encode()  # also what a body without a Content-Type is taken for
_PREFLIGHT_SECONDS = 600

_REQUEST_ID = re.compile(rb"[!-~]{1,128}")
_TRACE = re.compile(rb"[0-9a-f]{2}-(?P<id>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")

log = logging.getLogger("perennial.predict")


async def predict(request: Request) -> Response:
    """Answer a request: the target of functions-framework."""
    try:
        response = await _handler(request)(request)
    except Problem as problem:
        response = _problem(problem)
    except ClientDisconnect:  # nobody reads this
        response = _problem(Problem("malformed", "the request ended early"))
    except Exception as error:  # whatever it is, the answer is a problem document
        path, _, _ = request.scope["path"].partition("/predictions/")  # a key may be personal
        log.exception("%s %s failed", request.method, path)
        response = _problem(Problem("failed", f"{type(error).__name__}; the log has the details"))
    _share(request, response)
    return response


async def _as_a_problem(_: object, request: Request, __: Exception) -> Response:
    """Answer what the framework refuses by itself: /robots.txt, methods that it does not know.

    No request is answered by that: the route or the method is one that `_handler` refuses, too.
    """
    return await predict(request)


# The framework, which makes the application after this module, has no other place for it.
ExceptionMiddleware.http_exception = _as_a_problem  # type: ignore[method-assign, assignment]  # see above


async def _status(_: Request) -> Response:
    pipelines = [
        {**_state(one, one.champion), "shadow": (shadow := one.challenger.model) and shadow.version}
        for one in await _server().pipelines()
    ]
    return _json({"service": "perennial-predict", "pipelines": pipelines})


async def _model(request: Request) -> Response:
    pipeline = await _pipeline(request)
    model = await _version(request, pipeline) or pipeline.champion
    manifest = model.manifest if model else None
    document = {
        **_state(pipeline, model),
        "digest": model and model.digest,
        "trained_through": manifest and manifest.trained_through,
        "age_seconds": manifest and _seconds(datetime.now(UTC), manifest.created),
        "inputs": [_input(one) for one in (asdict(i) for i in manifest.inputs)] if manifest else [],
    }
    return _json(document, _version_header(model))


async def _predict(request: Request) -> Response:
    began = perf_counter()
    name = _request_id(request)
    pipeline = await _pipeline(request)
    try:
        model = await _asked_for(request, pipeline)
        with _named(model):
            rows = await _rows(request, pipeline.read_by(model))
            try:
                answer = await _server().answer(pipeline, model, rows)
            except InvalidInstances as problem:
                raise problem.in_lines(rows.lines) from None
    except Problem as problem:
        problem.headers["X-Request-Id"] = name
        _server().refuse(name, pipeline, problem, (perf_counter() - began) * 1000)
        raise
    latency_ms = (perf_counter() - began) * 1000
    holdout = random() < pipeline.settings.holdout  # noqa: S311 (a share of requests, no secret)
    later = await _server().record(name, pipeline, model, rows, answer, latency_ms, holdout=holdout)
    headers = {**_version_header(model), "X-Request-Id": name}
    if holdout:
        headers["X-Holdout"] = "true"  # of CSV, this alone says so
    write = partial(_written, model, answer, request.headers.get("accept", ""), headers)
    small = len(answer.predictions) <= INLINE_INSTANCES
    response = write() if small else await _server().apart(write)
    response.background = BackgroundTask(later) if later else None
    return response


async def _preflight(request: Request) -> Response:
    """Tell a browser what a page of a declared origin may ask (`_share` names the origin)."""
    pipeline = await _pipeline(request)
    if request.headers.get("origin") not in pipeline.settings.cors:
        raise _not_allowed(request, request.scope["allowed"])
    headers = {
        "Access-Control-Allow-Methods": ", ".join(request.scope["allowed"]),
        "Access-Control-Allow-Headers": "authorization, content-type, x-request-id",
        "Access-Control-Max-Age": str(_PREFLIGHT_SECONDS),
    }
    return Response(status_code=204, headers=headers)


async def _look_up(request: Request) -> Response:
    pipeline = await _pipeline(request)
    key = _key(request)
    if pipeline.head is None:
        raise not_ready(pipeline.error or _waiting(pipeline))
    try:
        entries = await _lookups().entries(pipeline.head)
        found = await _lookups().find(entries, key)
    except StoreError as error:
        log.exception("%s: the prediction for a key cannot be looked up", pipeline.name)
        raise look_up_failed(str(error)) from error
    if found is None:
        raise _not_found(pipeline.name, key, entries)
    document = {
        "key": dict(zip(found.entry.keys, key, strict=True)),
        "prediction": found.prediction,
        "model_version": found.entry.version,
        "file": found.entry.file or None,
        "generation": int(found.entry.stem.partition("-")[0]),
        "row": found.row,
    }
    return _json(document, {"X-Model-Version": found.entry.version})


def _key(request: Request) -> list[str]:
    """The key's parts: a / within one is written as %2F, which only the raw path tells apart."""
    raw = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    _, _, key = raw.decode("latin-1").partition("?")[0].partition("/predictions/")
    try:
        return [unquote(part, errors="strict") for part in key.split("/")]
    except UnicodeDecodeError as error:
        raise Problem("malformed", f"the key is not UTF-8: {error}") from error


def _not_found(pipeline: str, key: list[str], entries: list[Entry]) -> Problem:
    told = shortened(str(key))
    if entries and all(len(entry.keys) != len(key) for entry in entries):
        columns = " and ".join(entries[0].keys)
        return Problem("malformed", f"expected a value of {columns}, with / between, found {told}")
    where = f"the latest {len(entries)} files that were scored" if entries else "any file"
    return Problem("unknown-key", f"{pipeline} has no prediction for {told} in {where}")


async def _openapi(_: Request) -> Response:
    served = [one.champion for one in await _server().pipelines()]
    manifests = [model.manifest for model in served if model is not None]
    return _json(openapi.document(manifests, max_bytes=MAX_BYTES, max_instances=MAX_INSTANCES))


_Handler = Callable[[Request], Awaitable[Response]]

_PIPELINE = r"/v1/models/(?P<pipeline>[^/:]+)"
_ROUTES: tuple[tuple[re.Pattern[str], str, _Handler, tuple[str, ...]], ...] = (
    (re.compile(rf"{_PIPELINE}:predict"), "POST", _predict, ("version",)),
    (re.compile(_PIPELINE), "GET", _model, ("version",)),
    (re.compile(rf"{_PIPELINE}/predictions/.+", re.DOTALL), "GET", _look_up, ()),
    (re.compile(r"/"), "GET", _status, ()),
    (re.compile(r"/openapi\.json"), "GET", _openapi, ()),
)
"""Path, method, who answers, and the query parameters that mean something there."""


@cache
def _server() -> Server:
    """Made by the first request, in the process that answers it: the parent only forks."""
    return wiring.server(os.environ)


@cache
def _lookups() -> Lookups:
    """Made by the first request that looks something up."""
    return wiring.lookups(os.environ)


def _handler(request: Request) -> _Handler:
    path = request.scope["path"]
    for pattern, method, handler, parameters in _ROUTES:
        if match := pattern.fullmatch(path):
            allowed = ("GET", "HEAD") if method == "GET" else (method,)
            request.scope.update(path_params=match.groupdict(), allowed=allowed)
            if request.method in allowed:
                if request.scope["query_string"]:
                    _refuse_parameters(request, parameters)
                return handler
            if "pipeline" in match.groupdict() and _is_preflight(request):
                return _preflight
            raise _not_allowed(request, allowed)
    raise Problem(
        "unknown-route",
        f"no route {shortened(path)}; there are GET /, GET /v1/models/{{pipeline}}, "
        "GET /v1/models/{pipeline}/predictions/{key}, "
        "POST /v1/models/{pipeline}:predict and GET /openapi.json",
    )


def _refuse_parameters(request: Request, known: Sequence[str]) -> None:
    """Refuse parameters that mean nothing: a misspelt version would be answered by another."""
    for name in request.query_params:
        if name not in known:
            raise unknown_parameter(name, known)


def _not_allowed(request: Request, allowed: Sequence[str]) -> Problem:
    path = shortened(request.scope["path"])
    return Problem(
        "method-not-allowed",
        f"{path} answers {' and '.join(allowed)}, not {request.method}",
        headers={"Allow": ", ".join(allowed)},
    )


def _is_preflight(request: Request) -> bool:
    return request.method == "OPTIONS" and "access-control-request-method" in request.headers


def _share(request: Request, response: Response) -> None:
    """Let pages of declared origins read the answer, also where it is a problem."""
    pipeline: ServedPipeline | None = request.scope.get("pipeline")
    if pipeline is None or not (origins := pipeline.settings.cors):
        return
    response.headers["Vary"] = "Origin"
    origin = request.headers.get("origin")
    if origin in origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        exposed = "X-Model-Version, X-Request-Id, X-Ignored-Fields, X-Holdout, Retry-After"
        response.headers["Access-Control-Expose-Headers"] = exposed


async def _pipeline(request: Request) -> ServedPipeline:
    name = request.path_params["pipeline"]
    pipeline = await _server().pipeline(name)
    if pipeline is None:
        raise unknown_pipeline(name, await _server().names())
    request.scope["pipeline"] = pipeline
    return pipeline


async def _asked_for(request: Request, pipeline: ServedPipeline) -> Model:
    """The model that must answer: the champion, or the version in the query."""
    model = await _version(request, pipeline) or pipeline.champion
    if model is None:
        raise not_ready(pipeline.error or _waiting(pipeline))
    return model


async def _version(request: Request, pipeline: ServedPipeline) -> Model | None:
    """The version in the query; None where there is none."""
    asked = request.query_params.getlist("version") if request.scope["query_string"] else []
    if not asked:
        return None
    if len(asked) > 1:
        raise Problem("malformed", f"expected at most one version, found {len(asked)}")
    (version,) = asked
    if pipeline.head is None:  # nobody can tell yet which versions are approved
        raise not_ready(pipeline.error or _waiting(pipeline))
    try:
        model = await pipeline.version(version)
    except PerennialError as error:
        log.exception("%s %s cannot serve", pipeline.name, version)
        raise not_ready(str(error)) from error
    if model is None:
        raise Problem(
            "unknown-version", f"{pipeline.name} has no approved version {shortened(version)!r}"
        )
    return model


def _waiting(pipeline: ServedPipeline) -> str:
    if pipeline.head is None:
        return "the store has not answered yet"
    if "recalled" in pipeline.head.statuses.values():
        return f"the champion of {pipeline.name} was recalled, and no version has passed since"
    return f"no version of {pipeline.name} is approved yet"


@contextmanager
def _named(model: Model) -> Iterator[None]:
    """Name the model in problems too, once it is known which one answers."""
    try:
        yield
    except ModelError as error:
        log.exception("%s %s failed", model.manifest.pipeline, model.version)
        raise Problem("failed", str(error), headers=_version_header(model)) from error
    except Problem as problem:
        problem.headers.update(_version_header(model))
        raise


def _request_id(request: Request) -> str:
    """The caller's or the platform's name of this request, or a new one."""
    headers: dict[bytes, bytes] = dict(request.scope["headers"])
    given = headers.get(b"x-request-id")
    if given and _REQUEST_ID.fullmatch(given):
        return given.decode("ascii")
    parent = headers.get(b"traceparent")
    if parent and (trace := _TRACE.fullmatch(parent)):
        return trace["id"].decode("ascii")
    return f"{getrandbits(128):032x}"


async def _rows(request: Request, kept: frozenset[str]) -> Rows:
    headers: dict[bytes, bytes] = dict(request.scope["headers"])
    given = headers.get(b"content-type", _JSON)
    is_csv = given != _JSON and body_type(given.decode("latin-1")) == CSV
    read = partial(_csv().read_csv, kept=kept) if is_csv else read_json
    body = await _body(request, headers)
    return await _server().read(partial(read, max_instances=MAX_INSTANCES), body)


async def _body(request: Request, headers: Mapping[bytes, bytes]) -> bytes:
    if (encoding := headers.get(b"content-encoding", b"identity")) != b"identity":
        found = shortened(encoding.decode("latin-1"))
        raise Problem("unsupported-media-type", f"cannot read Content-Encoding: {found}")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BYTES:
            raise Problem("too-large", f"a request has at most {MAX_BYTES} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _written(model: Model, answer: Answer, accept: str, headers: dict[str, str]) -> Response:
    """The answer, in the form that was asked for."""
    if prefers_csv(accept):
        if answer.ignored:
            headers["X-Ignored-Fields"] = _csv().named_in_header(answer.ignored)
        body = _csv().write_csv(model.manifest, answer.predictions)
        return Response(body, headers=headers, media_type="text/csv; charset=utf-8; header=present")
    document: dict[str, object] = {
        "predictions": answer.predictions,
        "model_version": model.version,
    }
    if answer.ignored:
        document["ignored"] = answer.ignored
    if "X-Holdout" in headers:
        document["holdout"] = True
    return _json(document, headers)


@cache
def _csv() -> ModuleType:
    """Loaded by the first who needs it: a cold start does not."""
    from perennial.domain.serving import csv_exchange

    return csv_exchange


def _state(pipeline: ServedPipeline, model: Model | None) -> dict[str, object]:
    age, stale = _server().age(pipeline)
    return {
        "name": pipeline.name,
        "ready": model is not None,
        "version": model and model.version,
        "champion": pipeline.head and pipeline.head.champion,
        "error": pipeline.error or None,
        "looked_up_seconds_ago": age,
        "stale": stale,
    }


def _input(one: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in one.items() if key != "tensor"}


def _seconds(now: datetime, then: datetime) -> float:
    """Seconds since then; none where another machine's clock is ahead of this one's."""
    return max((now - then).total_seconds(), 0.0)


def _version_header(model: Model | None) -> dict[str, str]:
    return {"X-Model-Version": model.version} if model else {}


def _json(document: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(document), headers=headers, media_type="application/json")


def _problem(problem: Problem) -> Response:
    body = orjson.dumps(problem.document)
    return Response(body, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)
