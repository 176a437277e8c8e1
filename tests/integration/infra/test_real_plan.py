"""Plans of the real provider, which checks more than its schema; mocks leave that out."""

from __future__ import annotations

import re

import pytest

from localdev.settings import ROOT
from tests.integration.infra.network import ASKED_ANYWAY, cut_off
from tests.integration.infra.workspace import Failed, Workspace

ENVIRONMENTS = sorted((ROOT / "infra" / "environments").glob("*.tfvars"))


@pytest.fixture
def workspace(new_copy, tmp_path):
    """The sources with an empty state, out of reach of Google."""
    with cut_off() as network:
        workspace = Workspace.new(new_copy, tmp_path / "data", network.environment)
        yield workspace
    assert set(network.tried) <= {ASKED_ANYWAY}


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda path: path.stem)
def test_a_first_plan_makes_what_the_mocked_one_makes(workspace, deployed, environment):
    plan = workspace.plan(f"-var-file=environments/{environment.name}")
    reads = {name for name in plan.actions if name.startswith("data.")}
    assert plan.actions.keys() == deployed.resources("apply").keys()
    assert {tuple(plan.actions[name]) for name in reads} == {("read",)}
    assert {tuple(plan.actions[name]) for name in plan.actions.keys() - reads} == {("create",)}
    # The environment's own settings arrived.
    told = dict(re.findall(r"^(\w+) += (true|false)\b", environment.read_text(), re.MULTILINE))
    for name, bucket in plan.changes.items():
        if name.startswith("google_storage_bucket.bucket"):
            assert bucket["after"]["force_destroy"] is (told["force_destroy"] == "true")
    job = plan.changes["google_cloud_run_v2_job.train"]["after"]
    assert job["deletion_protection"] is (told["deletion_protection"] == "true")


def test_the_plan_refuses_what_neither_schema_nor_mocks_see(workspace, variables):
    """A call can carry one token; the provider counts them when it plans."""
    workspace.copy.edit(
        "schedule.tf",
        r"(?=\n    oidc_token \{)",
        "\n    oauth_token {\n      service_account_email = local.email.scheduler\n    }\n",
    )
    assert workspace.copy.validate().ok
    workspace.copy.write_test("tokens", variables + 'run "mocked" {\n  command = plan\n}\n')
    assert workspace.copy.test("tokens").ok
    with pytest.raises(Failed, match="only one of oauth_token or oidc_token"):
        workspace.plan()
