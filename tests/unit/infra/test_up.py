"""The whole way of a deployment, against a project and a Terraform that keep their state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infra.bundle import build
from infra.deploying.errors import DeployError, TerraformFailed
from infra.deploying.up import show_plan, up
from perennial.adapters.model_packages import package_digest
from tests.unit.infra.conftest import Stage
from tests.unit.infra.google_apis import LOG, NUMBER, PROJECT, REGION, Answer, image_digest

STATE = f"{PROJECT}-perennial-state"
BACKEND = f"{STATE}--terraform"
RACE = """Error: Error creating Trigger: googleapi: Error 400: Invalid resource state for "":
Permission denied while using the Eventarc Service Agent. If you recently started to use Eventarc,
it may take a few minutes before all necessary permissions are propagated to the Service Agent.

  with google_eventarc_trigger.ingest,"""
BROKEN = """Error: Error creating Job: googleapi: Error 400: cpu must be one of 1, 2, 4

  with google_cloud_run_v2_job.train,"""


def deploy(stage: Stage, answers: str | None = None, **changes: object) -> str:
    wanted = stage.wanted(**changes)
    return up(wanted, stage.tools(wanted, answers))


def digest(stage: Stage) -> str:
    return build("train", stage.root / "build" / "bundles", stage.root).digest[:16]


def test_an_empty_project_gets_everything_in_order(stage: Stage) -> None:
    text = deploy(stage)

    assert [call["command"] for call in stage.terraform_calls()] == [
        "version", "init", "console", "plan", "show", "apply", "plan", "show", "apply", "output",
    ]  # fmt: skip
    first, second = stage.terraform_calls("plan")
    assert "-target=google_project_service.base" in first["arguments"]
    assert "-var=train_image=" in first["arguments"]
    assert not [argument for argument in second["arguments"] if argument.startswith("-target")]
    image = f"{REGION}-docker.pkg.dev/{PROJECT}/perennial/train@{image_digest(digest(stage))}"
    assert f"-var=train_image={image}" in second["arguments"]
    assert f"-var-file={stage.root}/infra/environments/dev.tfvars" in second["arguments"]
    assert stage.apis.subscription["ackDeadlineSeconds"] == 600
    assert stage.doctor_calls == [[["doctor", "--project", PROJECT], {}]]
    assert "https://perennial-predict-abc.a.run.app" in text


def test_packages_of_models_go_into_the_image_and_the_job_is_told(
    stage: Stage, tmp_path: Path
) -> None:
    house = tmp_path / "house" / "house_models"
    house.mkdir(parents=True)
    (house / "__init__.py").write_text("RATE = 3\n")
    bare = digest(stage)
    deploy(stage, models=house.parent)

    told = f'-var=model_packages={{"house_models": "{package_digest(house)}"}}'
    assert [told in call["arguments"] for call in stage.terraform_calls("plan")] == [True, True]
    shipped = stage.root / "build" / "bundles" / "train" / "models" / "house_models"
    assert (shipped / "__init__.py").read_text() == "RATE = 3\n"
    assert not (stage.root / "build" / "bundles" / "predict" / "models").exists()
    (request,) = [body for body in stage.apis.bodies if "steps" in body]
    assert bare not in request["images"][0]
    assert "The training job may import models from house_models." in stage.said.getvalue()


def test_the_image_is_built_from_the_zip_of_these_sources(stage: Stage) -> None:
    deploy(stage)

    (request,) = [body for body in stage.apis.bodies if "steps" in body]
    tag = digest(stage)
    image = f"{REGION}-docker.pkg.dev/{PROJECT}/perennial/train:{tag}"
    account = f"perennial-build@{PROJECT}.iam.gserviceaccount.com"
    assert request["source"]["storageSource"] == {
        "bucket": f"{PROJECT}-perennial-sources",
        "object": f"train/{tag}.zip",
    }
    assert request["images"] == [image]
    assert request["serviceAccount"] == f"projects/{PROJECT}/serviceAccounts/{account}"
    assert request["options"] == {"logging": "CLOUD_LOGGING_ONLY"}


def test_another_python_is_another_image(stage: Stage) -> None:
    deploy(stage)
    stage.set("runtime", "python312")
    deploy(stage)

    first, second = (build["images"][0] for build in stage.apis.builds.values())
    assert second == f"{first}-python3.12"
    (step,) = stage.apis.builds["b-2"]["steps"]
    assert step["args"] == ["build", "--build-arg", "PYTHON=3.12", "--tag", second, "."]


def test_a_second_call_finds_everything_done(stage: Stage) -> None:
    """Neither image nor foundation nor subscription is touched again."""
    deploy(stage)
    stage.apis.calls.clear()
    before = len(stage.terraform_calls("apply"))

    deploy(stage)
    assert stage.apis.asked("^(PATCH|POST) /(storage|cloudbuild|pubsub)") == []
    assert len(stage.terraform_calls("apply")) == before
    assert "Nothing to change." in stage.said.getvalue()
    assert "As it should be; left alone." in stage.said.getvalue()
    assert len(stage.doctor_calls) == 2


def test_changed_sources_are_built_and_deployed(stage: Stage) -> None:
    deploy(stage)
    (stage.root / "functions/train/main.py").write_text("changed = True\n")

    deploy(stage)
    assert len(stage.apis.builds) == 2
    assert len(stage.terraform_calls("apply")) == 3  # the foundation has nothing to change


def test_a_race_is_waited_out_with_the_rest_of_the_approved_plan(stage: Stage) -> None:
    """Asked twice, for the foundation and for everything, and not again for what was left."""
    stage.play(apply=[None, RACE])

    deploy(stage, "yes\nyes\n")
    assert stage.said.getvalue().count("Apply this plan?") == 2
    assert stage.slept.count(60.0) == 1
    assert "Waiting 60 s for Eventarc's service agent to get its permissions" in (
        stage.said.getvalue()
    )
    assert len(stage.states()[BACKEND]) == 4


def test_a_race_that_never_ends_stops_with_terraforms_words(stage: Stage) -> None:
    stage.play(apply=[None, *[RACE] * 9])

    with pytest.raises(TerraformFailed, match=r"infra/README\.md"):
        deploy(stage)
    assert stage.slept.count(60.0) == 7
    assert "Eventarc Service Agent" in stage.said.getvalue()


def test_any_other_failure_stops_at_once_and_the_next_call_goes_on(stage: Stage) -> None:
    stage.play(apply=[None, f"{RACE}\n\n{BROKEN}"])

    with pytest.raises(TerraformFailed, match="could not apply the plan"):
        deploy(stage)
    assert 60.0 not in stage.slept
    assert "cpu must be one of" in stage.said.getvalue()

    deploy(stage)
    assert len(stage.apis.builds) == 1
    assert len(stage.states()[BACKEND]) == 4


def test_a_plan_that_fails_shows_why(stage: Stage) -> None:
    stage.play(plan=["Error: Unsupported argument"])

    with pytest.raises(TerraformFailed, match="could not plan"):
        deploy(stage)
    assert "Unsupported argument" in stage.said.getvalue()


def test_what_is_not_approved_is_not_applied(stage: Stage) -> None:
    with pytest.raises(DeployError, match="not approved"):
        deploy(stage, "yes\nno\n")
    assert len(stage.terraform_calls("apply")) == 1
    assert set(stage.states()[BACKEND]) == {
        "google_project_service.base",
        "google_service_account.account",
    }


def test_the_plan_is_shown_before_it_is_asked_about(stage: Stage) -> None:
    deploy(stage, "yes\nyes\n")
    said = stage.said.getvalue()
    assert said.index("+ create google_cloud_run_v2_job: train") < said.rindex("Apply this plan?")


def test_a_failed_build_stops_with_its_detail_and_its_log(stage: Stage) -> None:
    stage.apis.endings = [
        {"status": "FAILURE", "statusDetail": "step 0 failed: exit 1",
         "failureInfo": {"type": "USER_BUILD_STEP"}}
    ]  # fmt: skip
    with pytest.raises(DeployError, match="FAILURE, step 0 failed") as caught:
        deploy(stage)
    assert LOG in str(caught.value)
    assert len(stage.terraform_calls("apply")) == 1

    deploy(stage)
    assert len(stage.apis.builds) == 2
    assert len(stage.terraform_calls("apply")) == 2


def test_a_doctor_that_complains_fails_a_deployment_that_stands(stage: Stage) -> None:
    stage.ill.touch()
    with pytest.raises(DeployError, match="perennial doctor"):
        deploy(stage)
    assert len(stage.states()[BACKEND]) == 4

    stage.ill.unlink()
    assert "Deployed" in deploy(stage)


def test_a_subscription_that_cannot_be_set_up_is_set_up_by_the_next_call(stage: Stage) -> None:
    stage.apis.disabled = {"pubsub.googleapis.com"}
    with pytest.raises(DeployError, match="could not read projects/"):
        deploy(stage)

    stage.apis.disabled = set()
    deploy(stage)
    assert stage.apis.subscription["ackDeadlineSeconds"] == 600


def test_missing_roles_stop_it_before_anything_is_made(stage: Stage) -> None:
    stage.apis.lacking = {"run.jobs.create"}
    with pytest.raises(DeployError, match=r"roles/run\.admin"):
        deploy(stage)
    assert stage.apis.buckets == {}
    assert stage.terraform_calls("init") == []


def test_the_environment_is_remembered(stage: Stage) -> None:
    """A later call without one must not turn production into a playground."""
    deploy(stage, environment="prod")
    deploy(stage)

    last = stage.terraform_calls("plan")[-1]
    assert f"-var-file={stage.root}/infra/environments/prod.tfvars" in last["arguments"]


def test_the_environment_of_a_first_deployment_that_stopped_is_remembered(stage: Stage) -> None:
    stage.play(plan=["Error: the network is down"])
    with pytest.raises(TerraformFailed):
        deploy(stage, environment="prod")
    deploy(stage)

    last = stage.terraform_calls("plan")[-1]
    assert f"-var-file={stage.root}/infra/environments/prod.tfvars" in last["arguments"]


def test_two_deployments_from_one_checkout_keep_to_themselves(stage: Stage) -> None:
    deploy(stage)
    deploy(stage, deployment="second")

    assert set(stage.states()) == {BACKEND, f"{PROJECT}-second-state--terraform"}
    assert stage.doctor_calls[1][1] == {"PERENNIAL_DEPLOYMENT": "second"}
    states = {call["data"] for call in stage.terraform_calls("init")}
    assert states == {
        f"{stage.root}/build/terraform/{PROJECT}-{name}/data" for name in ("perennial", "second")
    }


def test_terraform_is_not_led_astray_by_the_shell(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_WORKSPACE", "another")
    monkeypatch.setenv("TF_CLI_ARGS_apply", "-destroy")
    monkeypatch.setenv("TF_DATA_DIR", "/nowhere")
    wanted = stage.wanted()

    variables = stage.tools(wanted).terraform.variables()
    assert not {"TF_WORKSPACE", "TF_CLI_ARGS_apply"} & variables.keys()
    assert variables["TF_DATA_DIR"] == str(wanted.workspace / "data")


def test_the_doctor_sees_no_other_deployments_settings(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERENNIAL_LOCAL", "/somewhere")
    monkeypatch.setenv("PERENNIAL_LANDING_BUCKET", "another")
    deploy(stage)
    assert stage.doctor_calls == [[["doctor", "--project", PROJECT], {}]]


def test_a_plan_of_an_empty_project_makes_nothing(stage: Stage) -> None:
    wanted = stage.wanted()
    show_plan(wanted, stage.tools(wanted))

    assert "Nothing is deployed yet" in stage.said.getvalue()
    assert stage.apis.buckets == {}
    assert [call["command"] for call in stage.terraform_calls()] == ["version"]


def test_a_plan_shows_changes_and_applies_none(stage: Stage) -> None:
    deploy(stage)
    (stage.root / "functions/train/main.py").write_text("changed = True\n")
    applied = len(stage.terraform_calls("apply"))
    wanted = stage.wanted()

    show_plan(wanted, stage.tools(wanted))
    assert "A new training image would be built" in stage.said.getvalue()
    assert "~ update google_cloud_run_v2_job.train" in stage.said.getvalue()
    assert len(stage.apis.builds) == 1
    assert len(stage.terraform_calls("apply")) == applied


def test_a_plan_enables_no_api(stage: Stage) -> None:
    stage.apis.disabled = {"cloudresourcemanager.googleapis.com"}
    wanted = stage.wanted()

    with pytest.raises(DeployError, match="gcloud services enable"):
        show_plan(wanted, stage.tools(wanted))
    assert stage.apis.asked("serviceusage") == []


def test_a_build_that_was_left_alone_is_waited_for(stage: Stage) -> None:
    """As after Ctrl-C: the build goes on, and the next call finds it."""
    stage.apis.endings = [{"status": "WORKING"}] * 500
    with pytest.raises(DeployError, match="Run this again to go on waiting"):
        deploy(stage)

    stage.apis.endings = []
    deploy(stage)
    assert len(stage.apis.builds) == 1
    assert "at work already" in stage.said.getvalue()


def test_a_new_build_accounts_missing_grants_are_waited_for(stage: Stage) -> None:
    stage.apis.refusals = [Answer(400, "service account perennial-build@x does not exist")]
    stage.apis.endings = [
        {"status": "FAILURE", "failureInfo": {"type": "FETCH_SOURCE_FAILED", "detail": "denied"}}
    ]
    deploy(stage)
    assert stage.slept.count(60.0) == 2
    assert len(stage.apis.builds) == 2


def test_cloud_build_may_be_late_to_know_that_it_was_enabled(stage: Stage) -> None:
    stage.apis.disabled.add("cloudbuild.googleapis.com")

    def sleep(seconds: float) -> None:
        stage.slept.append(seconds)
        stage.apis.disabled.clear()

    wanted = stage.wanted()
    up(wanted, replace(stage.tools(wanted), sleep=sleep))
    assert stage.slept[0] == 60.0
    assert len(stage.apis.builds) == 1


def test_the_state_bucket_is_versioned_and_closed(stage: Stage) -> None:
    deploy(stage)
    bucket = stage.apis.buckets[STATE]
    assert bucket
    assert bucket["versioning"] == {"enabled": True}
    assert bucket["iamConfiguration"] == {
        "uniformBucketLevelAccess": {"enabled": True},
        "publicAccessPrevention": "enforced",
    }
    assert bucket["location"] == REGION.upper()
    assert bucket["projectNumber"] == NUMBER
