"""Predictions for files over HTTP, by the key of their row."""

from __future__ import annotations

import json
import logging
from urllib.parse import quote

import pytest

from perennial.adapters.memory import MemoryStore
from perennial.domain import names
from perennial.domain.names import FileId
from perennial.domain.serving.lookups import LATEST, LISTED, MOST_SHARDS, Entry, key_text, shards_of
from perennial.domain.versioning.decisions import rollback
from perennial.domain.versioning.registry import Head
from tests.unit.predict.test_contract import assert_problem
from tests.unit.predict.versions import crown, write_regression

FIRST = 1_700_000_000_000_000


def keep(
    store: MemoryStore,
    rows: dict[tuple[object, ...], float],
    *,
    drop: int = 0,
    version: str = "v000001",
    keys: tuple[str, ...] = ("visit",),
    count: int | None = None,
) -> Entry:
    """What the job leaves of a file: shards, and the entry that tells of them."""
    file = FileId(FIRST + drop, f"shop/score/{drop}.csv")
    entry = Entry.of("shop", file, version, keys, count or len(rows))
    for name, shard in shards_of(entry, list(rows), list(rows.values())).items():
        store.create(name, json.dumps(shard).encode())
    store.create(entry.name, b"", metadata=entry.metadata)
    return entry


@pytest.fixture
def shop(store: MemoryStore) -> MemoryStore:
    """A pipeline with two approved versions."""
    write_regression(store, "v000001", 10)
    crown(store, "v000001")
    return store


def look(client, *key: str):
    return client.get("/v1/models/shop/predictions/" + "/".join(quote(k, safe="") for k in key))


def test_a_key_is_answered_by_its_prediction_and_where_it_comes_from(shop, client) -> None:
    keep(shop, {("a",): 1.5, ("b",): 2.5})
    answer = look(client, "b")
    assert answer.status_code == 200
    assert answer.json() == {
        "key": {"visit": "b"}, "prediction": 2.5, "model_version": "v000001",
        "file": "shop/score/0.csv", "generation": FIRST, "row": 2,
    }  # fmt: skip
    assert answer.headers["x-model-version"] == "v000001"


@pytest.mark.parametrize("key", ["ä b", "a/b", "100%", "?x=1", "#", "%2F", '"', "a\\b"])
def test_any_text_is_a_key(shop, client, key: str) -> None:
    keep(shop, {(key,): 1.0, ("other",): 2.0})
    assert look(client, key).json()["prediction"] == 1.0


@pytest.mark.parametrize(
    ("value", "text"), [(7, "7"), (True, "true"), (0.5, "0.5"), (2**60, str(2**60))]
)
def test_values_of_other_types_are_written_as_in_json(shop, client, value, text: str) -> None:
    keep(shop, {(value,): 1.0})
    assert key_text(value) == text
    assert look(client, text).json()["prediction"] == 1.0


def test_a_key_of_two_columns_has_two_parts(shop, client) -> None:
    keep(shop, {("a", 1): 1.0, ("a", 2): 2.0}, keys=("shop", "week"))
    assert look(client, "a", "2").json()["key"] == {"shop": "a", "week": "2"}
    assert_problem(look(client, "a"), 400, "malformed", "expected a value of shop and week, with /")


def test_a_row_without_its_key_cannot_be_found_and_hides_no_other(shop, client) -> None:
    keep(shop, {(None,): 1.0, ("b",): 2.0})
    assert look(client, "b").json()["row"] == 2
    assert look(client, "null").status_code == 404


def test_the_latest_drop_that_has_the_key_counts(shop, client) -> None:
    keep(shop, {("a",): 1.0, ("b",): 2.0}, drop=1)
    keep(shop, {("a",): 3.0}, drop=2)
    assert look(client, "a").json()["prediction"] == 3.0
    assert look(client, "b").json()["prediction"] == 2.0


def test_of_one_file_the_champion_counts_and_before_it_scored_the_one_before(
    shop, client, clock
) -> None:
    keep(shop, {("a",): 1.0})
    keep(shop, {("a",): 9.0}, version="v000002")
    assert look(client, "a").json()["model_version"] == "v000001"
    write_regression(shop, "v000002", 20)
    crown(shop, "v000002")
    clock.pass_(2)
    assert look(client, "a").json()["prediction"] == 9.0
    write_regression(shop, "v000003", 30)
    crown(shop, "v000003")
    clock.pass_(2)
    assert look(client, "a").json()["prediction"] == 9.0


def test_after_a_rollback_nothing_is_told_of_what_was_left(shop, client, clock) -> None:
    keep(shop, {("a",): 1.0})
    for version in ("v000002", "v000003"):
        keep(shop, {("a",): 9.0}, version=version)
        write_regression(shop, version, 20)
        crown(shop, version)
    keep(shop, {("b",): 9.0}, version="v000003", drop=1)
    assert look(client, "b").json()["model_version"] == "v000003"
    stored = shop.read(names.head("shop"))
    head = rollback(Head.from_json(stored.data), "v000002", by="ada", why="bad", at=clock.now())
    shop.replace(stored.info.name, head.to_json(), generation=stored.info.generation)
    clock.pass_(2)
    assert head.statuses["v000003"] == "approved"
    assert look(client, "a").json()["model_version"] == "v000002"
    assert look(client, "b").status_code == 404


@pytest.mark.parametrize("champion", ["v000001", "v000060", "v000150"])
def test_however_many_versions_scored_a_file_the_others_are_found(
    shop, client, champion: str
) -> None:
    keep(shop, {("old",): 5.0})
    for number in range(1, 151):
        keep(shop, {("a",): float(number)}, version=f"v{number:06d}", drop=1)
    if champion != "v000001":
        write_regression(shop, champion, 10)
        crown(shop, champion)
    assert look(client, "a").json()["prediction"] == int(champion[1:])
    assert look(client, "old").json()["model_version"] == "v000001"


def test_so_many_files_are_looked_into_and_no_more(shop, client) -> None:
    for drop in range(LATEST + 1):
        keep(shop, {(f"k{drop}",): float(drop)}, drop=drop)
    assert look(client, "k1").json()["prediction"] == 1.0
    assert_problem(look(client, "k0"), 404, "unknown-key", f"the latest {LATEST} files")
    assert LATEST < LISTED


def test_a_listing_ends_when_it_has_enough_files(shop, client) -> None:
    for drop in range(LATEST + 5):
        for number in range(1, 16):
            keep(shop, {("a",): 1.0}, version=f"v{number:06d}", drop=drop)
    client.get("/v1/models/shop")
    shop.calls.clear()
    assert look(client, "a").json()["generation"] == FIRST + LATEST + 4
    assert shop.calls["list"] == 3  # of 100: 6 files and the next one's begin in the first, …


def test_a_burst_of_requests_lists_once(shop, client) -> None:
    keep(shop, {("a",): 1.0})
    client.get("/v1/models/shop")
    shop.calls.clear()
    answers = client.together(20, "/v1/models/shop/predictions/a")
    assert {answer.status_code for answer in answers} == {200}
    assert shop.calls["list"] == 1


def test_large_files_have_a_bounded_number_of_shards(shop, client) -> None:
    entry = keep(shop, {(f"{n}",): float(n) for n in range(2000)}, count=10_000_000)
    assert entry.shards == MOST_SHARDS
    assert look(client, "1234").json()["row"] == 1235


def test_what_cannot_be_found_is_a_problem(shop, client, clock) -> None:
    assert_problem(look(client, "a"), 404, "unknown-key", "no prediction for ['a'] in any file")
    answer = client.get("/v1/models/bogus/predictions/a")
    assert_problem(answer, 404, "unknown-pipeline", "no pipeline 'bogus'")
    answer = client.get("/v1/models/shop/predictions/%ff")
    assert_problem(answer, 400, "malformed", "the key is not UTF-8")
    answer = client.request("POST", "/v1/models/shop/predictions/a")
    assert_problem(answer, 405, "method-not-allowed", "answers GET and HEAD")
    keep(shop, {("a",): 1.0})
    clock.pass_(2)
    shop.unreachable = True
    answer = look(client, "a")
    assert_problem(answer, 503, "look-up-failed", "no answer")
    assert answer.headers["retry-after"] == "5"


def test_a_long_key_is_not_repeated_whole(shop, client, clock) -> None:
    key = "k" * 5_000
    assert_problem(look(client, key), 404, "unknown-key", "kkk…")
    keep(shop, {("a", 1): 1.0}, keys=("shop", "week"))
    clock.pass_(2)
    assert_problem(look(client, key), 400, "malformed", "kkk…")
    assert len(look(client, *key).json()["detail"]) < 200


@pytest.mark.parametrize("unforeseen", [False, True])
def test_no_log_line_has_the_key(shop, client, clock, monkeypatch, caplog, unforeseen) -> None:
    keep(shop, {("ann@example.com",): 1.0})
    client.get("/v1/models/shop")
    if unforeseen:
        monkeypatch.setattr("perennial.workflows.serving.lookups.Lookups.find", lambda *_: 1 / 0)
    else:
        shop.unreachable = True
    assert look(client, "ann@example.com").status_code == (500 if unforeseen else 503)
    mine = [one for one in caplog.records if one.name.startswith("perennial")]
    assert "shop" in mine[-1].getMessage()
    assert "ann@" not in "".join(map(logging.Formatter().format, mine))


def test_a_store_that_fails_is_asked_once_in_an_interval(shop, client, clock) -> None:
    keep(shop, {("a",): 1.0})
    client.get("/v1/models/shop")
    shop.calls.clear()
    shop.unreachable = True
    answers = client.together(20, "/v1/models/shop/predictions/a")
    assert {answer.status_code for answer in answers} == {503}
    assert look(client, "a").status_code == 503
    assert shop.calls["list"] == 1
    shop.unreachable = False
    clock.pass_(2)
    assert look(client, "a").json()["prediction"] == 1.0
