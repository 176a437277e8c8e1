"""The training job and the scheduler's, as Cloud Run and Cloud Scheduler describe them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence

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
from perennial.domain.doctoring.services import (
    VIEWER,
    check_environment,
    check_ready,
    resources,
    shared_environment,
)
from perennial.domain.doctoring.values import seconds, whole

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_PERMISSION_DENIED = 7  # of gRPC
_HOUR_MINUTES = 60


def check_job(descriptor: Descriptor, look: Look) -> list[Finding]:
    """The training job is ready, set up as the table says, and ends before its claim does."""
    check = "train"
    if findings := unseen(check, look, role=VIEWER):
        return findings
    table = descriptor.table["job"]["train"]
    task = dig(look.document, "template", "template")
    container = dig(task, "containers", 0)
    expected = {
        "memory (MiB)": float(table["memory_mib"]),
        "cpu": float(table["cpu"]),
        "timeout (s)": float(table["timeout_seconds"]),
        "service account": account(descriptor, "train"),
    }
    found = {
        **resources(container),
        "timeout (s)": seconds(dig(task, "timeout")),
        "service account": dig(task, "serviceAccount"),
    }
    environment = shared_environment(descriptor) | {
        name: str(value) for name, value in table.get("environment", {}).items()
    }
    if descriptor.model_packages:
        environment["PERENNIAL_MODEL_PACKAGES"] = ",".join(sorted(descriptor.model_packages))
    return [
        *check_ready(check, look.document),
        *compared(check, expected, found),
        *_retries(table["max_retries"], dig(task, "maxRetries")),
        *_image(descriptor, str(dig(container, "image") or "")),
        *check_environment(check, environment, container),
        *_claim(descriptor, seconds(dig(task, "timeout"))),
        *_last_execution(look),
    ]


def check_scheduler(
    descriptor: Descriptor, look: Look, monitors: Sequence[str] | None
) -> list[Finding]:
    """The scheduler calls monitor as the table says, and its last call went well.

    Args:
        descriptor: the deployment.
        look: the scheduler's job.
        monitors: base URLs of the monitor function; None when they are not known.
    """
    check = "scheduler"
    if findings := unseen(check, look, role="roles/cloudscheduler.viewer"):
        return findings
    sweep, target = descriptor.table["sweep"], dig(look.document, "httpTarget")
    uri = str(dig(target, "uri") or "")
    expected: dict[str, object] = {
        "state": "PAUSED" if sweep.get("paused") else "ENABLED",
        "schedule": _schedule(sweep["every_minutes"]),
        "method": sweep["method"],
        "body": sweep["body"],
        "deadline (s)": float(sweep["attempt_seconds"]),
        "caller": account(descriptor, "scheduler"),
    }
    found: dict[str, object] = {
        "state": look.document.get("state"),
        "schedule": look.document.get("schedule"),
        "method": dig(target, "httpMethod"),
        "body": _decoded(dig(target, "body")),
        "deadline (s)": seconds(look.document.get("attemptDeadline")),
        "caller": dig(target, "oidcToken", "serviceAccountEmail"),
    }
    if monitors:
        meant = [monitor + sweep["path"] for monitor in monitors]
        expected["target"] = uri if _same(uri, meant) else meant[0]
        found["target"] = uri
    return [*compared(check, expected, found), *_last_attempt(look)]


def _retries(expected: int, found: object) -> list[Finding]:
    """The default is 3, so what is not said is not taken for none."""
    check = "train: retries"
    if found is None:
        fix = "look at the job in Google's console; `make deploy` sets it"
        return [unknown(check, str(expected), "the API does not say", fix)]
    return compared("train", {"retries": expected}, {"retries": found})


def _image(descriptor: Descriptor, image: str) -> list[Finding]:
    """The image is the deployment's own, by its digest: a tag may come to mean another."""
    check = "train: image"
    place = f"{descriptor.region}-docker.pkg.dev/{descriptor.project}/{descriptor.deployment}/train"
    if image.startswith(f"{place}@") and _DIGEST.search(image):
        return [ok(check, f"pinned, {image.rpartition('@')[2][:19]}…")]
    return [problem(check, f"{place}@sha256:…", image or "none", DEPLOY)]


def _claim(descriptor: Descriptor, timeout: float | None) -> list[Finding]:
    """A claim that ends before its run would let a second run start beside it."""
    check, claim = "train: claim", float(descriptor.table["claim_seconds"])
    if timeout is None:
        return []
    if claim > timeout:
        return [ok(check, f"{claim:g} s, beyond the timeout of {timeout:g} s")]
    fix = "raise claim_seconds in infra/deployment.yaml, then run `make deploy`"
    return [problem(check, f"more than {timeout:g} s", f"{claim:g} s", fix)]


def _last_execution(look: Look) -> list[Finding]:
    """A hint only: rows can make a run fail that a deployment has nothing to do with."""
    check = "train: last run"
    last = dig(look.document, "latestCreatedExecution") or {}
    status = str(last.get("completionStatus", "")).removeprefix("EXECUTION_").lower()
    name = str(last.get("name", "")).rpartition("/")[2]
    if not name:
        return [ok(check, "none yet")]
    if status in ("failed", "cancelled"):
        fix = f"look at the log of {name}; `perennial status` says what came of it"
        return [unknown(check, "a run that succeeded", f"{name} {status}", fix)]
    return [ok(check, f"{name} {status or 'started'}")]


def _last_attempt(look: Look) -> list[Finding]:
    """What came of the scheduler's last call: a gRPC code, left out when it is 0."""
    check = "scheduler: last call"
    when = look.document.get("lastAttemptTime")
    if not when:
        return [ok(check, "none yet")]
    code = whole(dig(look.document, "status", "code"))
    if code == 0:
        return [ok(check, f"{when} went well")]
    said = dig(look.document, "status", "message") or f"code {code}"
    if code == _PERMISSION_DENIED:  # whether the grant is there is another check's
        fix = "a new grant takes some minutes: look again after the next sweep"
        return [unknown(check, "success", f"{when}: {said}", fix)]
    fix = "look at monitor's logs, or run `perennial sweep` and see what it says"
    return [problem(check, "success", f"{when}: {said}", fix)]


def _schedule(minutes: int) -> str:
    """The unix-cron form of an interval that divides an hour, or of a whole hour."""
    return f"*/{minutes} * * * *" if minutes < _HOUR_MINUTES else "0 * * * *"


def _decoded(body: object) -> str | None:
    if body is None:
        return None
    try:
        return base64.b64decode(str(body), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return str(body)


def _same(uri: str, meant: Sequence[str]) -> bool:
    return uri.rstrip("/") in {each.rstrip("/") for each in meant}
