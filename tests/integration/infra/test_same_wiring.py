"""What Terraform sets is what the local cloud sets: the same names, values, calls and limits.

And it is what doctor expects.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from functions.ingest.main import FINALIZED
from localdev import settings
from localdev.storage import events
from perennial.domain.descriptor import Descriptor
from perennial.domain.doctoring.services import shared_environment

LOCAL = settings.Addresses(storage="http://127.0.0.1:1", run="http://127.0.0.1:2")
ONLY_LOCAL = {"PERENNIAL_RUN_ENDPOINT", "PERENNIAL_STORAGE_ENDPOINT"}
"""Where the emulators are."""

SET_BY_THE_PLATFORM = {
    *("K_SERVICE", "K_REVISION", "K_CONFIGURATION", "PORT"),
    *("FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE"),
    *("CLOUD_RUN_JOB", "CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_ATTEMPT", "CLOUD_RUN_TASK_COUNT"),
}
"""What Cloud Run sets by itself; Terraform must not."""

NOT_SHARED = {
    *("THREADS", "WORKERS", "FUNCTION_USE_ASGI"),
    *settings.TABLE["job"]["train"]["environment"],
    *(name for one in settings.TABLE["functions"].values() for name in one.get("environment", {})),
}
"""What a function or the job is told for itself alone."""

LAPTOPS = {"OMP_NUM_THREADS"}
"""A laptop's cores are everybody's, so one thread trains there."""

ADDRESSES = {
    "PERENNIAL_LANDING_BUCKET": "flower-shop-perennial-landing",
    "PERENNIAL_QUARANTINE_BUCKET": "flower-shop-perennial-quarantine",
    "PERENNIAL_DATA_BUCKET": "flower-shop-perennial-data",
    "PERENNIAL_MODELS_BUCKET": "flower-shop-perennial-models",
    "PERENNIAL_PREDICTIONS_BUCKET": "flower-shop-perennial-predictions",
    "PERENNIAL_PROJECT": "flower-shop",
    "PERENNIAL_REGION": "europe-west1",
    "GOOGLE_CLOUD_PROJECT": "flower-shop",
}
"""What differs because the deployment does."""

UNITS = [one for one in settings.FUNCTIONS if one.name not in settings.TABLE["services"]]
"""Those that every deployment has."""

each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
each_function = pytest.mark.parametrize(
    "unit", [one for one in UNITS if one.kind != "job"], ids=lambda unit: unit.name
)


@pytest.fixture(scope="module")
def made(deployed) -> dict[str, dict[str, Any]]:
    return deployed.resources("apply")


def function(made, unit) -> dict[str, Any]:
    return made[f'google_cloudfunctions2_function.function["{unit.name}"]']


def service(made, unit) -> dict[str, Any]:
    [config] = function(made, unit)["service_config"]
    return config


def container(made) -> dict[str, Any]:
    return task(made)["containers"][0]


def task(made) -> dict[str, Any]:
    return made["google_cloud_run_v2_job.train"]["template"][0]["template"][0]


def environment(made, unit) -> dict[str, str]:
    if unit.kind == "job":
        return {one["name"]: one["value"] for one in container(made)["env"]}
    return service(made, unit)["environment_variables"]


@each_unit
def test_environments_have_the_same_variables(made, unit):
    here = settings.deployment(LOCAL) | settings.platform(unit, 0)
    assert environment(made, unit).keys() == here.keys() - ONLY_LOCAL - SET_BY_THE_PLATFORM


@each_unit
def test_variables_have_the_same_values_where_they_are_no_addresses(made, unit):
    here = settings.deployment(LOCAL) | settings.platform(unit, 0)
    for name, value in environment(made, unit).items():
        if name in LAPTOPS:
            assert value == str(unit.cpu)
        else:
            assert value == ADDRESSES.get(name, here[name]), name


@each_unit
def test_doctor_expects_what_every_function_and_the_job_is_told(made, unit):
    # Not read as commands do, which want a subscription's name: no Eventarc has made one here.
    told = Descriptor(**json.loads(made["google_storage_bucket_object.descriptor"]["content"]))
    found = environment(made, unit)
    shared = {name: value for name, value in found.items() if name not in NOT_SHARED}
    assert shared == shared_environment(told)


@each_function
def test_limits_are_those_that_are_tested_locally(made, unit):
    config = service(made, unit)
    assert config["available_memory"] == f"{unit.memory_mib}Mi"
    assert config["available_cpu"] == str(unit.cpu)
    assert config["max_instance_request_concurrency"] == unit.concurrency
    assert config["timeout_seconds"] == unit.timeout_seconds


def test_the_job_has_the_limits_that_are_tested_locally(made):
    [unit] = [one for one in settings.FUNCTIONS if one.kind == "job"]
    assert container(made)["resources"][0]["limits"] == {
        "cpu": str(unit.cpu),
        "memory": f"{unit.memory_mib}Mi",
    }
    assert task(made)["timeout"] == f"{unit.timeout_seconds}s"


@each_unit
def test_names_and_entry_points_are_the_same(made, unit):
    if unit.kind == "job":
        assert made["google_cloud_run_v2_job.train"]["name"] == unit.service
        return
    deployed = function(made, unit)
    assert deployed["name"] == unit.service
    [build] = deployed["build_config"]
    assert build["entry_point"] == settings.platform(unit, 0)["FUNCTION_TARGET"]


def test_buckets_have_the_same_roles_and_keep_the_same_history(made):
    ours = {"sources", "predictions"}  # infra's own
    buckets = {
        name.split('"')[1]: bucket
        for name, bucket in made.items()
        if name.startswith("google_storage_bucket.bucket[")
    }
    assert buckets.keys() - ours == settings.BUCKETS.keys()
    versioned = {role for role, one in buckets.items() if one["versioning"][0]["enabled"]}
    assert {settings.BUCKETS[role] for role in versioned} == set(settings.VERSIONED)


def test_events_are_those_that_the_emulator_records_and_ingest_expects(made):
    criteria = made["google_eventarc_trigger.ingest"]["matching_criteria"]
    [kind] = [one["value"] for one in criteria if one["attribute"] == "type"]
    assert kind == events.FINALIZED == FINALIZED


def test_the_scheduler_calls_as_the_local_one_does(made):
    job = made["google_cloud_scheduler_job.sweep"]
    [target] = job["http_target"]
    sweep = settings.TABLE["sweep"]
    assert target["http_method"] == sweep["method"]
    assert base64.b64decode(target["body"]).decode() == sweep["body"]
    assert urlsplit(target["uri"]).path == sweep["path"]
    assert target["headers"]["Content-Type"] == "application/json"
    assert job["attempt_deadline"] == f"{sweep['attempt_seconds']}s"
    assert job["schedule"] == f"*/{sweep['every_minutes']} * * * *"


def test_the_console_is_wired_as_it_is_here(new_copy, variables):
    """Where it is asked for; who may act is proved there, and said here."""
    asked = variables.replace(
        "settle_seconds", 'console = true\n  operators = ["user:a@b.de"]\n  settle_seconds'
    )
    new_copy.write_test("console", asked + 'run "console" {}\n')
    outcome = new_copy.test("console", verbose=True)
    assert outcome.ok, outcome.messages
    made = outcome.resources("console")
    [unit] = [one for one in settings.FUNCTIONS if one.name == "console"]
    deployed = made['google_cloud_run_v2_service.console["console"]']
    [template] = deployed["template"]
    [container] = template["containers"]
    here = settings.deployment(LOCAL) | settings.platform(unit, 0) | settings.console("url", "me")
    told = {one["name"]: one["value"] for one in container["env"]}
    proved = {"PERENNIAL_CONSOLE_AUDIENCE", "PERENNIAL_CONSOLE_OPERATORS"}
    said = {"PERENNIAL_CONSOLE_LOCAL_OPERATOR"}
    assert told.keys() - proved == here.keys() - said - ONLY_LOCAL - SET_BY_THE_PLATFORM
    assert deployed["name"] == unit.service
    assert container["resources"][0]["limits"] == {
        "cpu": str(unit.cpu),
        "memory": f"{unit.memory_mib}Mi",
    }
    assert template["max_instance_request_concurrency"] == unit.concurrency
    assert template["timeout"] == f"{unit.timeout_seconds}s"
