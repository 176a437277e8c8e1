"""Access tokens, from local stand-ins for Google's servers."""

from __future__ import annotations

from pathlib import Path

import pytest
import urllib3

from perennial.adapters import access_token
from perennial.adapters.access_token import DefaultTokens, MetadataTokens
from perennial.adapters.storage_reader import connect
from perennial.config import Config
from perennial.errors import ConfigError, PermissionDenied, StoreUnavailable

from .local_google import MACHINE, LocalGoogle, key_file, local_google

GOOGLES = Config("", "", "", "")


def host(google: LocalGoogle) -> str:
    return google.url.removeprefix("http://")


def test_the_platform_gives_a_token_that_is_kept_until_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with local_google() as google:
        tokens = MetadataTokens(urllib3.PoolManager(), host(google))
        bearer = {"Authorization": f"Bearer access of {MACHINE}"}
        assert tokens.headers() == bearer
    assert tokens.headers() == bearer  # nobody is asked
    tokens.refused()
    with pytest.raises(StoreUnavailable, match="did not answer"):
        tokens.headers()


def test_a_token_near_its_end_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_token, "_EARLY", 3601.0)
    with local_google() as google:
        tokens = MetadataTokens(urllib3.PoolManager(), host(google))
        tokens.headers()
    with pytest.raises(StoreUnavailable):
        tokens.headers()


def test_an_account_without_a_token_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_token, "_TOKEN", "/not/here")
    with local_google() as google:
        tokens = MetadataTokens(urllib3.PoolManager(), host(google))
        with pytest.raises(PermissionDenied, match="answered 404"):
            tokens.headers()


def test_elsewhere_credentials_are_found_as_google_finds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = "me@garden-1.iam.gserviceaccount.com"
    with local_google() as google:
        key = key_file(tmp_path / "key.json", account, google)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
        tokens = DefaultTokens(urllib3.PoolManager())
        assert tokens.headers()["authorization"] == f"Bearer access of {account}"
        google.revoked = True
        tokens.refused()
        with pytest.raises(PermissionDenied, match="revoked"):
            tokens.headers()
    tokens.refused()
    with pytest.raises(StoreUnavailable):
        tokens.headers()


def test_without_credentials_one_is_told_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    with pytest.raises(ConfigError, match="gcloud auth application-default login"):
        connect(GOOGLES, {})


def test_on_cloud_run_google_s_library_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it would find nothing, so that it would raise."""
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    connection = connect(GOOGLES, {"K_SERVICE": "predict"})
    assert isinstance(connection._tokens, MetadataTokens)
