"""The outbox: one row for every object that became live, in the object's own transaction."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.api_core.exceptions import PreconditionFailed
from google.cloud import storage

from localdev.storage.database import FILE_NAME, connect
from localdev.storage.process import StorageServer

Rows = list[dict[str, object]]


@pytest.fixture
def notifying(tmp_path: Path) -> Iterator[StorageServer]:
    directory = tmp_path / "state"
    with StorageServer(directory, buckets=["silent"], notify=["landing"]) as server:
        yield server


@pytest.fixture
def events(notifying: StorageServer) -> Callable[[], Rows]:
    """Reads the outbox as the event delivery does: from another process, by the same file."""
    connection = connect(notifying.directory / FILE_NAME)
    return lambda: [dict(row) for row in connection.execute("SELECT * FROM events ORDER BY id")]


def test_a_bucket_says_whether_its_objects_leave_events(
    notifying: StorageServer, new_client: Callable[..., storage.Client]
) -> None:
    client = new_client(notifying)

    (found,) = client.bucket("landing").list_notifications()
    assert found.event_types == ["OBJECT_FINALIZE"]
    assert list(client.bucket("silent").list_notifications()) == []


def test_an_upload_leaves_an_event_that_describes_it(
    notifying: StorageServer, events: Callable[[], Rows], new_client: Callable[..., storage.Client]
) -> None:
    blob = new_client(notifying).bucket("landing").blob("shop/tag 1/ü.csv")
    blob.metadata = {"by": "test"}
    blob.upload_from_string(b"a,b\n", content_type="text/csv")

    (event,) = events()
    assert event["type"] == "google.cloud.storage.object.v1.finalized"
    assert event["bucket"] == "landing"
    assert event["name"] == "shop/tag 1/ü.csv"
    assert event["generation"] == blob.generation
    assert (event["state"], event["attempts"], event["due"]) == ("pending", 0, 0.0)
    data = json.loads(str(event["data"]))
    assert event["time"] == data["timeCreated"]
    assert data == blob._properties
    assert data["generation"] == str(blob.generation)
    assert (data["size"], data["metageneration"]) == ("4", "1")


def test_everything_that_makes_an_object_leaves_an_event_and_nothing_else_does(
    notifying: StorageServer,
    events: Callable[[], Rows],
    new_client: Callable[..., storage.Client],
    upload_in_chunks: Callable[..., storage.Blob],
) -> None:
    client = new_client(notifying)
    landing, silent = client.bucket("landing"), client.bucket("silent")
    source = silent.blob("source")
    source.upload_from_string(b"x")
    landing.blob("upload").upload_from_string(b"x")
    upload_in_chunks(landing.blob("resumable"), b"x" * 300 * 1024)
    silent.copy_blob(source, landing, "copy")
    landing.blob("rewrite").rewrite(source)
    landing.blob("compose").compose([landing.blob("upload")])
    landing.move_blob(landing.blob("copy"), "move")
    landing.blob("upload").upload_from_string(b"again")

    blob = landing.blob("upload")
    blob.patch()
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string(b"refused", if_generation_match=0)
    landing.blob("upload").delete()
    landing.copy_blob(landing.blob("move"), silent, "out")

    assert [event["name"] for event in events()] == [
        "upload",
        "resumable",
        "copy",
        "rewrite",
        "compose",
        "move",
        "upload",
    ]
    assert len({event["event_id"] for event in events()}) == 7


def test_events_outlive_the_server_and_can_be_acknowledged_beside_it(
    notifying: StorageServer, events: Callable[[], Rows], new_client: Callable[..., storage.Client]
) -> None:
    landing = new_client(notifying).bucket("landing")
    landing.blob("a").upload_from_string(b"")
    notifying.kill()
    notifying.start()
    connection = connect(notifying.directory / FILE_NAME)
    connection.execute("DELETE FROM events WHERE name = 'a'")
    landing.blob("b").upload_from_string(b"")
    assert [event["name"] for event in events()] == ["b"]
    assert events()[0]["id"] == 2
