"""Where Terraform's state lies, and whose bucket that is."""

from __future__ import annotations

import pytest

from infra.deploying.errors import DeployError
from infra.deploying.state import Found, StateBuckets, choose_environment
from infra.deploying.wanted import State, Wanted, parse_state
from tests.unit.infra.google_apis import NUMBER, PROJECT, REGION, Apis

OWN = f"{PROJECT}-perennial-state"


def buckets(apis: Apis, **changes: object) -> StateBuckets:
    wanted = Wanted(**{"project": PROJECT, "region": REGION, **changes})  # type: ignore[arg-type]
    return StateBuckets(apis.google, wanted, NUMBER)


def test_it_is_found_after_it_was_made(apis: Apis) -> None:
    assert buckets(apis).find() is None
    made = buckets(apis).create("dev")
    assert made == buckets(apis).find() == Found(State(OWN, "terraform"), "dev")


def test_making_it_twice_is_making_it_once(apis: Apis) -> None:
    """As when the answer to the first request was lost."""
    assert buckets(apis).create("dev") == buckets(apis).create("dev")


def test_a_name_that_a_stranger_holds_is_told(apis: Apis) -> None:
    apis.buckets[OWN] = None
    with pytest.raises(DeployError, match="belongs to another project"):
        buckets(apis).find()
    with pytest.raises(DeployError, match="belongs to another project"):
        buckets(apis).create("dev")


def test_a_strangers_open_bucket_is_not_trusted(apis: Apis) -> None:
    apis.buckets[OWN] = {"name": OWN, "projectNumber": "666", "location": REGION.upper()}
    with pytest.raises(DeployError, match="belongs to another project"):
        buckets(apis).find()


def test_a_deployment_does_not_move(apis: Apis) -> None:
    buckets(apis).create("dev")
    with pytest.raises(DeployError, match="Use REGION=europe-west1"):
        buckets(apis, region="us-central1").find()


def test_an_unknown_region_is_told(apis: Apis) -> None:
    with pytest.raises(DeployError, match="Is there a region europe-west99"):
        buckets(apis, region="europe-west99").create("dev")


def test_a_bucket_of_ones_own_is_used_where_it_lies(apis: Apis) -> None:
    apis.buckets["tf-states"] = {"name": "tf-states", "projectNumber": "1", "location": "EU"}
    found = buckets(apis, state=State("tf-states", "garden")).find()
    assert found == Found(State("tf-states", "garden"))


def test_a_bucket_of_ones_own_must_be_there(apis: Apis) -> None:
    with pytest.raises(DeployError, match="tf-states that you named cannot be used"):
        buckets(apis, state=State("tf-states", "garden")).find()


def test_the_environment_that_was_applied_is_noted(apis: Apis) -> None:
    own = buckets(apis)
    own.note_environment(own.create("dev"), "prod")
    found = own.find()
    assert found
    assert found.environment == "prod"
    own.note_environment(found, "prod")
    assert len(apis.asked("PATCH")) == 1


@pytest.mark.parametrize(
    ("named", "noted", "chosen"),
    [(None, None, "dev"), (None, "prod", "prod"), ("dev", "prod", "dev")],
)
def test_the_named_environment_wins_then_the_last_then_dev(
    named: str | None, noted: str | None, chosen: str
) -> None:
    wanted = Wanted(PROJECT, REGION)
    object.__setattr__(wanted, "environment", named)
    assert choose_environment(wanted, Found(State(OWN, "terraform"), noted)) == chosen


def test_with_a_state_of_ones_own_the_environment_is_named() -> None:
    wanted = Wanted(PROJECT, REGION, state=State("tf-states", "garden"))
    with pytest.raises(DeployError, match="name ENV"):
        choose_environment(wanted, Found(State("tf-states", "garden")))


@pytest.mark.parametrize(
    ("address", "state"),
    [
        ("gs://tf-states", State("tf-states", "terraform")),
        ("gs://tf-states/", State("tf-states", "terraform")),
        ("gs://tf-states/a/b", State("tf-states", "a/b")),
        ("gs://tf-states/a/b/", State("tf-states", "a/b")),
    ],
)
def test_an_address_names_bucket_and_prefix(address: str, state: State) -> None:
    assert parse_state(address) == state


@pytest.mark.parametrize("address", ["tf-states/a", "s3://tf-states", "gs://", "gs://Big/a"])
def test_anything_else_is_no_address(address: str) -> None:
    with pytest.raises(DeployError, match="gs://bucket/prefix"):
        parse_state(address)
