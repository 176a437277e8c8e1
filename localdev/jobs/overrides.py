"""The body of `jobs.run`: what one execution does differently from its job."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

_KNOWN = {"containerOverrides", "taskCount", "timeout"}
_KNOWN_OF_CONTAINER = {"name", "args", "env", "clearArgs"}


class BadRequest(Exception):
    """The body is not what the API takes; the message names the field."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What an execution replaces.

    Attributes:
        arguments: of the container's command.
        environment: variables that are set beside, or instead of, the job's.
        timeout_seconds: of the task; None for the job's.
    """

    arguments: list[str]
    environment: dict[str, str]
    timeout_seconds: float | None

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a request's body; an empty one overrides nothing.

        Raises:
            BadRequest: it is malformed, or asks for what jobs here cannot do.
        """
        try:
            document = json.loads(body or b"{}")
        except ValueError:
            raise BadRequest("the body is not JSON") from None
        overrides = _object(_object(document, "body").get("overrides", {}), "overrides")
        _only(overrides, _KNOWN, "overrides")
        if overrides.get("taskCount", 1) != 1:
            raise BadRequest("overrides.taskCount: jobs here have one task")
        containers = _list(overrides.get("containerOverrides", []), "containerOverrides")
        if len(containers) > 1:
            raise BadRequest("overrides.containerOverrides: jobs here have one container")
        container = _object(containers[0] if containers else {}, "containerOverrides[0]")
        _only(container, _KNOWN_OF_CONTAINER, "containerOverrides[0]")
        return cls(
            arguments=[str(item) for item in _list(container.get("args", []), "args")],
            environment=_environment(_list(container.get("env", []), "env")),
            timeout_seconds=_seconds(overrides.get("timeout")),
        )


def _environment(entries: list[Any]) -> dict[str, str]:
    variables = {}
    for entry in entries:
        entry = _object(entry, "env")
        _only(entry, {"name", "value"}, "env")
        if not isinstance(entry.get("name"), str) or not isinstance(entry.get("value", ""), str):
            raise BadRequest("env: name and value must be strings")
        variables[entry["name"]] = entry.get("value", "")
    return variables


def _seconds(value: Any) -> float | None:
    """A protobuf Duration in JSON: seconds with an `s` at the end."""
    if value is None:
        return None
    try:
        seconds = float(value[:-1]) if value[-1] == "s" else 0.0
    except (TypeError, ValueError, IndexError):
        seconds = 0.0
    if seconds <= 0:
        raise BadRequest(f"overrides.timeout: expected a duration such as '600s', found {value!r}")
    return seconds


def _object(value: Any, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest(f"{field}: expected an object")
    return value


def _list(value: Any, field: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadRequest(f"{field}: expected a list")
    return value


def _only(document: dict[str, Any], known: set[str], field: str) -> None:
    for name in document:
        if name not in known:
            raise BadRequest(f"Invalid JSON payload received. Unknown name \"{name}\" at '{field}'")
