"""The reader that `predict` has, against a server whose answers a test writes."""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import google_crc32c
import pytest

from perennial.adapters import storage_reader
from perennial.adapters.storage_reader import CloudStorageReader, Connection, connect
from perennial.config import Config
from perennial.errors import (
    ObjectNotFound,
    PermissionDenied,
    StoreError,
    StoreUnavailable,
)
from tests.unit.http_server import Quiet, serving


@dataclass
class Said:
    """One answer; of a body that is `cut` only the first half is sent."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass
class Server:
    """What it will answer, in order, and what it was asked."""

    url: str = ""
    answers: list[Said] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)


class OneToken:
    """Tokens that are numbered; a refused one is not given again."""

    def __init__(self) -> None:
        self.number = 1

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.number}"}

    def refused(self) -> None:
        self.number += 1


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once."""
    monkeypatch.setattr(storage_reader, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(storage_reader, "_LONGEST_PAUSE", 0.001)


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            told.paths.append(self.path)
            told.tokens.append(self.headers.get("authorization", ""))
            said = told.answers.pop(0) if len(told.answers) > 1 else told.answers[0]
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body[: len(said.body) // 2] if said.cut else said.body)
            self.close_connection = said.cut

    with serving(Handler) as told.url:
        yield told


@pytest.fixture
def reader(server: Server) -> CloudStorageReader:
    config = Config("", "", "", "", storage_endpoint=server.url)
    return CloudStorageReader(connect(config, {}), "garden")


def media(body: bytes, *, cut: bool = False, crc32c: int | None = None, **headers: str) -> Said:
    stated = google_crc32c.value(body) if crc32c is None else crc32c
    packed = base64.b64encode(stated.to_bytes(4, "big")).decode()
    stated_headers = {"x-goog-generation": "7", "x-goog-hash": f"crc32c={packed},md5=x"}
    return Said(200, body, {**stated_headers, **headers}, cut)


def refusal(status: int, message: str = "because") -> Said:
    return Said(status, json.dumps({"error": {"message": message}}).encode())


def test_a_name_is_one_segment_and_the_generation_is_pinned(
    server: Server, reader: CloudStorageReader
) -> None:
    server.answers = [media(b"rows")]
    found = reader.read("a/b ü?#%2F", generation=7)
    assert (found.data, found.info.generation, found.info.size) == (b"rows", 7, 4)
    name = "a%2Fb%20%C3%BC%3F%23%252F"
    assert server.paths == [f"/download/storage/v1/b/garden/o/{name}?alt=media&generation=7"]


@pytest.mark.parametrize(
    "broken", [media(b"rows" * 99, cut=True), media(b"rowz", crc32c=5), refusal(503), refusal(429)]
)
def test_what_comes_broken_is_asked_for_again_from_its_beginning(
    server: Server, reader: CloudStorageReader, broken: Said
) -> None:
    server.answers = [broken, media(b"rows")]
    file = io.BytesIO(b"before")
    file.seek(6)
    assert reader.download("a", file).size == 4
    assert file.getvalue() == b"beforerows"


def test_packed_bytes_come_as_they_are_stored(server: Server, reader: CloudStorageReader) -> None:
    packed = gzip.compress(b"rows", mtime=0)
    server.answers = [media(packed, **{"content-encoding": "gzip"})]
    assert reader.read("a").data == packed


def test_it_gives_up_and_says_what_came_last(
    server: Server, reader: CloudStorageReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_reader, "_PATIENCE", 0.05)
    server.answers = [refusal(503, "Backend is tired")]
    with pytest.raises(StoreUnavailable, match=r"read gs://garden/a: no .* 503 Backend is tired"):
        reader.read("a")
    assert len(server.paths) > 1


def test_nobody_there_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_reader, "_PATIENCE", 0.0)
    config = Config("", "", "", "", storage_endpoint="http://127.0.0.1:9")
    with pytest.raises(StoreUnavailable, match="gs://garden/a"):
        CloudStorageReader(connect(config, {}), "garden").stat("a")


@pytest.mark.parametrize(
    ("status", "kind"), [(404, ObjectNotFound), (403, PermissionDenied), (400, StoreError)]
)
def test_a_final_answer_is_not_asked_for_again(
    server: Server, reader: CloudStorageReader, status: int, kind: type[StoreError]
) -> None:
    server.answers = [refusal(status, "no storage.objects.get access")]
    with pytest.raises(kind, match=r"look at gs://garden/a: \d+ no storage\.objects\.get") as found:
        reader.stat("a")
    assert type(found.value) is kind
    assert (found.value.bucket, found.value.name) == ("garden", "a")
    assert len(server.paths) == 1


def test_a_bucket_that_is_missing_is_no_missing_object(
    server: Server, reader: CloudStorageReader
) -> None:
    server.answers = [refusal(404, "The specified bucket does not exist.")]
    with pytest.raises(StoreError, match="list gs://garden: 404") as found:
        list(reader.list())
    assert type(found.value) is StoreError


def test_an_answer_that_is_no_json_is_asked_for_again(
    server: Server, reader: CloudStorageReader
) -> None:
    server.answers = [Said(200, b"<html>"), Said(200, b"{}")]
    assert list(reader.list()) == []


def test_pages_are_followed_to_their_end(server: Server, reader: CloudStorageReader) -> None:
    def page(*names: str, **more: str) -> Said:
        facts = {"generation": "7", "size": "1", "timeCreated": "2026-11-28T00:00:00.5Z"}
        items = [{"name": name, **facts} for name in names]
        return Said(200, json.dumps({"items": items, **more}).encode())

    server.answers = [page("a", "b", nextPageToken="t"), page(nextPageToken="u"), page("c")]
    assert [one.name for one in reader.list("x/", start="x/a")] == ["a", "b", "c"]
    assert ["pageToken=u" in path for path in server.paths] == [False, False, True]
    assert all("prefix=x%2F" in path for path in server.paths)


def test_a_token_that_is_refused_is_fetched_anew(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 401 is final only if a fresh token fares no better."""
    server.answers = [refusal(401), Said(200, b"{}")]
    connection = Connection(storage_reader._pool(), OneToken(), server.url)
    assert list(CloudStorageReader(connection, "garden").list()) == []
    assert server.tokens == ["Bearer 1", "Bearer 2"]

    server.answers = [refusal(401, "who are you")]
    with pytest.raises(PermissionDenied, match="401 who are you"):
        list(CloudStorageReader(connection, "garden").list())
    assert len(server.tokens) == 4


def test_a_file_that_takes_no_more_ends_the_reading(
    server: Server, reader: CloudStorageReader
) -> None:
    class Full(io.BytesIO):
        def write(self, _: object, /) -> int:
            raise ValueError("full")

    server.answers = [media(b"rows" * 1_000_000), media(b"rows")]
    with pytest.raises(ValueError, match="full"):
        reader.download("a", Full())
    assert reader.read("a").data == b"rows"  # on a connection of its own
