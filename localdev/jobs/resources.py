"""The JSON of the Cloud Run Admin API v2: Execution, Operation, errors.

As the API does, fields at their default (a count of zero, an empty string) are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from localdev.jobs.ledger import Execution, State

_TYPE = "type.googleapis.com/google.cloud.run.v2.Execution"

_CONDITION = {
    State.QUEUED: "CONDITION_PENDING",
    State.RUNNING: "CONDITION_RECONCILING",
    State.SUCCEEDED: "CONDITION_SUCCEEDED",
    State.FAILED: "CONDITION_FAILED",
}

# What fails an execution for a reason of its own; other reasons are common to all resources.
_EXECUTION_REASONS = {"NON_ZERO_EXIT_CODE", "CANCELLED"}


def execution_name(parent: str, execution: Execution) -> str:
    """The full resource name: `{parent}/jobs/{job}/executions/{id}`."""
    return f"{parent}/jobs/{execution.job}/executions/{execution.id}"


def execution_resource(parent: str, execution: Execution, log: Path) -> dict[str, Any]:
    """An Execution.

    Args:
        parent: `projects/{project}/locations/{region}`.
        execution: which one.
        log: the file that its output goes to.
    """
    state = execution.state
    document = {
        "name": execution_name(parent, execution),
        "uid": execution.uid,
        "generation": "1",
        "job": execution.job,
        "createTime": execution.created,
        "startTime": execution.started,
        "completionTime": execution.completed,
        "updateTime": execution.completed or execution.started or execution.created,
        "launchStage": "GA",
        "parallelism": 1,
        "taskCount": 1,
        "template": {"timeout": f"{execution.timeout_seconds:g}s"},
        "reconciling": not state.final,
        "conditions": _conditions(execution),
        "observedGeneration": "1",
        "runningCount": int(state is State.RUNNING),
        "succeededCount": int(state is State.SUCCEEDED),
        "failedCount": int(state is State.FAILED),
        "logUri": log.absolute().as_uri(),
    }
    return {name: value for name, value in document.items() if value}


def _conditions(execution: Execution) -> list[dict[str, Any]]:
    started = execution.started
    completed = {
        "type": "Completed",
        "state": _CONDITION[execution.state],
        "message": execution.message,
        "lastTransitionTime": execution.completed or started or execution.created,
    }
    if execution.reason:
        field = "executionReason" if execution.reason in _EXECUTION_REASONS else "reason"
        completed[field] = execution.reason
    begun = {
        "type": "Started",
        "state": "CONDITION_SUCCEEDED" if started else "CONDITION_PENDING",
        "lastTransitionTime": started or execution.created,
    }
    return [{name: value for name, value in item.items() if value} for item in (completed, begun)]


def operation_resource(parent: str, execution: Execution, log: Path) -> dict[str, Any]:
    """The long-running operation that `jobs.run` answers with; its metadata is the Execution."""
    resource = {"@type": _TYPE, **execution_resource(parent, execution, log)}
    document: dict[str, Any] = {
        "name": f"{parent}/operations/{execution.uid}",
        "metadata": resource,
    }
    if execution.state is State.SUCCEEDED:
        document |= {"done": True, "response": resource}
    elif execution.state is State.FAILED:
        document |= {"done": True, "error": {"code": 13, "message": execution.message}}
    return document


def error_resource(code: int, status: str, message: str) -> dict[str, Any]:
    """An error as Google's APIs answer it."""
    return {"error": {"code": code, "message": message, "status": status}}
