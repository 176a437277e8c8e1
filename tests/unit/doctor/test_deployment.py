"""A deployment that is as it must be has nothing but ok; each drift is named, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from perennial.domain.descriptor import Descriptor
from perennial.domain.doctoring.findings import Finding, Look
from perennial.errors import ConfigError
from perennial.workflows.doctoring.deployment import Predict, examine, find_descriptor

from .documents import AGENT, Answer, Google, changed, deployment, member, place, policy

REFUSED = Look("forbidden", said="403 Forbidden", status=403)
ANSWERED = Look("found", {"pipelines": [{"name": "flowers"}, {"name": "bikes"}]}, status=200)


@pytest.fixture
def google(descriptor: Descriptor) -> Google:
    return Google(deployment(descriptor))


def diagnose(
    google: Google, descriptor: Descriptor, *, stranger: Look = REFUSED, caller: Look = ANSWERED
) -> list[Finding]:
    return list(examine(google, Predict(Answer(stranger), iter([Answer(caller)])), descriptor))


def wrong(findings: list[Finding]) -> list[Finding]:
    return [found for found in findings if found.state != "ok"]


def test_nothing_is_wrong_with_what_is_as_deployed(google: Google, descriptor: Descriptor) -> None:
    findings = diagnose(google, descriptor)

    assert wrong(findings) == []
    assert {found.check: found.found for found in findings}["predict: answers"] == (
        "pipelines: flowers, bikes"
    )


def test_every_resource_is_looked_at(google: Google, descriptor: Descriptor) -> None:
    """Whatever goes missing, something is said of it."""
    for at in list(google.documents):
        google.instead = {at: Look("absent", said="404 Not Found", status=404)}
        assert wrong(diagnose(google, descriptor)), at


@pytest.mark.parametrize("kind", ["forbidden", "silent"])
def test_what_cannot_be_seen_is_unknown_and_says_what_would_help(
    google: Google, descriptor: Descriptor, kind: Any
) -> None:
    said = Look(kind, said="403 Permission denied on resource", status=403)
    for at in list(google.documents):
        google.instead = {at: said}
        findings = wrong(diagnose(google, descriptor))
        assert findings, at
        assert {found.state for found in findings} == {"unknown"}, at
        assert all(
            found.fix.startswith("ask for the role roles/" if kind == "forbidden" else "try again")
            for found in findings
        )


def test_an_api_that_is_not_enabled_is_a_problem(google: Google, descriptor: Descriptor) -> None:
    at = ("cloudscheduler", place(descriptor, "jobs/perennial-sweep", version="v1"))
    google.instead = {at: Look("disabled", said="403 it has not been used in project 1")}

    (found,) = wrong(diagnose(google, descriptor))

    assert (found.check, found.state) == ("scheduler", "problem")
    assert found.fix == "run `make deploy`, which enables it"


LANDING = ("storage", "storage/v1/b/acme-perennial-landing")
TRIGGER = ("eventarc", "triggers/perennial-ingest", "v1")
SUBSCRIPTION = ("pubsub", "v1/projects/acme/subscriptions/eventarc-europe-west1-ingest-sub-042")
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
            "europe-west1-docker.pkg.dev/acme/perennial/train:latest",
            "train: image",
            "europe-west1-docker.pkg.dev/acme/perennial/train:latest",
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


@pytest.mark.parametrize("everybody", ["allUsers", "allAuthenticatedUsers"])
@pytest.mark.parametrize("role", ["landing", "models", "predictions"])
def test_no_bucket_is_everybodys(
    google: Google, descriptor: Descriptor, role: str, everybody: str
) -> None:
    path = f"storage/v1/b/{descriptor.buckets[role]}/iam"
    google.documents["storage", path] = policy(("roles/storage.objectViewer", everybody))

    (found,) = wrong(diagnose(google, descriptor))

    assert (found.check, found.state) == (f"{role} bucket: access", "problem")
    assert everybody in found.found


@pytest.mark.parametrize(
    "role",
    ["roles/storage.objectCreator", "roles/storage.objectAdmin", "projects/acme/roles/custom"],
)
def test_nothing_of_the_deployment_writes_into_landing(
    google: Google, descriptor: Descriptor, role: str
) -> None:
    path = "storage/v1/b/acme-perennial-landing/iam"
    google.documents["storage", path] = policy((role, member(descriptor, "monitor")))

    (found,) = wrong(diagnose(google, descriptor))

    assert (found.check, found.state) == ("landing bucket: access", "problem")
    assert found.found == f"perennial-monitor@acme.iam.gserviceaccount.com has {role}"


def test_users_may_write_into_landing(google: Google, descriptor: Descriptor) -> None:
    google.documents["storage", "storage/v1/b/acme-perennial-landing/iam"] = policy(
        ("roles/storage.objectCreator", "user:rosa@acme.example"),
        ("roles/storage.objectCreator", "serviceAccount:uploads@acme.iam.gserviceaccount.com"),
    )

    assert wrong(diagnose(google, descriptor)) == []


class TestPredict:
    def test_open_to_everybody_is_a_problem(self, google: Google, descriptor: Descriptor) -> None:
        path = place(descriptor, "services/perennial-predict:getIamPolicy")
        grants = google.documents["run", path]["bindings"]
        grants.append({"role": "roles/run.invoker", "members": ["allUsers"]})

        findings = wrong(diagnose(google, descriptor, stranger=ANSWERED))

        assert {one.check for one in findings} == {"predict: callers", "predict: strangers"}
        assert {one.state for one in findings} == {"problem"}

    def test_asking_nobodys_name_is_a_problem(self, google: Google, descriptor: Descriptor) -> None:
        google.documents["run", place(descriptor, PREDICT[1])]["invokerIamDisabled"] = True

        (found,) = wrong(diagnose(google, descriptor))

        assert (found.check, found.found) == ("predict: callers", "open to allUsers")

    def test_open_to_everybody_is_right_where_that_is_meant(
        self, google: Google, descriptor: Descriptor
    ) -> None:
        public = replace(descriptor, predict_public=True)
        path = place(descriptor, "services/perennial-predict:getIamPolicy")
        google.documents["run", path] = policy(("roles/run.invoker", "allUsers"))

        assert wrong(diagnose(google, public, stranger=ANSWERED)) == []
        restricted = wrong(diagnose(google, public))
        assert [one.check for one in restricted] == ["predict: strangers"]

    def test_only_predict_can_be_meant_to_be_public(
        self, google: Google, descriptor: Descriptor
    ) -> None:
        public = replace(descriptor, predict_public=True)
        path = place(descriptor, "services/perennial-ingest:getIamPolicy")
        google.documents["run", path] = policy(
            ("roles/run.invoker", "allUsers", member(descriptor, "trigger"))
        )
        checks = [one.check for one in wrong(diagnose(google, public, stranger=ANSWERED))]

        assert "ingest: callers" in checks

    @pytest.mark.parametrize(
        ("look", "state"),
        [
            (Look("silent", said="503 Service Unavailable", status=503), "problem"),
            (Look("absent", said="404 Not Found", status=404), "problem"),
            (REFUSED, "unknown"),
        ],
    )
    def test_must_answer_those_who_may_ask(
        self, google: Google, descriptor: Descriptor, look: Look, state: str
    ) -> None:
        (found,) = wrong(diagnose(google, descriptor, caller=look))

        assert (found.check, found.state) == ("predict: answers", state)

    def test_whoever_may_ask_is_found_among_several(
        self, google: Google, descriptor: Descriptor
    ) -> None:
        predict = Predict(Answer(REFUSED), iter([Answer(REFUSED), Answer(ANSWERED)]))

        assert wrong(list(examine(google, predict, descriptor))) == []

    def test_without_a_token_it_is_unknown_whether_it_answers(
        self, google: Google, descriptor: Descriptor
    ) -> None:
        def nobody() -> Iterator[Answer]:
            raise ConfigError("no token for rosa")
            yield

        predict = Predict(Answer(REFUSED), nobody())
        (found,) = wrong(list(examine(google, predict, descriptor)))

        assert (found.check, found.state, found.found) == (
            "predict: answers",
            "unknown",
            "no token for rosa",
        )
        assert descriptor.caller in found.fix


@pytest.mark.parametrize(
    ("resource", "check"),
    [
        ("services/perennial-ingest", "ingest: callers"),
        ("services/perennial-monitor", "monitor: callers"),
        ("services/perennial-predict", "predict: callers"),
        ("jobs/perennial-train", "train: callers"),
    ],
)
def test_whoever_must_call_may(
    google: Google, descriptor: Descriptor, resource: str, check: str
) -> None:
    path = place(descriptor, f"{resource}:getIamPolicy")
    google.documents["run", path] = policy(("roles/run.viewer", member(descriptor, "ingest")))

    findings = wrong(diagnose(google, descriptor))

    assert {(one.check, one.state) for one in findings} == {(check, "problem")}


@pytest.mark.parametrize(
    ("resource", "check"),
    [
        ("v1/projects/acme/topics/perennial-dead-letters", "dead letters: publishing"),
        (SUBSCRIPTION[1], "dead letters: forwarding"),
    ],
)
def test_pubsub_itself_must_be_let_give_events_up(
    google: Google, descriptor: Descriptor, resource: str, check: str
) -> None:
    google.documents["pubsub", f"{resource}:getIamPolicy"] = policy(("roles/viewer", AGENT))

    (found,) = wrong(diagnose(google, descriptor))

    assert (found.check, found.state) == (check, "problem")


def test_a_policy_without_any_grant_is_read(google: Google, descriptor: Descriptor) -> None:
    google.documents["storage", "storage/v1/b/acme-perennial-data/iam"] = {"etag": "ACAB"}

    assert wrong(diagnose(google, descriptor)) == []


class TestJob:
    def test_retries_that_are_not_told_are_unknown(
        self, google: Google, descriptor: Descriptor
    ) -> None:
        changed(
            google.documents["run", place(descriptor, JOB[1])], "template|template|maxRetries", None
        )

        (found,) = wrong(diagnose(google, descriptor))

        assert (found.check, found.state) == ("train: retries", "unknown")

    def test_a_last_run_that_failed_is_a_hint(self, google: Google, descriptor: Descriptor) -> None:
        changed(
            google.documents["run", place(descriptor, JOB[1])],
            "latestCreatedExecution|completionStatus",
            "EXECUTION_FAILED",
        )

        (found,) = wrong(diagnose(google, descriptor))

        assert (found.check, found.state) == ("train: last run", "unknown")
        assert found.found == "perennial-train-x7k2p failed"

    def test_a_job_that_never_ran_is_well(self, google: Google, descriptor: Descriptor) -> None:
        changed(google.documents["run", place(descriptor, JOB[1])], "latestCreatedExecution", None)

        assert wrong(diagnose(google, descriptor)) == []

    def test_being_changed_is_unknown(self, google: Google, descriptor: Descriptor) -> None:
        changed(
            google.documents["run", place(descriptor, JOB[1])],
            "terminalCondition",
            {"state": "CONDITION_RECONCILING"},
        )

        (found,) = wrong(diagnose(google, descriptor))

        assert (found.check, found.state) == ("train: state", "unknown")


class TestDescriptor:
    AT = ("storage", "storage/v1/b/acme-perennial-models/o/deployment.json")

    def test_is_found(self, document: dict[str, Any], descriptor: Descriptor) -> None:
        findings, found = find_descriptor(Google({self.AT: document}), "acme", "perennial")

        assert found == descriptor
        assert [one.state for one in findings] == ["ok"]

    @pytest.mark.parametrize(
        ("kind", "advice"),
        [
            ("absent", "make deploy PROJECT=acme"),
            ("forbidden", "roles/storage.objectViewer on gs://acme-perennial-models"),
            ("silent", "try again"),
        ],
    )
    def test_without_one_nothing_can_be_looked_at(self, kind: Any, advice: str) -> None:
        google = Google({})
        google.instead[self.AT] = Look(kind, said="said so")
        (finding,), found = find_descriptor(google, "acme", "perennial")

        assert found is None
        assert finding.state == "problem"
        assert finding.found == "said so"
        assert advice in finding.fix

    def test_a_newer_one_says_what_to_do(self, document: dict[str, Any]) -> None:
        google = Google({self.AT: {**document, "format": 2}})
        (finding,), found = find_descriptor(google, "acme", "perennial")

        assert found is None
        assert finding.state == "problem"
        assert "install the version" in finding.found
