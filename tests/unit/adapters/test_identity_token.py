"""Whatever Google credentials there are, a token for the service comes of them, or a reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.auth import impersonated_credentials
from google.auth.exceptions import RefreshError
from google.oauth2.credentials import Credentials
from pytest_mock import MockerFixture

from perennial.adapters import identity_token
from perennial.adapters.identity_token import IdentityToken, identity_tokens
from perennial.errors import ConfigError, PerennialError

from .local_google import MACHINE, LocalGoogle, claims, key_file, local_google

AUDIENCE = "https://predict.test"
CALLER = "perennial-caller@garden-1.iam.gserviceaccount.com"
ROBOT = "robot@garden-1.iam.gserviceaccount.com"
ROLE = "roles/iam.serviceAccountOpenIdTokenCreator"
DENIED = {
    "code": 403,
    "message": "Permission 'iam.serviceAccounts.getOpenIdToken' denied on resource.",
    "details": [{"reason": "IAM_PERMISSION_DENIED"}],
}


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalGoogle]:
    with local_google() as google:
        monkeypatch.setattr(identity_token, "IAM_CREDENTIALS", google.url)
        yield google


@pytest.fixture
def rosa(google: LocalGoogle, mocker: MockerFixture) -> None:
    """A person's credentials; those in a file always go to Google's own token endpoint."""
    person = Credentials(
        token=None,
        refresh_token="rosa",  # noqa: S106 (nobody's)
        token_uri=f"{google.url}/token",
        client_id="c",
        client_secret="s",  # noqa: S106
    )
    mocker.patch("google.auth.default", return_value=(person, None))


@pytest.fixture
def robot(google: LocalGoogle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service account's key file."""
    path = key_file(tmp_path / "key.json", ROBOT, google)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    return path


def tokens(**options: str) -> list[IdentityToken]:
    found = list(identity_tokens(AUDIENCE, **options))
    for token in found:
        said = claims(token.value)
        assert (said["aud"], said["email"]) == (AUDIENCE, token.account)
    return found


def accounts(**options: str) -> list[str]:
    return [token.account for token in tokens(**options)]


class TestWhoAsks:
    @pytest.mark.usefixtures("rosa")
    def test_a_person_acts_as_the_deployments_caller(self, google: LocalGoogle) -> None:
        assert accounts(caller=CALLER) == [CALLER]
        assert google.accounts == [(CALLER, "rosa")]

    @pytest.mark.usefixtures("rosa")
    def test_a_person_may_choose_another_account(self, google: LocalGoogle) -> None:
        assert accounts(caller=CALLER, impersonate=ROBOT) == [ROBOT]
        assert google.accounts == [(ROBOT, "rosa")]

    @pytest.mark.usefixtures("rosa")
    def test_without_a_caller_a_person_has_to_choose(self) -> None:
        with pytest.raises(ConfigError, match="--impersonate"):
            tokens()

    @pytest.mark.usefixtures("robot")
    def test_a_service_account_asks_as_itself_and_then_as_the_caller(
        self, google: LocalGoogle
    ) -> None:
        wanted = identity_tokens(AUDIENCE, caller=CALLER)

        assert next(wanted).account == ROBOT
        assert google.accounts == [], "nothing is asked for that may not be needed"
        assert next(wanted).account == CALLER
        assert google.accounts == [(CALLER, ROBOT)]

    @pytest.mark.usefixtures("robot")
    def test_a_service_account_may_choose_and_needs_no_caller(self, google: LocalGoogle) -> None:
        assert accounts() == [ROBOT]
        assert accounts(caller=ROBOT) == [ROBOT]
        assert accounts(impersonate=CALLER) == [CALLER]
        assert google.accounts == [(CALLER, ROBOT)]

    def test_a_machine_asks_as_the_account_that_it_runs_as(
        self, google: LocalGoogle, tmp_path: Path
    ) -> None:
        """In a process of its own, since the library looks at the environment when imported."""
        host = google.url.removeprefix("http://")
        program = (
            "from perennial.adapters import identity_token as it\n"
            f"it.IAM_CREDENTIALS = {google.url!r}\n"
            f"for token in it.identity_tokens({AUDIENCE!r}, caller={CALLER!r}):\n"
            "    print(token.account, token.value)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "GCE_METADATA_HOST": host,
                "GCE_METADATA_IP": host,
            },
            capture_output=True,
            text=True,
        )

        assert done.returncode == 0, done.stderr
        (own, token), (second, _) = (line.split() for line in done.stdout.splitlines())
        assert (own, second) == (MACHINE, CALLER)
        assert claims(token)["aud"] == AUDIENCE
        assert google.accounts == [(CALLER, MACHINE)]


class TestImpersonatedCredentials:
    """As `gcloud auth application-default login --impersonate-service-account` leaves them."""

    @pytest.fixture
    def refreshing(self, mocker: MockerFixture) -> Any:
        credentials = impersonated_credentials.Credentials(Credentials("t"), ROBOT, [])
        mocker.patch("google.auth.default", return_value=(credentials, None))
        return mocker.patch.object(
            impersonated_credentials.IDTokenCredentials, "refresh", autospec=True
        )

    def test_they_ask_as_the_account_that_they_act_as(self, refreshing: Any) -> None:
        def refresh(minter: Any, _: object) -> None:
            minter.token = f"token for {minter._target_audience}"

        refreshing.side_effect = refresh

        (token,) = identity_tokens(AUDIENCE)
        assert token == IdentityToken(ROBOT, f"token for {AUDIENCE}")

    def test_without_the_role_it_is_named(self, refreshing: Any) -> None:
        refreshing.side_effect = RefreshError("Error getting ID token: 403\nPERMISSION_DENIED")

        with pytest.raises(ConfigError) as raised:
            list(identity_tokens(AUDIENCE))
        assert str(raised.value) == (
            f"no identity token for {ROBOT}, which takes "
            "roles/iam.serviceAccountOpenIdTokenCreator on it: "
            "Error getting ID token: 403 PERMISSION_DENIED"
        )


@pytest.mark.usefixtures("rosa")
class TestRefusals:
    def test_a_missing_role_is_named_with_the_variable_that_gives_it(
        self, google: LocalGoogle
    ) -> None:
        google.refusal = 403, DENIED

        with pytest.raises(ConfigError) as raised:
            tokens(caller=CALLER)
        assert str(raised.value) == (
            f"you lack roles/iam.serviceAccountOpenIdTokenCreator on {CALLER} (403 Permission "
            "'iam.serviceAccounts.getOpenIdToken' denied on resource.): `callers` in the "
            "deployment's variables gives it"
        )

    def test_for_another_account_that_variable_does_not_help(self, google: LocalGoogle) -> None:
        google.refusal = 403, DENIED

        with pytest.raises(ConfigError, match=f"{ROLE} on {ROBOT} .*: whoever manages") as raised:
            tokens(caller=CALLER, impersonate=ROBOT)
        assert "callers" not in str(raised.value)

    def test_a_403_for_another_reason_is_told_in_googles_words(self, google: LocalGoogle) -> None:
        message = "IAM Service Account Credentials API has not been used in project 1 before."
        details = [{"reason": "SERVICE_DISABLED"}]
        google.refusal = 403, {"code": 403, "message": message, "details": details}

        with pytest.raises(PerennialError, match="has not been used") as raised:
            tokens(caller=CALLER)
        assert ROLE not in str(raised.value)

    def test_an_account_that_does_not_exist_is_named(self, google: LocalGoogle) -> None:
        google.refusal = 404, {"code": 404, "message": "Not found; Gaia id not found."}

        with pytest.raises(ConfigError, match=f"no service account {ROBOT} "):
            tokens(impersonate=ROBOT)

    def test_revoked_credentials_are_to_be_renewed(self, google: LocalGoogle) -> None:
        google.revoked = True

        with pytest.raises(ConfigError, match=r"application-default login.*invalid_grant"):
            tokens(caller=CALLER)

    def test_an_endpoint_that_is_not_there_is_one_line(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(identity_token, "IAM_CREDENTIALS", "http://127.0.0.1:1")
        monkeypatch.setattr(identity_token, "_RETRY", 0)

        with pytest.raises(PerennialError, match="Google does not answer") as raised:
            tokens(caller=CALLER)
        assert len(str(raised.value).splitlines()) == 1


def test_without_credentials_it_says_how_to_get_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "nothing.json"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))

    with pytest.raises(ConfigError, match=r"no Google credentials: run `gcloud .*nothing\.json"):
        tokens(caller=CALLER)


def test_a_key_file_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps({"type": "teapot"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))

    with pytest.raises(ConfigError, match=r"key\.json"):
        tokens(caller=CALLER)


def test_a_token_is_never_shown() -> None:
    assert "secret" not in repr(IdentityToken(ROBOT, "secret"))
