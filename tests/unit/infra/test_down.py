"""What destroys a deployment, and what keeps it from doing so."""

from __future__ import annotations

import json

import pytest

from infra.deploying.down import down
from infra.deploying.errors import DeployError, TerraformFailed
from infra.deploying.up import up
from tests.unit.infra.conftest import Stage
from tests.unit.infra.google_apis import PROJECT

BACKEND = f"{PROJECT}-perennial-state--terraform"
LANDING = f"{PROJECT}-perennial-landing"
BUCKET = "google_storage_bucket.bucket"
JOB = "google_cloud_run_v2_job.train"


@pytest.fixture
def deployed(stage: Stage) -> Stage:
    return deployed_with(stage)


def deployed_with(stage: Stage, **attributes: object) -> Stage:
    bucket = {"name": LANDING, "force_destroy": False, "versioning": []}
    stage.set("attributes", {BUCKET: bucket, **attributes})
    wanted = stage.wanted()
    up(wanted, stage.tools(wanted))
    return stage


def destroy(stage: Stage, answers: str | None = None, *, only_plan: bool = False) -> None:
    wanted = stage.wanted()
    down(wanted, stage.tools(wanted, answers), only_plan=only_plan)


def test_all_goes_but_the_state_bucket_and_the_apis(deployed: Stage) -> None:
    destroy(deployed, f"{PROJECT}\n")
    assert deployed.states()[BACKEND] == {}
    assert f"{PROJECT}-perennial-state" in deployed.apis.buckets
    assert "What stays" in deployed.said.getvalue()


def test_a_second_call_finds_nothing_left(deployed: Stage) -> None:
    destroy(deployed)
    destroy(deployed)
    assert "Nothing is left to destroy." in deployed.said.getvalue()
    assert len(deployed.terraform_calls("apply")) == 3


def test_yes_is_not_enough_where_the_projects_id_is_asked(deployed: Stage) -> None:
    with pytest.raises(DeployError, match="not approved"):
        destroy(deployed, "yes\n")
    assert len(deployed.states()[BACKEND]) == 4


def test_buckets_with_data_stay_until_force_destroy_was_applied(deployed: Stage) -> None:
    deployed.apis.objects[LANDING] = ["sales/jan.csv"]
    with pytest.raises(DeployError, match="force_destroy = true") as caught:
        destroy(deployed)
    assert LANDING in str(caught.value)
    assert len(deployed.states()[BACKEND]) == 4


def test_force_destroy_takes_the_data_too(stage: Stage) -> None:
    deployed = deployed_with(stage, **{BUCKET: {"name": LANDING, "force_destroy": True}})
    deployed.apis.objects[LANDING] = ["sales/jan.csv"]
    destroy(deployed)
    assert deployed.states()[BACKEND] == {}


def test_a_protected_job_stays_until_the_protection_was_lifted(stage: Stage) -> None:
    deployed = deployed_with(stage, **{JOB: {"deletion_protection": True}})
    with pytest.raises(DeployError, match="deletion_protection = false"):
        destroy(deployed)
    assert len(deployed.states()[BACKEND]) == 4


@pytest.mark.parametrize(
    ("versioned", "objects", "refused"),
    [
        (False, ["deployment.json"], False),
        (False, ["deployment.json", "sales/head.json"], True),
        (True, ["deployment.json"], True),  # its old version would hold the bucket
        (True, [], False),
    ],
)
def test_what_terraform_itself_put_into_a_bucket_does_not_hold_it(
    stage: Stage, versioned: bool, objects: list[str], refused: bool
) -> None:
    bucket = {"name": LANDING, "force_destroy": False, "versioning": [{"enabled": versioned}]}
    item = {"bucket": LANDING, "name": "deployment.json"}
    deployed = deployed_with(stage, **{BUCKET: bucket})
    path = deployed.world / "states" / BACKEND
    states = deployed.states()[BACKEND] | {"google_storage_bucket_object.descriptor": item}
    path.write_text(json.dumps(states))
    deployed.apis.objects[LANDING] = objects

    if refused:
        with pytest.raises(DeployError, match="hold data"):
            destroy(deployed)
    else:
        destroy(deployed)
        assert deployed.states()[BACKEND] == {}


def test_roles_of_googles_own_accounts_stay_on_the_project(deployed: Stage) -> None:
    """Another deployment in it has no others."""
    agent = "serviceAccount:service-1@gcp-sa-eventarc.iam.gserviceaccount.com"
    ours = f"serviceAccount:perennial-build@{PROJECT}.iam.gserviceaccount.com"
    grants = {
        'google_project_iam_member.grant["eventarc is itself"]': {"member": agent},
        'google_project_iam_member.grant["build writes its log"]': {"member": ours},
    }
    path = deployed.world / "states" / BACKEND
    path.write_text(json.dumps(deployed.states()[BACKEND] | grants))

    destroy(deployed)
    (forgotten,) = deployed.terraform_calls("state")
    assert forgotten["arguments"][0] == "rm"
    assert [name for name in grants if name in forgotten["arguments"]] == list(grants)[:1]
    assert deployed.states()[BACKEND] == {}
    printed = deployed.said.getvalue()
    assert f"stay: {next(iter(grants))}" in printed
    assert "eventarc is itself" not in printed.partition("stay:")[2].partition("\n")[2]


def test_only_a_plan_destroys_nothing(deployed: Stage) -> None:
    destroy(deployed, only_plan=True)
    assert "- delete google_cloud_run_v2_job.train" in deployed.said.getvalue()
    assert len(deployed.states()[BACKEND]) == 4


def test_an_interrupted_destroy_goes_on(deployed: Stage) -> None:
    deployed.play(apply=["Error: the network is down"])
    with pytest.raises(TerraformFailed):
        destroy(deployed)
    assert 0 < len(deployed.states()[BACKEND]) < 4

    destroy(deployed)
    assert deployed.states()[BACKEND] == {}


def test_without_a_state_there_is_nothing_to_destroy(stage: Stage) -> None:
    with pytest.raises(DeployError, match="is not deployed"):
        destroy(stage)
    assert stage.apis.buckets == {}
