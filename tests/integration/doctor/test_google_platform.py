"""The adapter against a server that plays Google's APIs, with all that they answer."""

from __future__ import annotations

from typing import Any

import google.auth
import pytest
import requests
from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError, RefreshError
from google.auth.transport.requests import AuthorizedSession

from perennial.adapters.google_platform import (
    LOGIN,
    GooglePlatform,
    google_session,
    local_session,
    plain_session,
)
from perennial.errors import ConfigError

from .conftest import Apis

AT = ("run", "v2/projects/acme/locations/x/jobs/train")


@pytest.fixture
def platform(apis: Apis) -> GooglePlatform:
    return GooglePlatform(requests.Session(), apis.addresses)


def error(status: int, message: str, *reasons: str) -> dict[str, Any]:
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    details = [{"@type": kind, "reason": reason} for reason in reasons]
    return {"error": {"code": status, "message": message, "details": details}}


def test_a_document_is_found(apis: Apis, platform: GooglePlatform) -> None:
    apis.documents[AT] = {"name": "train"}
    look = platform.look(*AT, **{"options.requestedPolicyVersion": "3"})

    assert (look.kind, look.document, look.status) == ("found", {"name": "train"}, 200)
    assert apis.asked == [(*AT, "options.requestedPolicyVersion=3")]


def test_a_colon_stays_in_the_path(apis: Apis, platform: GooglePlatform) -> None:
    apis.documents["run", f"{AT[1]}:getIamPolicy"] = {"etag": "ACAB"}

    assert platform.look("run", f"{AT[1]}:getIamPolicy").kind == "found"


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (404, error(404, "it was not found"), "absent", "404 it was not found"),
        (
            403,
            error(403, "Permission 'run.jobs.get' denied", "IAM_PERMISSION_DENIED"),
            "forbidden",
            "403 Permission 'run.jobs.get' denied",
        ),
        (403, b"<html>", "forbidden", "403 Forbidden"),
        (401, error(401, "no credentials"), "forbidden", "401 no credentials"),
        (
            403,
            error(403, "Cloud Run Admin API has not been used", "SERVICE_DISABLED"),
            "disabled",
            "403 Cloud Run Admin API has not been used",
        ),
        (
            403,
            {"error": {"message": "not used", "errors": [{"reason": "accessNotConfigured"}]}},
            "disabled",
            "403 not used",
        ),
        (
            403,
            error(403, "The API requires a quota project, which is not set", "SERVICE_DISABLED"),
            "forbidden",
            "403 The API requires a quota project, which is not set",
        ),
        (500, error(500, "Internal error"), "silent", "500 Internal error"),
        (503, b"", "silent", "503 Service Unavailable"),
        (429, error(429, "Quota exceeded"), "silent", "429 Quota exceeded"),
        (302, b"", "silent", "302 Found"),
        (200, b"<html>", "silent", "200 with something that is no JSON"),
        (200, b"[]", "silent", "200 with something that is no JSON"),
    ],
)
def test_what_else_comes_is_told_apart(
    apis: Apis, platform: GooglePlatform, status: int, body: Any, kind: str, said: str
) -> None:
    apis.instead[AT] = (status, body)
    look = platform.look(*AT)

    assert (look.kind, look.said, look.status) == (kind, said, status)
    assert len(apis.asked) == 1


def test_no_server_is_silence(platform: GooglePlatform) -> None:
    closed = GooglePlatform(local_session(), {"run": "http://127.0.0.1:1"})
    look = closed.look(*AT)

    assert (look.kind, look.status) == ("silent", 0)
    assert "refused" in look.said.lower()


def test_a_token_is_sent_and_netrc_has_no_say(
    apis: Apis, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login rosa password petals\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    GooglePlatform(plain_session("abc"), apis.addresses).look("predict", "")
    GooglePlatform(plain_session(), apis.addresses).look("predict", "")

    assert apis.tokens == ["Bearer abc", None]


class Expired(Credentials):  # type: ignore[misc]  # google.auth has no types
    """Credentials whose login is over."""

    def refresh(self, request: object) -> None:
        raise RefreshError("Reauthentication is needed.")


def test_a_login_that_is_over_says_to_log_in(apis: Apis) -> None:
    look = GooglePlatform(AuthorizedSession(Expired()), apis.addresses).look(*AT)

    assert look.kind == "forbidden"
    assert look.said == f"no access token: Reauthentication is needed.; {LOGIN}"
    assert apis.asked == []


def test_no_credentials_say_what_was_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(**_: object) -> None:
        raise DefaultCredentialsError("none were found")

    monkeypatch.setattr(google.auth, "default", none)
    with pytest.raises(ConfigError, match=r"no Google credentials \(none were found\)"):
        google_session()
