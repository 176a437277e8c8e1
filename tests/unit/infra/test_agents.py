"""Google-managed accounts exist before anything is granted to them."""

from __future__ import annotations

import io

from infra.deploying.agents import SERVICES, make_agents
from infra.deploying.up import up
from infra.deploying.voice import Voice
from infra.deploying.wanted import ROOT
from tests.unit.infra.conftest import Stage
from tests.unit.infra.google_apis import PROJECT, Apis


def test_an_account_made_on_request_has_its_role_from_terraform() -> None:
    """Google gives it none then."""
    grants = (ROOT / "infra" / "grants.tf").read_text("utf-8")
    for service in SERVICES:
        assert f'role = "roles/{service}.serviceAgent", who = "{service}_agent"' in grants


def test_a_deployment_has_them_made_after_their_apis_are_on(stage: Stage) -> None:
    wanted = stage.wanted()
    up(wanted, stage.tools(wanted))
    assert stage.apis.agents == {"eventarc.googleapis.com"}
    (built, *_) = [i for i, call in enumerate(stage.apis.calls) if call.endswith("/builds")]
    (made, *_) = [i for i, call in enumerate(stage.apis.calls) if "ServiceIdentity" in call]
    assert built < made


def test_a_refusal_is_told_and_the_deployment_goes_on(apis: Apis) -> None:
    apis.disabled.add("serviceusage.googleapis.com")
    said = io.StringIO()
    make_agents(apis.google, PROJECT, Voice(said))
    assert said.getvalue().count("could not have the account of") == 1
