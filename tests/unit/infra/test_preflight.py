"""What must be true before anything is made."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
import requests
from google.auth.exceptions import TransportError
from pytest_mock import MockerFixture

from infra.deploying.errors import DeployError
from infra.deploying.google import Google
from infra.deploying.preflight import ROLES, check_project, missing_roles
from infra.deploying.voice import Voice
from infra.deploying.wanted import ROOT
from tests.unit.infra.google_apis import NUMBER, PROJECT, Apis

MANAGER = "cloudresourcemanager.googleapis.com"


def check(apis: Apis, project: str = PROJECT, **options: object) -> tuple[str, str, list[float]]:
    said, slept = io.StringIO(), list[float]()
    google = options.pop("google", None) or apis.google
    options = {"may_enable": True, **options}
    number = check_project(google, project, Voice(said), slept.append, **options)  # type: ignore[arg-type]
    return number, said.getvalue(), slept


def test_a_project_with_all_roles_passes(apis: Apis) -> None:
    assert check(apis) == (NUMBER, "", [])


def test_all_missing_roles_are_named_at_once_each_with_its_reason(apis: Apis) -> None:
    apis.lacking = {"run.jobs.create", "pubsub.topics.setIamPolicy"}
    with pytest.raises(DeployError) as caught:
        check(apis)
    text = str(caught.value)
    assert "roles/run.admin     deploys the training job" in text
    assert "roles/pubsub.admin  makes the dead-letter topic" in text
    assert "roles/eventarc.admin" not in text


def test_the_readme_lists_the_same_roles_with_the_same_reasons() -> None:
    text = (ROOT / "infra" / "README.md").read_text()
    listed = re.findall(r"^\| `(roles/[\w.]+)` \| (.*) \|$", text, re.MULTILINE)
    assert listed == [(role.name, role.reason) for role in ROLES]


def test_who_may_do_nothing_lacks_every_role(apis: Apis) -> None:
    """The answer then has no list at all."""
    apis.lacking = {permission for role in ROLES for permission in role.permissions}
    assert missing_roles(apis.google, PROJECT) == ROLES


def test_one_request_asks_for_all_permissions(apis: Apis) -> None:
    """At most a hundred are accepted."""
    missing_roles(apis.google, PROJECT)
    (body,) = apis.bodies
    assert len(body["permissions"]) <= 100


def test_an_unknown_project_is_told_from_a_missing_role(apis: Apis) -> None:
    with pytest.raises(DeployError, match="no project 'garden-2' that you can read"):
        check(apis, "garden-2")


def test_a_project_on_its_way_out_is_refused(apis: Apis) -> None:
    apis.state = "DELETE_REQUESTED"
    with pytest.raises(DeployError, match="being deleted"):
        check(apis)


def test_a_new_project_gets_the_api_that_all_needs(apis: Apis) -> None:
    apis.disabled = {MANAGER}
    number, said, slept = check(apis)
    assert number == NUMBER
    assert "Enabling the Cloud Resource Manager API" in said
    assert slept == [10.0]


def test_an_api_that_stays_off_is_not_waited_for_for_ever(apis: Apis) -> None:
    """Calls are counted to another project than the one where it was enabled."""
    apis.disabled, apis.counted_elsewhere = {MANAGER}, True
    with pytest.raises(DeployError, match="set-quota-project garden-1"):
        check(apis)


def test_a_persons_credentials_without_a_quota_project_are_warned_of(apis: Apis) -> None:
    session = requests.Session()
    session.trust_env = False
    google = Google(session, apis.url + "/{service}", unaccounted=True)
    _, said, _ = check(apis, google=google)
    assert "gcloud auth application-default set-quota-project garden-1" in said


@pytest.mark.parametrize(("named", "warned"), [({}, True), ({"quota_project_id": "g-1"}, False)])
def test_only_a_persons_credentials_can_lack_a_quota_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: dict[str, str], warned: bool
) -> None:
    login = {"client_id": "i", "client_secret": "s", "refresh_token": "r", **named}
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps({"type": "authorized_user", **login}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    monkeypatch.delenv("GOOGLE_CLOUD_QUOTA_PROJECT", raising=False)
    assert Google.connect().unaccounted is warned


@pytest.mark.parametrize("name", ["absent.json", ".", "empty.json"])
def test_without_credentials_it_says_how_to_log_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "empty.json").touch()
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / name))
    with pytest.raises(DeployError, match="gcloud auth application-default login"):
        Google.connect()


def test_a_network_that_is_down_is_not_taken_for_a_login_that_is_over(
    mocker: MockerFixture,
) -> None:
    session = mocker.Mock(spec=requests.Session)
    session.request.side_effect = TransportError("failed to resolve oauth2.googleapis.com")
    with pytest.raises(DeployError, match="does not answer: failed to resolve") as caught:
        missing_roles(Google(session), PROJECT)
    assert "login" not in str(caught.value)


def test_an_unreachable_api_says_what_was_asked_of_it() -> None:
    session = requests.Session()
    session.trust_env = False
    google = Google(session, "http://127.0.0.1:1/{service}")
    with pytest.raises(DeployError, match="could not ask what you may do in garden-1"):
        missing_roles(google, PROJECT)
