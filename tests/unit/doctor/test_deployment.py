"""A deployment that is as it must be has nothing but ok; each drift is named, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from perennial.domain.descriptor import Descriptor
from perennial.domain.doctoring.findings import Look
from perennial.errors import ConfigError
from perennial.workflows.doctoring.deployment import Predict, examine, find_descriptor

from .diagnosis import ANSWERED, REFUSED, diagnose, wrong
from .documents import AGENT, Answer, Google, changed, member, place, policy

SUBSCRIPTION = "v1/projects/acme-1/subscriptions/eventarc-europe-west1-ingest-sub-042"
PREDICT = "services/perennial-predict"
JOB = "jobs/perennial-train"


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
    ["roles/storage.objectCreator", "roles/storage.objectAdmin", "projects/acme-1/roles/custom"],
)
def test_nothing_of_the_deployment_writes_into_landing(
    google: Google, descriptor: Descriptor, role: str
) -> None:
    path = "storage/v1/b/acme-1-perennial-landing/iam"
    google.documents["storage", path] = policy((role, member(descriptor, "monitor")))

    (found,) = wrong(diagnose(google, descriptor))

    assert (found.check, found.state) == ("landing bucket: access", "problem")
    assert found.found == f"perennial-monitor@acme-1.iam.gserviceaccount.com has {role}"


def test_users_may_write_into_landing(google: Google, descriptor: Descriptor) -> None:
    google.documents["storage", "storage/v1/b/acme-1-perennial-landing/iam"] = policy(
        ("roles/storage.objectCreator", "user:rosa@acme.example"),
        ("roles/storage.objectCreator", "serviceAccount:uploads@acme-1.iam.gserviceaccount.com"),
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
        google.documents["run", place(descriptor, PREDICT)]["invokerIamDisabled"] = True

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
        ("v1/projects/acme-1/topics/perennial-dead-letters", "dead letters: publishing"),
        (SUBSCRIPTION, "dead letters: forwarding"),
    ],
)
def test_pubsub_itself_must_be_let_give_events_up(
    google: Google, descriptor: Descriptor, resource: str, check: str
) -> None:
    google.documents["pubsub", f"{resource}:getIamPolicy"] = policy(("roles/viewer", AGENT))

    (found,) = wrong(diagnose(google, descriptor))

    assert (found.check, found.state) == (check, "problem")


def test_a_policy_without_any_grant_is_read(google: Google, descriptor: Descriptor) -> None:
    google.documents["storage", "storage/v1/b/acme-1-perennial-data/iam"] = {"etag": "ACAB"}

    assert wrong(diagnose(google, descriptor)) == []


class TestJob:
    def test_retries_that_are_not_told_are_unknown(
        self, google: Google, descriptor: Descriptor
    ) -> None:
        changed(
            google.documents["run", place(descriptor, JOB)], "template|template|maxRetries", None
        )

        (found,) = wrong(diagnose(google, descriptor))

        assert (found.check, found.state) == ("train: retries", "unknown")

    def test_a_last_run_that_failed_is_a_hint(self, google: Google, descriptor: Descriptor) -> None:
        changed(
            google.documents["run", place(descriptor, JOB)],
            "latestCreatedExecution|completionStatus",
            "EXECUTION_FAILED",
        )

        (found,) = wrong(diagnose(google, descriptor))

        assert (found.check, found.state) == ("train: last run", "unknown")
        assert found.found == "perennial-train-x7k2p failed"

    def test_a_job_that_never_ran_is_well(self, google: Google, descriptor: Descriptor) -> None:
        changed(google.documents["run", place(descriptor, JOB)], "latestCreatedExecution", None)

        assert wrong(diagnose(google, descriptor)) == []

    def test_being_changed_is_unknown(self, google: Google, descriptor: Descriptor) -> None:
        changed(
            google.documents["run", place(descriptor, JOB)],
            "terminalCondition",
            {"state": "CONDITION_RECONCILING"},
        )

        (found,) = wrong(diagnose(google, descriptor))

        assert (found.check, found.state) == ("train: state", "unknown")


class TestDescriptor:
    AT = ("storage", "storage/v1/b/acme-1-perennial-models/o/deployment.json")

    def test_is_found(self, document: dict[str, Any], descriptor: Descriptor) -> None:
        findings, found = find_descriptor(Google({self.AT: document}), "acme-1", "perennial")

        assert found == descriptor
        assert [one.state for one in findings] == ["ok"]

    @pytest.mark.parametrize(
        ("kind", "advice"),
        [
            ("absent", "make deploy PROJECT=acme-1"),
            ("forbidden", "roles/storage.objectViewer on gs://acme-1-perennial-models"),
            ("silent", "try again"),
        ],
    )
    def test_without_one_nothing_can_be_looked_at(self, kind: Any, advice: str) -> None:
        google = Google({})
        google.instead[self.AT] = Look(kind, said="said so")
        (finding,), found = find_descriptor(google, "acme-1", "perennial")

        assert found is None
        assert finding.state == "problem"
        assert finding.found == "said so"
        assert advice in finding.fix

    def test_a_newer_one_says_what_to_do(self, document: dict[str, Any]) -> None:
        google = Google({self.AT: {**document, "format": 2}})
        (finding,), found = find_descriptor(google, "acme-1", "perennial")

        assert found is None
        assert finding.state == "problem"
        assert "install the version" in finding.found
