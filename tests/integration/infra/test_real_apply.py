"""A whole deployment made, looked at again, changed and unmade by the real provider.

The stand-in for Google Cloud refuses calls to APIs that are not enabled yet and keeps what it is
sent, so an apply shows the order of things, and a second plan what would change for ever.
"""

from __future__ import annotations

import pytest

from infra.bundle import FUNCTIONS
from localdev.settings import TABLE
from perennial.domain import descriptor
from tests.integration.infra.network import ASKED_ANYWAY
from tests.integration.infra.story import EVERY_GRANT, Deployment, play
from tests.integration.infra.workspace import PROJECT, REGION

DEPLOYED = sorted(set(FUNCTIONS) - {"console"})
"""Without a console, unless it is asked for."""

SERVED = sorted(set(DEPLOYED) - {"train"})


@pytest.fixture(scope="module")
def deployment(tmp_path_factory, initialised, bundles, deployed) -> Deployment:
    """The whole story, once for all tests."""
    accounts = [
        {
            "accountId": values["account_id"],
            "serviceAccount": {
                "displayName": values["display_name"],
                "description": values["description"],
            },
        }
        for name, values in deployed.resources("apply").items()
        if name.startswith("google_service_account.account[")
    ]
    folder = tmp_path_factory.mktemp("deployment")
    return play(folder, initialised.another(folder, bundles), accounts)


def test_the_first_apply_makes_everything(deployment, deployed):
    made = {name for name in deployment.made if ".grant[" not in name}
    mocked = {name for name in deployed.resources("apply") if ".grant[" not in name}
    assert made == mocked | {'google_monitoring_notification_channel.email["ada@example.com"]'}
    if EVERY_GRANT:
        assert deployment.made.keys() >= deployed.resources("apply").keys()


def test_a_second_plan_with_unchanged_sources_changes_nothing(deployment):
    assert deployment.again.actions == {}


def test_one_line_in_shared_deploys_sources_functions_and_job_and_nothing_else(deployment):
    functions = {f'google_cloudfunctions2_function.function["{name}"]' for name in SERVED}
    sources = {f'google_storage_bucket_object.source["{name}"]' for name in DEPLOYED}
    job = "google_cloud_run_v2_job.train"
    actions = deployment.touched.actions
    assert actions.keys() == functions | sources | {job}
    for name in functions | {job}:
        assert actions[name] == ["update"]
    for name in sources:  # what a function runs on goes when its successor is built
        assert actions[name] == ["create", "delete"]


def test_what_was_redeployed_is_built_from_the_new_sources(deployment):
    assert len(deployment.sources) == len(deployment.rebuilt_sources) == len(DEPLOYED)
    assert not set(deployment.sources) & set(deployment.rebuilt_sources)
    for state, sources in (
        (deployment.kept, deployment.sources),
        (deployment.rebuilt, deployment.rebuilt_sources),
    ):
        for name in SERVED:
            source = state[_function(name)]["buildConfig"]["source"]["storageSource"]
            assert source["bucket"] == f"{PROJECT}-perennial-sources"
            assert source["object"] in sources
            assert source["object"].startswith(f"{name}/")


def test_destroying_leaves_nothing(deployment):
    assert deployment.left == {}
    assert deployment.left_buckets == ()
    # The project stays, and so do policies of services, which go with their functions elsewhere.
    for policy in deployment.google.policies.values():
        assert policy.get("bindings", []) == []


def test_the_deployment_says_where_it_is(deployment):
    told = deployment.descriptor
    assert (told.project, told.region, told.deployment) == (PROJECT, REGION, "perennial")
    assert set(told.buckets.values()) < deployment.buckets.keys()
    assert told.predict == deployment.kept[_function("predict")]["serviceConfig"]["uri"]
    trigger = deployment.kept[f"eventarc/v1/{_place('triggers')}/{told.trigger}"]
    assert told.subscription == trigger["transport"]["pubsub"]["subscription"]
    for path in (
        f"run/v2/{_place('jobs')}/{told.train_job}",
        f"iam/v1/projects/{PROJECT}/serviceAccounts/{told.caller}",
        f"cloudscheduler/v1/{_place('jobs')}/{told.scheduler_job}",
        f"pubsub/v1/{told.dead_letter_topic}",
        f"pubsub/v1/{told.subscription}",
        *(_function(name) for name in told.services),
    ):
        assert path in deployment.kept


def test_buckets_are_private_in_the_region_and_keep_what_the_table_says(deployment):
    roles = {name.removeprefix(f"{PROJECT}-perennial-"): name for name in deployment.buckets}
    versioned = {role for role, bucket in TABLE["buckets"].items() if bucket["versioned"]}
    assert roles.keys() == TABLE["buckets"].keys() | {"sources", "predictions"}
    for role, name in roles.items():
        bucket = deployment.buckets[name]
        assert bucket["location"] == REGION.upper()
        assert bucket["versioning"]["enabled"] is (role in versioned)
        access = bucket["iamConfiguration"]
        assert access["uniformBucketLevelAccess"]["enabled"] is True
        assert access["publicAccessPrevention"] == "enforced"
        assert bucket["softDeletePolicy"]["retentionDurationSeconds"] == "0"
        assert bucket["labels"]["deployment"] == "perennial"
    [rule] = deployment.buckets[roles["landing"]]["lifecycle"]["rule"]
    assert rule["action"] == {"type": "Delete"}
    assert rule["condition"] == {"isLive": False, "daysSinceNoncurrentTime": 30}
    [looks] = deployment.buckets[roles["data"]]["lifecycle"]["rule"]
    assert looks["condition"] == {"age": 180, "matchesSuffix": [".watch.json", ".told"]}


def test_grants_arrive_with_their_conditions(deployment):
    policy = deployment.policies[descriptor.models_bucket(PROJECT)]
    [replacing] = [row for row in policy if row["role"] == "roles/storage.objectUser"]
    assert replacing["members"] == [
        f"serviceAccount:perennial-train@{PROJECT}.iam.gserviceaccount.com"
    ]
    expression = 'resource.name.endsWith("/registry/head.json")'
    assert replacing["condition"]["expression"] == expression


def test_whom_the_platform_calls_is_what_was_deployed(deployment):
    monitor = deployment.kept[_function("monitor")]["serviceConfig"]["uri"]
    [job] = [one for path, one in deployment.kept.items() if path.startswith("cloudscheduler/")]
    assert job["httpTarget"]["uri"] == f"{monitor}{TABLE['sweep']['path']}"
    assert job["httpTarget"]["oidcToken"]["audience"] == monitor


def test_nobody_else_was_asked(deployment):
    assert deployment.google.unknown == []
    assert set(deployment.tried) <= {ASKED_ANYWAY}


def _place(collection: str) -> str:
    return f"projects/{PROJECT}/locations/{REGION}/{collection}"


def _function(name: str) -> str:
    return f"cloudfunctions/v2/{_place('functions')}/perennial-{name}"
