"""What a plan says, and what an approval covers."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.deploying.errors import TerraformFailed
from infra.deploying.plans import Change, Plan, covers, read_plan, summary
from infra.deploying.races import race, races

FILE = Path("apply.tfplan")


def plan(**kinds: str) -> Plan:
    return Plan(FILE, tuple(Change(f"a.{name}", "a", kind) for name, kind in kinds.items()))


def test_a_plan_is_read_without_what_does_not_change() -> None:
    resources = [
        ("a.one", "managed", ["create"], None),
        ("a.two", "managed", ["no-op"], {}),
        ("a.three", "managed", ["delete", "create"], {"name": "three"}),
        ("data.a.four", "data", ["read"], None),
    ]
    document = {
        "resource_changes": [
            {"address": address, "type": "a", "mode": mode,
             "change": {"actions": actions, "before": before}}
            for address, mode, actions, before in resources
        ],
        "output_changes": {"x": {"actions": ["no-op"]}, "y": {"actions": ["create"]}},
    }  # fmt: skip
    assert read_plan(FILE, document) == Plan(
        FILE,
        (Change("a.one", "a", "create"), Change("a.three", "a", "replace", {"name": "three"})),
        outputs=1,
    )


def test_new_resources_are_told_by_type_and_existing_ones_by_name() -> None:
    many = {f"n{number}": "create" for number in range(6)}
    assert summary(plan(**many, old="delete", other="replace", third="update")) == (
        "+ create a: n0, n1, n2, n3 and 2 more\n"
        "~ update a.third\n"
        "! replace a.other\n"
        "- delete a.old\n"
        "Plan: 6 to create, 1 to update, 1 to replace, 1 to delete."
    )


def test_no_change_is_told_too() -> None:
    assert summary(Plan(FILE, ())) == "Nothing would change."
    assert summary(Plan(FILE, (), outputs=2)) == "Plan: outputs only."


@pytest.mark.parametrize(
    ("again", "covered"),
    [
        ({"one": "create"}, True),
        ({"one": "replace"}, True),  # made and left unfinished
        ({"two": "update"}, True),
        ({"two": "delete"}, False),
        ({"two": "replace"}, False),
        ({"three": "create"}, False),
        ({}, True),
    ],
)
def test_an_approval_covers_what_is_left_and_nothing_else(
    again: dict[str, str], covered: bool
) -> None:
    assert covers(plan(one="create", two="update"), plan(**again)) is covered


@pytest.mark.parametrize(
    ("awaited", "error"),
    [
        ("Eventarc's", "If you recently started to use Eventarc, it may take a few minutes"),
        (
            "Cloud Storage's",
            "The Cloud Storage service account for your bucket is unable to publish to Cloud Pub",
        ),
        ("the trigger's", 'Permission "eventarc.events.receiveEvent" denied on "trigger@garden-1"'),
        ("new service accounts", "Service account train@g.iam.gserviceaccount.com does not exist."),
        ("new service accounts", "service account service-1@gcp-sa-pubsub.x does not exist."),
        ("new service accounts", "Unable to retrieve P4SA: [service-1@serverless-robot] from GAIA"),
        (
            "Eventarc's",
            "could not be validated. Verify that the Eventarc service account has permission.",
        ),
        (
            "Cloud Run's",
            "must have permission to read the image. If you just enabled the Cloud Run API",
        ),
        (
            "Cloud Functions'",
            "Unable to retrieve the repository metadata for projects/g/locations/r",
        ),
        (
            "new metrics",
            'Error 404: Cannot find metric(s) that match type = "logging.googleapis.com/u"',
        ),
        ("the build account", "due to a missing permission on the build service account"),
        ("the APIs", "Run API is disabled. If you enabled this API recently, wait a few minutes"),
        (
            "the build account",
            "failed to Fetch: failed to download archive gs://gcf-v2-sources/x.zip: Access denied",
        ),
        ("the build account", "You must grant Storage Object Viewer permission to build@garden-1"),
    ],
)
def test_known_races_of_a_first_apply_are_waited_for(awaited: str, error: str) -> None:
    assert (race(f"Error: {error}") or "").startswith(awaited)


@pytest.mark.parametrize(
    "error",
    [
        "googleapi: Error 403: Permission 'run.jobs.create' denied on resource",
        "googleapi: Error 409: Your previous request to create the named bucket succeeded",
        "Build failed with status: FAILURE and message: No matching distribution found",
        "Invalid value for variable",
        "Quota exceeded for quota metric 'Service account count'",
    ],
)
def test_time_cures_nothing_else(error: str) -> None:
    assert race(f"Error: {error}") is None


def test_a_folded_and_framed_error_is_read_as_one() -> None:
    error = "│ Error: Error creating Trigger: denied while using the Eventarc\n│ Service Agent."
    assert race(error)


@pytest.mark.parametrize("edge", ["", "│ "])
def test_every_error_must_be_a_race(edge: str) -> None:
    """With colours, Terraform draws a line along its errors."""
    first = f"{edge}Error: Service account a@b does not exist.\n{edge}\n"
    second = f"{edge}Error: recently started to use Eventarc\n"
    both = TerraformFailed("apply", f"x: Creating...\n{first}{second}")
    assert len(races(both)) == 2
    assert races(TerraformFailed("apply", f"{first}{edge}Error: quota exceeded\n")) == ()
    assert races(TerraformFailed("apply", "killed")) == ()
