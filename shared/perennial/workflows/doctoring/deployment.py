"""A deployment in a project, held against its descriptor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from perennial.domain.descriptor import OBJECT, ROLES, Descriptor, location, models_bucket
from perennial.domain.doctoring.access import (
    LAUNCHER,
    account,
    check_bucket_policy,
    check_callers,
    check_dead_letter_access,
)
from perennial.domain.doctoring.buckets import check_bucket, check_reading
from perennial.domain.doctoring.events import check_subscription, check_topic, check_trigger
from perennial.domain.doctoring.findings import Finding, Look, ok, problem
from perennial.domain.doctoring.jobs import check_job, check_scheduler
from perennial.domain.doctoring.services import addresses, check_service, is_open
from perennial.domain.doctoring.serving import check_answers, check_closed
from perennial.errors import PerennialError
from perennial.ports import Platform

_CALLERS = {"ingest": "trigger", "predict": "caller", "monitor": "scheduler"}
"""Which part of a deployment calls which function."""

_WITH_CONDITIONS = "3"
"""The version of a policy that tells its conditional grants."""


@dataclass(frozen=True, slots=True)
class Predict:
    """How predict can be asked.

    Attributes:
        stranger: asks without a token.
        callers: ask with one, the likeliest first; raises `PerennialError` where there is none.
    """

    stranger: Platform
    callers: Iterator[Platform]


def find_descriptor(
    platform: Platform, project: str, deployment: str
) -> tuple[list[Finding], Descriptor | None]:
    """Read what a deployment says of itself; without it there is nothing to hold it against.

    Raises:
        ValueError: when no project has such an id, or no deployment can be called so.
    """
    check, where = "descriptor", location(project, deployment)
    bucket = models_bucket(project, deployment)
    look = platform.look("storage", f"storage/v1/b/{bucket}/o/{OBJECT}", alt="media")
    if look.kind == "found":
        try:
            descriptor = Descriptor.from_json(json.dumps(look.document).encode())
        except ValueError as error:
            return [problem(check, where, str(error), "run `make deploy`, which writes it")], None
        return [ok(check, where)], descriptor
    fix = {
        "absent": f"deploy with `make deploy PROJECT={project} REGION=…`, or name another project "
        "with --project, or another of its deployments with PERENNIAL_DEPLOYMENT",
        "forbidden": f"ask for roles/storage.objectViewer on gs://{bucket}",
    }.get(look.kind, "try again")
    return [problem(check, where, look.said, fix)], None


def examine(platform: Platform, predict: Predict, descriptor: Descriptor) -> Iterator[Finding]:
    """Everything that Google's APIs tell about a deployment, and whether predict answers."""
    for role in ROLES:
        yield from _bucket(platform, descriptor, role)
    yield from _events(platform, descriptor)
    monitor = Look("absent")
    for name in descriptor.services:
        look = platform.look("run", _place(descriptor, f"services/{descriptor.services[name]}"))
        yield from _service(platform, descriptor, name, look)
        monitor = look if name == "monitor" else monitor
    yield from _job(platform, descriptor)
    scheduler = _place(descriptor, f"jobs/{descriptor.scheduler_job}", version="v1")
    look = platform.look("cloudscheduler", scheduler)
    yield from check_scheduler(descriptor, look, addresses(monitor))
    yield from check_closed(descriptor, predict.stranger.look("predict", ""))
    yield from _answers(predict, descriptor)


def _bucket(platform: Platform, descriptor: Descriptor, role: str) -> Iterator[Finding]:
    path = f"storage/v1/b/{descriptor.buckets[role]}"
    look = platform.look("storage", path)
    yield from check_bucket(descriptor, role, look)
    if look.kind == "absent":
        return  # what is not there has no policy and no content
    policy = platform.look("storage", f"{path}/iam", optionsRequestedPolicyVersion=_WITH_CONDITIONS)
    yield from check_bucket_policy(descriptor, role, policy)
    yield from check_reading(role, platform.look("storage", f"{path}/o", maxResults="1"))


def _events(platform: Platform, descriptor: Descriptor) -> Iterator[Finding]:
    trigger = _place(descriptor, f"triggers/{descriptor.trigger}", version="v1")
    yield from check_trigger(descriptor, platform.look("eventarc", trigger))
    subscription = platform.look("pubsub", f"v1/{descriptor.subscription}")
    yield from check_subscription(descriptor, subscription)
    topic = platform.look("pubsub", f"v1/{descriptor.dead_letter_topic}")
    yield from check_topic(topic)
    if "absent" not in (topic.kind, subscription.kind):
        yield from check_dead_letter_access(
            platform.look("pubsub", f"v1/{descriptor.dead_letter_topic}:getIamPolicy"),
            platform.look("pubsub", f"v1/{descriptor.subscription}:getIamPolicy"),
        )


def _service(
    platform: Platform, descriptor: Descriptor, name: str, look: Look
) -> Iterator[Finding]:
    yield from check_service(descriptor, name, look)
    if look.kind == "absent":
        return
    public = name == "predict" and descriptor.predict_public
    callers = [] if public else [_caller(descriptor, name)]
    policy = platform.look(
        "run",
        _place(descriptor, f"services/{descriptor.services[name]}:getIamPolicy"),
        **{"options.requestedPolicyVersion": _WITH_CONDITIONS},
    )
    if is_open(look):
        # Then its policy means nothing: nobody is asked for a name.
        everybody = {"bindings": [{"role": "", "members": ["allUsers"]}]}
        policy, callers = Look("found", everybody), []
    yield from check_callers(name, callers, policy, public=public)


def _job(platform: Platform, descriptor: Descriptor) -> Iterator[Finding]:
    path = _place(descriptor, f"jobs/{descriptor.train_job}")
    look = platform.look("run", path)
    yield from check_job(descriptor, look)
    if look.kind == "absent":
        return
    policy = platform.look(
        "run", f"{path}:getIamPolicy", **{"options.requestedPolicyVersion": _WITH_CONDITIONS}
    )
    launchers = [account(descriptor, name) for name in ("ingest", "monitor")]
    yield from check_callers("train", launchers, policy, role=LAUNCHER)


def _answers(predict: Predict, descriptor: Descriptor) -> list[Finding]:
    look, why = None, "no identity token"
    try:
        for caller in predict.callers:
            look = caller.look("predict", "")
            if look.kind != "forbidden":
                break
    except PerennialError as error:
        why = str(error)
    return check_answers(descriptor, look, why)


def _caller(descriptor: Descriptor, name: str) -> str:
    part = _CALLERS.get(name, "caller")
    return descriptor.caller if part == "caller" else account(descriptor, part)


def _place(descriptor: Descriptor, resource: str, *, version: str = "v2") -> str:
    return f"{version}/projects/{descriptor.project}/locations/{descriptor.region}/{resource}"
