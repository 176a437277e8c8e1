"""Each setting that drifted from the table is named, with what was found instead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from perennial.domain.descriptor import Descriptor
from perennial.domain.doctoring.findings import Finding

from .diagnosis import diagnose, wrong
from .documents import Google, changed, place

LANDING = ("storage", "storage/v1/b/acme-1-perennial-landing")
TRIGGER = ("eventarc", "triggers/perennial-ingest", "v1")
SUBSCRIPTION = ("pubsub", "v1/projects/acme-1/subscriptions/eventarc-europe-west1-ingest-sub-042")
PREDICT = ("run", "services/perennial-predict")
JOB = ("run", "jobs/perennial-train")
SCHEDULER = ("cloudscheduler", "jobs/perennial-sweep", "v1")


@pytest.mark.parametrize(
    ("at", "path", "value", "check", "found"),
    [
        (LANDING, "location", "US", "landing bucket: region", "us"),
        (
            LANDING,
            "iamConfiguration|uniformBucketLevelAccess",
            {"enabled": False},
            "landing bucket: uniform access",
            "off",
        ),
        (
            LANDING,
            "iamConfiguration|publicAccessPrevention",
            "inherited",
            "landing bucket: public access prevention",
            "inherited",
        ),
        (LANDING, "versioning", None, "landing bucket: versioning", "off"),
        (TRIGGER, "eventFilters|0|value", "other", "trigger: bucket", "other"),
        (TRIGGER, "eventFilters|1|value", "google.x", "trigger: event type", "google.x"),
        (
            TRIGGER,
            "destination|cloudRun|service",
            "old",
            "trigger: destination",
            "old in europe-west1",
        ),
        (TRIGGER, "transport", None, "trigger: subscription", "not set"),
        (
            TRIGGER,
            "conditions",
            {"service": {"code": "NOT_FOUND", "message": "no such service"}},
            "trigger",
            "service: no such service",
        ),
        (SUBSCRIPTION, "ackDeadlineSeconds", 10, "subscription: ack deadline (s)", "10"),
        (SUBSCRIPTION, "ackDeadlineSeconds", None, "subscription: ack deadline (s)", "10"),
        (
            SUBSCRIPTION,
            "retryPolicy|minimumBackoff",
            "60s",
            "subscription: first pause (s)",
            "60",
        ),
        (
            SUBSCRIPTION,
            "retryPolicy|maximumBackoff",
            "60s",
            "subscription: longest pause (s)",
            "60",
        ),
        (
            SUBSCRIPTION,
            "deadLetterPolicy|maxDeliveryAttempts",
            5,
            "subscription: attempts",
            "5",
        ),
        (
            SUBSCRIPTION,
            "messageRetentionDuration",
            "86400s",
            "subscription: retention (s)",
            "86400",
        ),
        (SUBSCRIPTION, "expirationPolicy|ttl", "2678400s", "subscription: expiry", "2678400s"),
        (
            SUBSCRIPTION,
            "pushConfig|oidcToken|serviceAccountEmail",
            "x@y",
            "subscription: caller",
            "x@y",
        ),
        (
            SUBSCRIPTION,
            "state",
            "RESOURCE_ERROR",
            "subscription: state",
            "it cannot push to ingest",
        ),
        (
            SUBSCRIPTION,
            "topic",
            "_deleted-topic_",
            "subscription: state",
            "it is not, and receives nothing",
        ),
        (
            PREDICT,
            "terminalCondition",
            {"state": "CONDITION_FAILED", "message": "Revision is not ready: exit(1)."},
            "predict: state",
            "Revision is not ready: exit(1).",
        ),
        (
            PREDICT,
            "template|containers|0|resources|limits|memory",
            "256Mi",
            "predict: memory (MiB)",
            "256",
        ),
        (
            PREDICT,
            "template|containers|0|resources|limits|memory",
            "512M",
            "predict: memory (MiB)",
            "488.281",
        ),
        (PREDICT, "template|containers|0|resources|limits|cpu", "80m", "predict: cpu", "0.08"),
        (PREDICT, "template|maxInstanceRequestConcurrency", 1, "predict: concurrency", "1"),
        (PREDICT, "template|timeout", "300s", "predict: timeout (s)", "300"),
        (PREDICT, "template|scaling|maxInstanceCount", 100, "predict: max instances", "100"),
        (PREDICT, "scaling", {"maxInstanceCount": 3}, "predict: max instances", "3"),
        (PREDICT, "scaling", {"minInstanceCount": 1}, "predict: min instances", "1"),
        (
            PREDICT,
            "template|serviceAccount",
            "123-compute@developer.gserviceaccount.com",
            "predict: service account",
            "123-compute@developer.gserviceaccount.com",
        ),
        (
            PREDICT,
            "template|containers|0|env|0",
            {"name": "PERENNIAL_LANDING_BUCKET"},
            "predict: environment: PERENNIAL_LANDING_BUCKET",
            "not set",
        ),
        (
            PREDICT,
            "template|containers|0|env",
            None,
            "predict: environment: FUNCTION_USE_ASGI",
            "not set",
        ),
        (JOB, "template|template|maxRetries", 3, "train: retries", "3"),
        (JOB, "template|template|timeout", "600s", "train: timeout (s)", "600"),
        (JOB, "template|template|timeout", "7200s", "train: claim", "7200 s"),
        (
            JOB,
            "template|template|containers|0|image",
            "europe-west1-docker.pkg.dev/acme-1/perennial/train:latest",
            "train: image",
            "europe-west1-docker.pkg.dev/acme-1/perennial/train:latest",
        ),
        (
            JOB,
            "template|template|containers|0|resources|limits|memory",
            "512Mi",
            "train: memory (MiB)",
            "512",
        ),
        (JOB, "template|template|containers", None, "train: cpu", "not set"),
        (SCHEDULER, "state", "PAUSED", "scheduler: state", "PAUSED"),
        (SCHEDULER, "schedule", "0 0 * * *", "scheduler: schedule", "0 0 * * *"),
        (
            SCHEDULER,
            "httpTarget|uri",
            "https://old.a.run.app/",
            "scheduler: target",
            "https://old.a.run.app/",
        ),
        (SCHEDULER, "httpTarget|oidcToken", None, "scheduler: caller", "not set"),
        (SCHEDULER, "httpTarget|body", "W10=", "scheduler: body", "[]"),
        (SCHEDULER, "attemptDeadline", "180s", "scheduler: deadline (s)", "180"),
        (
            SCHEDULER,
            "status",
            {"code": 13, "message": "INTERNAL"},
            "scheduler: last call",
            "2026-11-21T09:50:00.123Z: INTERNAL",
        ),
    ],
)
def test_a_drift_is_named_with_what_was_found(
    google: Google,
    descriptor: Descriptor,
    at: tuple[str, ...],
    path: str,
    value: Any,
    check: str,
    found: str,
) -> None:
    service, resource = at[0], at[1]
    if service not in ("storage", "pubsub"):
        resource = place(descriptor, resource, version=at[2] if len(at) > 2 else "v2")
    changed(google.documents[service, resource], path, value)

    findings = {one.check: one for one in wrong(diagnose(google, descriptor))}

    assert findings[check].state == "problem"
    assert findings[check].found == found
    assert findings[check].expected
    assert findings[check].fix


def test_a_drift_is_the_only_thing_that_is_said_to_be_wrong(
    google: Google, descriptor: Descriptor
) -> None:
    changed(google.documents[SUBSCRIPTION], "ackDeadlineSeconds", 10)

    assert wrong(diagnose(google, descriptor)) == [
        Finding(
            "subscription: ack deadline (s)",
            "problem",
            "600",
            "10",
            "run `make deploy`, which sets it",
        )
    ]


def test_a_call_that_was_refused_says_to_look_again(google: Google, descriptor: Descriptor) -> None:
    """The first tick may come before its grant is known everywhere; the grant is checked apart."""
    service, resource, version = SCHEDULER
    at = service, place(descriptor, resource, version=version)
    changed(google.documents[at], "status", {"code": 7, "message": "PERMISSION_DENIED"})
    findings = {one.check: one for one in wrong(diagnose(google, descriptor))}
    assert findings["scheduler: last call"].state == "unknown"


def test_a_job_that_was_not_told_of_its_packages_is_a_problem(
    descriptor: Descriptor, google: Google
) -> None:
    descriptor = replace(descriptor, model_packages={"house_models": "a" * 64, "b": "b" * 64})
    (found,) = wrong(diagnose(google, descriptor))
    assert found.check == "train: environment: PERENNIAL_MODEL_PACKAGES"
    assert (found.expected, found.found) == ("b,house_models", "not set")
