"""The configuration is what the real provider accepts, and does what its own tests say."""

from __future__ import annotations

import json
import re

import pytest

from localdev.settings import ROOT

INFRA = ROOT / "infra"


def test_the_real_provider_accepts_the_configuration_and_its_tests(initialised):
    outcome = initialised.validate()
    assert outcome.ok, outcome.messages


def test_every_run_of_every_test_passes(initialised):
    outcome = initialised.test()
    assert outcome.ok, outcome.messages
    assert set(outcome.runs.values()) == {"pass"}
    files = (INFRA / "tests").glob("*.tftest.hcl")
    written = {
        run for path in files for run in re.findall(r'^run "(\w+)"', path.read_text(), re.MULTILINE)
    }
    assert outcome.runs.keys() == written


def test_every_rule_about_a_variable_is_seen_to_refuse_something():
    refusals = (INFRA / "tests" / "variables.tftest.hcl").read_text()
    rules = {
        name: block.count("validation {")
        for path in INFRA.glob("*.tf")
        for name, block in re.findall(
            r'^variable "(\w+)" {\n(.*?)^}', path.read_text(), re.MULTILINE | re.DOTALL
        )
    }
    assert any(rules.values())
    for name, count in rules.items():
        assert len(re.findall(rf"^ +var\.{name},$", refusals, re.MULTILINE)) >= count, name


def test_nothing_keeps_the_name_or_place_of_another_deployment(new_copy, variables):
    elsewhere = (
        variables.replace("flower-shop", "other-shop")
        .replace("europe-west1", "us-central1")
        .replace("/perennial/", "/roses/")
        .replace("settle_seconds", 'deployment = "roses"\n  settle_seconds')
    )
    new_copy.write_test("elsewhere", elsewhere + 'run "elsewhere" {}\n')
    outcome = new_copy.test("elsewhere", verbose=True)
    assert outcome.ok, outcome.messages
    made = outcome.resources("elsewhere")
    assert "other-shop-roses-landing" in json.dumps(made)
    for address, values in made.items():
        found = re.search(r"flower-shop|europe-west1|perennial[-/]", json.dumps(values))
        assert not found, f"{address}: {found}"


@pytest.mark.parametrize(
    ("later", "sooner"),
    [
        # A grant to an account of Google's own fails until that account is there.
        ("google_project_iam_member.grant", "terraform_data.apis_settled"),
        # A trigger is refused until Eventarc's agent may do its work and Storage may publish, and
        # would call in vain until its account may.
        ("google_eventarc_trigger.ingest", "google_project_iam_member.grant"),
        ("google_eventarc_trigger.ingest", "google_cloud_run_v2_service_iam_member.grant"),
        ("google_eventarc_trigger.ingest", "terraform_data.grants_settled"),
        # A build fails until its account may read sources, push and log.
        ("google_cloudfunctions2_function.function", "terraform_data.grants_settled"),
        ("google_cloudfunctions2_function.function", "google_storage_bucket_object.source"),
        ("google_cloud_run_v2_job.train", "google_service_account.account"),
        # An alert is refused until the metric that it names is known.
        ("google_monitoring_alert_policy.quarantine_rate", "terraform_data.metrics_settled"),
        ("google_monitoring_alert_policy.stale_champion", "terraform_data.metrics_settled"),
        ("google_monitoring_alert_policy.training_alerts", "terraform_data.metrics_settled"),
        ("google_monitoring_alert_policy.failed_lookups", "terraform_data.metrics_settled"),
    ],
)
def test_what_is_refused_too_soon_waits(waits, later, sooner):
    assert sooner in waits[later]


def test_everything_waits_for_its_api(waits):
    for name, sooner in waits.items():
        if name.startswith("google_") and name != "google_project_service.base":
            assert "google_project_service.base" in sooner, name
            if not name.startswith(("google_storage_bucket", "google_project_service")):
                assert "google_project_service.api" in sooner, name


@pytest.fixture(scope="module")
def waits(initialised, bundles, tmp_path_factory) -> dict[str, set[str]]:
    """What each resource waits for, directly or not."""
    return initialised.another(tmp_path_factory.mktemp("graph"), bundles).graph()
