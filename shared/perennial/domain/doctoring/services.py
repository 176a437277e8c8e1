"""The functions, as the Cloud Run Admin API (v2) describes the services that run them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from perennial.domain.descriptor import Descriptor
from perennial.domain.doctoring.access import account
from perennial.domain.doctoring.findings import (
    DEPLOY,
    Finding,
    Look,
    compared,
    dig,
    ok,
    problem,
    unknown,
    unseen,
)
from perennial.domain.doctoring.values import cores, mebibytes, seconds, whole

VIEWER = "roles/run.viewer"
_SUCCEEDED = "CONDITION_SUCCEEDED"
_FAILED = "CONDITION_FAILED"


def check_service(descriptor: Descriptor, name: str, look: Look) -> list[Finding]:
    """A function is ready, and set up as the table says.

    Args:
        descriptor: the deployment.
        name: the function's.
        look: its Cloud Run service.
    """
    if findings := unseen(name, look, role=VIEWER):
        return findings
    table = descriptor.table["functions"][name]
    template = dig(look.document, "template")
    container = dig(template, "containers", 0)
    expected = {
        "memory (MiB)": float(table["memory_mib"]),
        "cpu": float(table["cpu"]),
        "concurrency": table["concurrency"],
        "timeout (s)": float(table["timeout_seconds"]),
        "min instances": table["min_instances"],
        "max instances": table["max_instances"],
        "service account": account(descriptor, name),
    }
    found = {
        **resources(container),
        "concurrency": dig(template, "maxInstanceRequestConcurrency"),
        "timeout (s)": seconds(dig(template, "timeout")),
        **_instances(look.document),
        "service account": dig(template, "serviceAccount"),
    }
    environment = shared_environment(descriptor) | {
        "THREADS": str(table["concurrency"]),
        "WORKERS": "1",
    }
    if table["kind"] == "asgi":
        environment["FUNCTION_USE_ASGI"] = "1"
    environment |= table.get("environment", {})
    return [
        *check_ready(name, look.document),
        *compared(name, expected, found),
        *check_environment(name, environment, container),
    ]


def check_ready(check: str, document: Mapping[str, Any]) -> list[Finding]:
    """A service or a job has become what it was last told to be.

    Args:
        check: what it is.
        document: the resource.
    """
    check = f"{check}: state"
    condition = dig(document, "terminalCondition") or {}
    state = condition.get("state")
    said = condition.get("message") or condition.get("reason") or state or "nothing said"
    if state == _SUCCEEDED:
        return [ok(check, "ready")]
    if state == _FAILED:
        return [problem(check, "ready", said, "look at its logs, then run `make deploy`")]
    return [unknown(check, "ready", said, "it is being changed: look again in a minute")]


def shared_environment(descriptor: Descriptor) -> dict[str, str]:
    """The variables that every function and the job are given."""
    buckets = descriptor.buckets
    return {
        "PERENNIAL_LANDING_BUCKET": buckets["landing"],
        "PERENNIAL_QUARANTINE_BUCKET": buckets["quarantine"],
        "PERENNIAL_DATA_BUCKET": buckets["data"],
        "PERENNIAL_MODELS_BUCKET": buckets["models"],
        "PERENNIAL_PREDICTIONS_BUCKET": buckets["predictions"],
        "PERENNIAL_PROJECT": descriptor.project,
        "PERENNIAL_REGION": descriptor.region,
        "PERENNIAL_TRAIN_JOB": descriptor.train_job,
        "PERENNIAL_CLAIM_SECONDS": str(descriptor.table["claim_seconds"]),
        "GOOGLE_CLOUD_PROJECT": descriptor.project,
    }


def check_environment(check: str, expected: Mapping[str, str], container: Any) -> list[Finding]:
    """A container is told what it needs; what the platform adds is its own affair."""
    check = f"{check}: environment"
    found = {
        str(variable.get("name")): variable.get("value", "")
        for variable in dig(container, "env") or []
    }
    differing = {name for name, value in expected.items() if found.get(name) != value}
    if not differing:
        return [ok(check, f"{len(expected)} variables as deployed")]
    return compared(
        check,
        {name: value for name, value in expected.items() if name in differing},
        found,
        fix=DEPLOY,
    )


def resources(container: Any) -> dict[str, object]:
    """What a container may use, by the names that checks give it."""
    limits = dig(container, "resources", "limits")
    return {"memory (MiB)": mebibytes(dig(limits, "memory")), "cpu": cores(dig(limits, "cpu"))}


def addresses(look: Look) -> list[str]:
    """Every base URL of a service; it has several."""
    found = [look.document.get("uri"), *(look.document.get("urls") or [])]
    return [str(address).rstrip("/") for address in found if address]


def is_open(look: Look) -> bool:
    """Whether Cloud Run asks nobody who calls this service who they are."""
    return bool(look.document.get("invokerIamDisabled"))


def _instances(service: Mapping[str, Any]) -> dict[str, object]:
    """The bounds of a revision and of its service; the platform knows both, and minds both."""
    revision, whole_service = dig(service, "template", "scaling"), dig(service, "scaling")
    least = [whole(dig(each, "minInstanceCount")) for each in (revision, whole_service)]
    most = [whole(dig(each, "maxInstanceCount")) for each in (revision, whole_service)]
    return {
        "min instances": max(least),
        "max instances": min((bound for bound in most if bound), default=None),
    }
