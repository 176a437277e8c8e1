"""The HTTP side: `jobs.run`, `executions.get`, `executions.list`, `operations.get`."""

from __future__ import annotations

import json
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from localdev.jobs.ledger import Execution
from localdev.jobs.overrides import BadRequest, Overrides
from localdev.jobs.resources import error_resource, execution_resource, operation_resource
from localdev.jobs.runner import Runner
from localdev.jobs.specification import Job

_PARENT = "/v2/projects/{project}/locations/{region}"
_PAGE_SIZE = 100


class JobsApi:
    """Answers requests about the runner's jobs.

    Args:
        runner: has the jobs, runs the executions.
        project, region: the only ones that exist here.
    """

    def __init__(self, runner: Runner, project: str, region: str) -> None:
        self._runner = runner
        self._parent = f"projects/{project}/locations/{region}"

    def application(self) -> Starlette:
        """The ASGI application."""
        executions = f"{_PARENT}/jobs/{{job}}/executions"
        return Starlette(
            routes=[
                Route("/", self._health),
                Route(f"{_PARENT}/jobs/{{job}}:run", self._run, methods=["POST"]),
                Route(executions, self._list),
                Route(f"{executions}/{{execution}}", self._get),
                Route(f"{_PARENT}/operations/{{operation}}", self._operation),
            ],
            exception_handlers={HTTPException: _answer_error},
        )

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"jobs": sorted(self._runner.jobs)})

    async def _run(self, request: Request) -> Response:
        job = self._job(request)
        try:
            overrides = Overrides.parse(await request.body())
        except BadRequest as error:
            raise HTTPException(400, str(error)) from None
        execution = self._runner.accept(
            job, overrides.arguments, overrides.environment, overrides.timeout_seconds
        )
        log = self._runner.log_of(execution)
        return JSONResponse(operation_resource(self._parent, execution, log))

    async def _get(self, request: Request) -> Response:
        job = self._job(request)
        try:
            execution = self._runner.ledger.get(request.path_params["execution"])
        except KeyError:
            raise _not_found(request) from None
        if execution.job != job.name:
            raise _not_found(request)
        return JSONResponse(self._resource(execution))

    async def _list(self, request: Request) -> Response:
        job = self._job(request)
        try:
            size = min(int(request.query_params.get("pageSize") or _PAGE_SIZE), _PAGE_SIZE)
            token = request.query_params.get("pageToken")
            before = int(token) if token else None
        except ValueError:
            raise HTTPException(400, "pageSize or pageToken is invalid") from None
        found = self._runner.ledger.of(job.name, limit=size + 1, before=before)
        page = found[:size]
        answer: dict[str, Any] = {"executions": [self._resource(item) for item in page]}
        if len(found) > size:
            answer["nextPageToken"] = str(page[-1].number)
        return JSONResponse(answer)

    async def _operation(self, request: Request) -> Response:
        self._require_parent(request)
        execution = self._runner.ledger.with_uid(request.path_params["operation"])
        if execution is None:
            raise _not_found(request)
        log = self._runner.log_of(execution)
        return JSONResponse(operation_resource(self._parent, execution, log))

    def _resource(self, execution: Execution) -> dict[str, Any]:
        return execution_resource(self._parent, execution, self._runner.log_of(execution))

    def _job(self, request: Request) -> Job:
        self._require_parent(request)
        job = self._runner.jobs.get(request.path_params["job"])
        if job is None:
            raise _not_found(request)
        return job

    def _require_parent(self, request: Request) -> None:
        parts = request.path_params
        if self._parent != f"projects/{parts['project']}/locations/{parts['region']}":
            raise _not_found(request)


def _not_found(request: Request) -> HTTPException:
    return HTTPException(404, f"Resource '{request.url.path.removeprefix('/v2/')}' was not found")


async def _answer_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    names = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND", 405: "UNIMPLEMENTED"}
    status = names.get(error.status_code, "UNKNOWN")
    body = error_resource(error.status_code, status, error.detail)
    return Response(json.dumps(body), error.status_code, media_type="application/json")
