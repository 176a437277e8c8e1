"""`predict`: translates between HTTP and `perennial.workflows.serve`."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache

import orjson
from starlette.requests import Request
from starlette.responses import Response

from perennial.domain import openapi
from perennial.domain.problems import MEDIA_TYPE, Problem, not_ready, unknown_pipeline
from perennial.errors import ModelError, PerennialError
from perennial.wiring import predict as wiring
from perennial.workflows.serve import Server
from perennial.workflows.serving.loading import Model
from perennial.workflows.serving.pipeline import ServedPipeline

MAX_BYTES = 8 * 1024 * 1024
MAX_INSTANCES = 10_000

_JSON = b"application/json"  # also what a body without a Content-Type is taken for

log = logging.getLogger("perennial.predict")


async def predict(request: Request) -> Response:
    """Answer a request: the target of functions-framework."""
    try:
        return await _handler(request)(request)
    except Problem as problem:
        return _problem(problem)
    except Exception as error:  # whatever it is, the answer is a problem document
        log.exception("%s %s failed", request.method, request.url.path)
        return _problem(Problem("failed", f"{type(error).__name__}; the log has the details"))


async def _status(_: Request) -> Response:
    now = datetime.now(UTC)
    pipelines = [
        {**_state(one, one.champion), "looked_up_seconds_ago": _seconds(now, one.looked_up)}
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
    model = await _asked_for(request)
    with _named(model):
        instances = _instances(await _body(request))
        answer = await _server().answer(model, instances)
    document: dict[str, object] = {
        "predictions": answer.predictions,
        "model_version": model.version,
    }
    if answer.ignored:
        document["ignored"] = answer.ignored
    return _json(document, _version_header(model))


async def _openapi(_: Request) -> Response:
    served = [one.champion for one in await _server().pipelines()]
    manifests = [model.manifest for model in served if model is not None]
    return _json(openapi.document(manifests, max_bytes=MAX_BYTES, max_instances=MAX_INSTANCES))


_Handler = Callable[[Request], Awaitable[Response]]

_ROUTES: tuple[tuple[re.Pattern[str], str, _Handler], ...] = (
    (re.compile(r"/v1/models/(?P<pipeline>[^/:]+):predict"), "POST", _predict),
    (re.compile(r"/v1/models/(?P<pipeline>[^/:]+)"), "GET", _model),
    (re.compile(r"/"), "GET", _status),
    (re.compile(r"/openapi\.json"), "GET", _openapi),
)


@cache
def _server() -> Server:
    """Made by the first request, in the process that answers it: the parent only forks."""
    return wiring.server(os.environ)


def _handler(request: Request) -> _Handler:
    path = request.scope["path"]
    for pattern, method, handler in _ROUTES:
        if match := pattern.fullmatch(path):
            allowed = ("GET", "HEAD") if method == "GET" else (method,)
            if request.method not in allowed:
                raise Problem(
                    "method-not-allowed",
                    f"{path} answers {' and '.join(allowed)}, not {request.method}",
                    headers={"Allow": ", ".join(allowed)},
                )
            request.scope["path_params"] = match.groupdict()
            return handler
    raise Problem(
        "unknown-route",
        f"no route {path}; there are GET /, GET /v1/models/{{pipeline}}, "
        "POST /v1/models/{pipeline}:predict and GET /openapi.json",
    )


async def _pipeline(request: Request) -> ServedPipeline:
    name = request.path_params["pipeline"]
    pipeline = await _server().pipeline(name)
    if pipeline is None:
        raise unknown_pipeline(name, await _server().names())
    return pipeline


async def _asked_for(request: Request) -> Model:
    """The model that must answer: the champion, or the version in the query."""
    pipeline = await _pipeline(request)
    model = await _version(request, pipeline) or pipeline.champion
    if model is None:
        raise not_ready(pipeline.error or _waiting(pipeline))
    return model


async def _version(request: Request, pipeline: ServedPipeline) -> Model | None:
    """The version in the query; None where there is none."""
    version = request.query_params.get("version") if request.scope["query_string"] else None
    if version is None:
        return None
    if pipeline.head is None:  # nobody can tell yet which versions are approved
        raise not_ready(pipeline.error or _waiting(pipeline))
    try:
        model = await pipeline.version(version)
    except PerennialError as error:
        log.exception("%s %s cannot serve", pipeline.name, version)
        raise not_ready(str(error)) from error
    if model is None:
        raise Problem("unknown-version", f"{pipeline.name} has no approved version {version!r}")
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


async def _body(request: Request) -> bytes:
    headers: dict[bytes, bytes] = dict(request.scope["headers"])
    _require_json(headers.get(b"content-type", _JSON).decode("latin-1"))
    if (encoding := headers.get(b"content-encoding", b"identity")) != b"identity":
        found = encoding.decode("latin-1")
        raise Problem("unsupported-media-type", f"cannot read Content-Encoding: {found}")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BYTES:
            raise Problem("too-large", f"a request has at most {MAX_BYTES} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _require_json(content_type: str) -> None:
    media_type, _, parameters = content_type.lower().partition(";")
    if media_type.strip() != "application/json" or parameters.strip() not in ("", "charset=utf-8"):
        raise Problem(
            "unsupported-media-type",
            f"expected Content-Type: application/json, found {content_type}",
        )


def _instances(body: bytes) -> list[object]:
    expected = '{"instances": [{"column": value, …}, …]}'
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem("malformed", f"not JSON: {error}; expected {expected}") from error
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list) or not instances:
        raise Problem("malformed", f"expected {expected} with at least one instance")
    if len(instances) > MAX_INSTANCES:
        raise Problem(
            "too-large",
            f"a request has at most {MAX_INSTANCES} instances, found {len(instances)}",
        )
    return instances


def _state(pipeline: ServedPipeline, model: Model | None) -> dict[str, object]:
    return {
        "name": pipeline.name,
        "ready": model is not None,
        "version": model and model.version,
        "error": pipeline.error or None,
    }


def _input(one: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in one.items() if key != "tensor"}


def _seconds(now: datetime, then: datetime | None) -> float | None:
    """Seconds since then; none where another machine's clock is ahead of this one's."""
    return max((now - then).total_seconds(), 0.0) if then else None


def _version_header(model: Model | None) -> dict[str, str]:
    return {"X-Model-Version": model.version} if model else {}


def _json(document: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(document), headers=headers, media_type="application/json")


def _problem(problem: Problem) -> Response:
    body = orjson.dumps(problem.document)
    return Response(body, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)
