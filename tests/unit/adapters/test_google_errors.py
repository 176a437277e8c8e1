"""One reading of what Google says, in every form in which it and others say it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from perennial.adapters.google_errors import GoogleError, google_error

QUOTA = {"@type": "type.googleapis.com/google.rpc.QuotaFailure"}
INFO = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}


def answer(body: bytes, status: int = 403, phrase: str = "Forbidden") -> requests.Response:
    response = requests.Response()
    response.status_code, response.reason = status, phrase
    response._content = body  # where requests keeps what it has read
    return response


def said(**error: Any) -> GoogleError:
    return google_error(answer(json.dumps({"error": error}).encode()))


def test_the_newer_form_names_a_reason_among_its_details() -> None:
    error = said(message="not enabled", status="PERMISSION_DENIED", details=[QUOTA, INFO])

    assert error == GoogleError(403, "not enabled", "SERVICE_DISABLED", "PERMISSION_DENIED")
    assert str(error) == "403 not enabled"


def test_the_older_form_names_it_among_its_errors() -> None:
    error = said(message="not used", errors=[{"reason": "accessNotConfigured"}])

    assert error == GoogleError(403, "not used", "accessNotConfigured")


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"details": []},
        {"details": None, "status": None},
        {"details": [QUOTA, "no object"], "errors": 7},
    ],
)
def test_without_a_reason_there_is_still_the_sentence(more: dict[str, Any]) -> None:
    assert said(message="no", **more) == GoogleError(403, "no")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'{"error": "invalid_grant"}',
        b'{"error": {"code": 403}}',
        b'{"detail": "from somebody else"}',
    ],
)
def test_of_anybody_else_the_status_line_is_told(body: bytes) -> None:
    assert google_error(answer(body)) == GoogleError(403, "Forbidden")


def test_a_status_line_may_have_no_words() -> None:
    assert str(google_error(answer(b"", 502, ""))) == "502 without a word"
