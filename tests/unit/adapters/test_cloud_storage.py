"""Cloud Storage's answers, seen at the seam of its client: what a server cannot be made to say."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from unittest.mock import Mock

import pytest
import requests
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError
from pytest_mock import MockerFixture

from perennial.adapters.cloud_storage import CONNECTIONS, CloudStorageStore, connect
from perennial.adapters.memory import MemoryStore
from perennial.config import Config
from perennial.errors import (
    ConfigError,
    ObjectNotFound,
    PermissionDenied,
    PreconditionFailed,
    StoreError,
    StoreUnavailable,
)

from .conftest import media, refusal, resource

Answers = Callable[..., Mock]


class TestForbidden:
    def test_a_403_after_a_create_is_a_lost_race_where_the_object_exists(
        self, store: CloudStorageStore, answers: Answers
    ) -> None:
        """An identity that may create and not overwrite never sees a 412."""
        answers(refusal(403, "no storage.objects.delete access"), resource("a"))

        with pytest.raises(PreconditionFailed, match=r"no storage\.objects.delete access"):
            store.create("a", b"")

    def test_a_403_after_a_copy_is_a_lost_race_where_the_object_exists(
        self, store: CloudStorageStore, answers: Answers
    ) -> None:
        answers(refusal(403), resource("b"))

        with pytest.raises(PreconditionFailed):
            store.copy_from(store, "a", "b", generation=7)

    @pytest.mark.parametrize("then", [404, 403])
    def test_a_403_after_a_create_is_a_403_where_it_does_not(
        self, store: CloudStorageStore, answers: Answers, then: int
    ) -> None:
        answers(refusal(403, "no storage.objects.create access"), refusal(then))

        with pytest.raises(PermissionDenied, match=r"no storage\.objects.create access"):
            store.create("a", b"")

    @pytest.mark.parametrize(
        "given",
        [
            [refusal(403, "rosa has no storage.objects.delete access")],
            [refusal(403, "Forbidden"), resource("a.csv")],
        ],
        ids=["as the service says", "as a look shows"],
    )
    def test_what_one_may_create_and_not_replace_is_said_to_exist(
        self, store: CloudStorageStore, answers: Answers, given: list[requests.Response]
    ) -> None:
        answers(*given)

        with pytest.raises(PermissionDenied) as error:
            store.overwrite("a.csv", b"")
        assert str(error.value) == (
            "gs://garden/a.csv exists already and this identity may not replace it: "
            "drop it under another name"
        )

    @pytest.mark.parametrize(
        "given",
        [
            [refusal(403, "rosa has no storage.objects.create access")],
            [refusal(403, "Forbidden"), refusal(404)],
            [refusal(403, "Forbidden"), refusal(403)],
        ],
    )
    def test_what_one_may_not_even_create_is_said_as_it_came(
        self, store: CloudStorageStore, answers: Answers, given: list[requests.Response]
    ) -> None:
        answers(*given)

        with pytest.raises(PermissionDenied, match=r"write gs://garden/a\.csv: 403 "):
            store.overwrite("a.csv", b"")

    def test_a_swap_needs_the_right_to_overwrite(
        self, store: CloudStorageStore, answers: Answers
    ) -> None:
        request = answers(refusal(403))

        with pytest.raises(PermissionDenied):
            store.replace("head", b"", generation=7)
        assert request.call_count == 1


class TestErrors:
    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (refusal(401), PermissionDenied),
            (refusal(403), PermissionDenied),
            (refusal(404), ObjectNotFound),
            (refusal(412), PreconditionFailed),
            (refusal(400), StoreError),
            (RefreshError("token expired"), PermissionDenied),
        ],
    )
    def test_what_no_retry_can_cure_is_told_at_once(
        self,
        store: CloudStorageStore,
        answers: Answers,
        answer: requests.Response | Exception,
        error: type[StoreError],
    ) -> None:
        request = answers(answer)

        with pytest.raises(StoreError) as caught:
            store.stat("a")
        assert type(caught.value) is error
        assert (caught.value.bucket, caught.value.name) == ("garden", "a")
        assert request.call_count == 1

    @pytest.mark.parametrize(
        "answer",
        [
            refusal(408),
            refusal(429),
            refusal(500),
            refusal(502),
            refusal(503),
            refusal(504),
            requests.ConnectionError("refused"),
            requests.ReadTimeout("silence"),
            ConnectionResetError("reset"),
            TransportError(requests.ConnectionError("no way to the token server")),
        ],
    )
    @pytest.mark.usefixtures("_hasty")
    def test_what_a_retry_can_cure_is_retried(
        self,
        store: CloudStorageStore,
        answers: Answers,
        answer: requests.Response | Exception,
    ) -> None:
        request = answers(answer, answer, resource("a"))

        assert store.stat("a").generation == 7
        assert request.call_count == 3

    @pytest.mark.parametrize("status", [429, 503])
    def test_retries_end(
        self,
        store: CloudStorageStore,
        answers: Answers,
        mocker: MockerFixture,
        status: int,
    ) -> None:
        mocker.patch("time.sleep")
        now = mocker.patch("time.monotonic")
        now.side_effect = iter(range(0, 10_000, 7)).__next__  # every look at the clock costs 7 s
        request = answers(*[refusal(status, "slow down")] * 20)

        with pytest.raises(StoreUnavailable, match=f"at last: {status} slow down"):
            store.replace("head", b"", generation=7)
        assert 1 < request.call_count < 10

    def test_a_missing_bucket_is_no_missing_object(
        self, store: CloudStorageStore, answers: Answers
    ) -> None:
        for attempt in (
            lambda: store.create("a", b""),
            lambda: store.overwrite("a", b""),
            lambda: list(store.list()),
        ):
            answers(refusal(404, "The specified bucket does not exist."))
            with pytest.raises(StoreError, match="bucket does not exist") as caught:
                attempt()
            assert not isinstance(caught.value, ObjectNotFound)

    def test_an_error_without_json_is_told_too(
        self, store: CloudStorageStore, answers: Answers
    ) -> None:
        page = refusal(400)
        page.raw = io.BytesIO(b"<html>Bad gateway</html>")
        page.reason = "Bad Request"
        answers(page)

        with pytest.raises(StoreError, match="look at gs://garden/a: 400 Bad Request"):
            store.stat("a")


class TestDownloads:
    def test_a_read_is_one_request_with_the_facts_in_its_headers(
        self, store: CloudStorageStore, answers: Answers
    ) -> None:
        request = answers(media(b"petals"))

        found = store.read("a")

        assert found.data == b"petals"
        assert (found.info.generation, found.info.size) == (1771056000000007, 6)
        assert found.info.created == datetime(2026, 2, 14, 8, 0, 0, 7, UTC)
        assert request.call_count == 1  # and none about the bucket, in the background

    @pytest.mark.usefixtures("_hasty")
    def test_bytes_that_do_not_match_their_checksum_are_fetched_again(
        self, store: CloudStorageStore, answers: Answers
    ) -> None:
        request = answers(media(b"pexals", announced=b"petals"), media(b"petals"))

        assert store.read("a").data == b"petals"
        assert request.call_count == 2

    def test_bytes_that_never_match_are_not_handed_out(
        self, store: CloudStorageStore, answers: Answers, mocker: MockerFixture
    ) -> None:
        mocker.patch("time.sleep")
        mocker.patch("time.monotonic", side_effect=iter(range(0, 10_000, 20)).__next__)
        answers(*(media(b"pexals", announced=b"petals") for _ in range(20)))
        file = io.BytesIO()

        with pytest.raises(StoreUnavailable, match="Checksum mismatch"):
            store.download("a", file)


class TestListing:
    def test_only_what_is_asked_for_is_fetched(
        self, store: CloudStorageStore, answers: Answers
    ) -> None:
        request = answers(resource(""))

        assert list(store.list("p/", start="p/b", end="p/c", limit=3)) == []
        (url,) = (call.kwargs["url"] for call in request.call_args_list)
        for parameter in ("maxResults=3", "prefix=p%2F", "startOffset=p%2Fb", "endOffset=p%2Fc"):
            assert parameter in url
        assert "fields=items%28name%2Cgeneration%2Csize" in url

    def test_a_listing_that_is_not_read_costs_nothing(
        self, store: CloudStorageStore, answers: Answers
    ) -> None:
        request = answers()

        store.list()
        assert list(store.list(limit=0)) == []
        assert request.call_count == 0


def test_a_copy_from_another_kind_of_store_is_refused(store: CloudStorageStore) -> None:
    with pytest.raises(TypeError, match="MemoryStore"):
        store.copy_from(MemoryStore("other"), "a", "b", generation=1)


def test_a_long_rewrite_goes_on_until_it_is_done(
    store: CloudStorageStore, answers: Answers, mocker: MockerFixture
) -> None:
    half, whole = resource(""), resource("")
    half.json = lambda **_: {
        "done": False, "totalBytesRewritten": "5", "objectSize": "10", "rewriteToken": "go on",
    }  # fmt: skip
    whole.json = lambda **_: {
        "done": True, "totalBytesRewritten": "10", "objectSize": "10",
        "resource": {"name": "b", "generation": "9", "size": "10",
                     "timeCreated": "2026-02-14T08:00:00.000Z"},
    }  # fmt: skip
    request = answers(half, whole)

    assert store.copy_from(store, "a", "b", generation=7).generation == 9
    first, second = (call.kwargs["url"] for call in request.call_args_list)
    assert "sourceGeneration=7" in first
    assert "ifGenerationMatch=0" in first
    assert "rewriteToken=go+on" in second


class TestConnecting:
    def test_google_is_spoken_to_with_default_credentials(self, mocker: MockerFixture) -> None:
        credentials = mocker.Mock(universe_domain="googleapis.com")
        mocker.patch("google.auth.default", return_value=(credentials, "project"))
        mocker.patch(
            "google.auth.credentials.with_scopes_if_required", side_effect=lambda c, **_: c
        )
        mocker.patch("google.cloud.client.google.auth.credentials.Credentials", mocker.Mock)

        client = connect(Config("", "", "", "", project="garden-1"))

        assert client.project == "garden-1"
        assert client._http.credentials is credentials
        assert client._http.get_adapter("https://x")._pool_maxsize == CONNECTIONS

    def test_without_credentials_it_says_how_to_get_some(self, mocker: MockerFixture) -> None:
        mocker.patch("google.auth.default", side_effect=DefaultCredentialsError("none found"))

        with pytest.raises(ConfigError, match="gcloud auth application-default login"):
            connect(Config("", "", "", ""))

    def test_an_emulator_is_spoken_to_without_credentials(self, mocker: MockerFixture) -> None:
        default = mocker.patch("google.auth.default")

        client = connect(Config("", "", "", "", storage_endpoint="http://127.0.0.1:9"))

        assert default.call_count == 0
        assert client._connection.API_BASE_URL == "http://127.0.0.1:9"
