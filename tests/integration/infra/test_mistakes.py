"""Mistakes that were made on purpose are caught, each by what is there to catch it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest


@dataclass(frozen=True, slots=True)
class Mistake:
    """One edit of the configuration, and what must notice it.

    Attributes:
        file, pattern, new: the edit.
        caught_by: `validate`, or the test file whose assertion fails.
        says: what every error message matches.
    """

    file: str
    pattern: str
    new: str
    caught_by: str
    says: str


MISTAKES = {
    "misspelt argument": Mistake(
        "functions.tf",
        r"max_instance_request_concurrency( += each)",
        "max_request_concurrency = each",
        "validate",
        'Unsupported argument: .*"max_request_concurrency" is not expected here',
    ),
    "missing role": Mistake(
        "deployment.yaml",
        r"    predictions: \[reads\]\n",
        "",
        "access",
        "Grants on buckets differ from the written list",
    ),
    "wrong event type": Mistake(
        "deployment.yaml",
        r"google\.cloud\.storage\.object\.v1\.finalized",
        "google.cloud.storage.object.v1.archived",
        "calls",
        "The trigger is not for finalized objects of landing",
    ),
    "public invoker": Mistake(
        "grants_people.tf",
        r'var\.predict_public \? \["everybody"\] : \[\]',
        '["everybody"]',
        "access",
        "Grants on services differ|Nobody without an account may call",
    ),
    "unhashed source name": Mistake(
        "sources.tf",
        r"name +=.*trimprefix.*",
        'name = "${each.key}/source.zip"',
        "functions",
        "A source object is not named after the digest",
    ),
    "wrong entry point": Mistake(
        "functions.tf",
        r"entry_point +=.*",
        'entry_point = "main"',
        "functions",
        "An entry point is not the function that main.py defines",
    ),
    "no retry": Mistake(
        "events.tf",
        r"\n  destination \{",
        "\n  retry_policy {\n    max_attempts = 1\n  }\n\n  destination {",
        "calls",
        "A retry policy of a trigger would end the retry",
    ),
    "missing API": Mistake(
        "apis.tf",
        r' +"eventarc\.googleapis\.com",\n',
        "",
        "calls",
        "The enabled APIs are not those that the parts need",
    ),
    "bucket in another region": Mistake(
        "buckets.tf",
        r"location += var\.region",
        'location = each.key == "models" ? "us-central1" : var.region',
        "buckets",
        "A bucket lies outside the region",
    ),
    "repeated runs": Mistake(
        "job.tf",
        r"max_retries +=.*",
        "max_retries = 3",
        "functions",
        "The platform must not repeat a run",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_caught(new_copy, mistake):
    new_copy.edit(mistake.file, mistake.pattern, mistake.new)
    caught = mistake.caught_by
    outcome = new_copy.validate() if caught == "validate" else new_copy.test(caught)
    assert not outcome.ok
    assert outcome.messages
    for message in outcome.messages:
        assert re.search(mistake.says, message, re.DOTALL), message


def test_missing_dependency_is_caught(new_copy):
    """The trigger would call ingest before its account may, and its first events would fail."""
    waits_for_grants = (
        r"depends_on = \[\s+google_cloud_run_v2_service_iam_member\.grant,"
        r"\s+terraform_data\.grants_settled,\s+\]"
    )
    new_copy.edit("events.tf", waits_for_grants, "")
    assert new_copy.validate().ok
    waits = new_copy.graph()["google_eventarc_trigger.ingest"]
    assert "google_cloudfunctions2_function.function" in waits
    assert "google_cloud_run_v2_service_iam_member.grant" not in waits
