"""Keys that were accepted in an earlier file: found from the index, told, and left out of proof."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from functions.train.main import _tell
from perennial.cli.status import _details
from perennial.cli.versions import _explained
from perennial.domain import names
from perennial.domain.definitions.definition import parse
from perennial.domain.evaluation.repeated_keys import Example
from perennial.domain.judging.keys import KeyIndex, keys_digest
from perennial.domain.names import FileId
from perennial.domain.versioning.lineage import Batch, Lineage
from perennial.errors import StoreUnavailable
from perennial.workflows.judging import judge
from perennial.workflows.key_index import keys_of
from perennial.workflows.ledger import entries
from perennial.workflows.queue import accepted_files
from perennial.workflows.recall import Recaller
from perennial.workflows.rows import Rows
from perennial.workflows.runs import list_runs
from perennial.workflows.status import status
from perennial.workflows.versions import explain

from .conftest import DEFINITION

KEYED = DEFINITION.replace("  heat:", "  visit: {type: category, role: key}\n  heat:")
SEGMENTS = names.keys("taps", keys_digest(parse(KEYED)))


class Store:
    """A store whose process dies after so many writes of segments."""

    def __init__(self, store, deaths: int) -> None:
        self._store = store
        self.deaths = deaths

    def __getattr__(self, name):
        return getattr(self._store, name)

    def create(self, name, data, **facts):
        info = self._store.create(name, data, **facts)
        if "/keys/" in name and self.deaths:
            self.deaths -= 1
            raise KeyboardInterrupt
        return info


def drop(taps, day: int, visits: range, *, name: str = "") -> str:
    """A day whose rows bring these keys."""
    lines = ["at,visit,heat,room,open"]
    for n, visit in enumerate(visits):
        heat = np.random.default_rng(visit * 1000 + day).normal()
        lines.append(
            f"2026-01-{day:02d}T{n // 60:02d}:{n % 60:02d}:00,k{visit},{heat:.4f},a,{int(heat > 0)}"
        )
    landing = taps.trainer.buckets.landing
    info = landing.overwrite(f"taps/{name or f'day{day}'}.csv", "\n".join(lines).encode())
    file = FileId(info.generation, info.name)
    verdict = judge(taps.trainer.buckets, taps.registry, taps.trainer.clock, file)
    assert verdict.decision == "accepted", verdict
    return file.stem


@pytest.fixture
def keyed(taps):
    """Two days, learned one after the other; the second brings 30 keys of the first."""
    taps.apply(KEYED)
    drop(taps, 1, range(200))
    taps.train()
    drop(taps, 2, range(170, 370))
    taps.train()
    return taps


def parts(taps):
    return [getattr(taps.trainer, part) for part in ("buckets", "registry", "launcher", "clock")]


def known(taps):
    """What a run would know of keys now."""
    data = taps.trainer.buckets.data
    definition = taps.registry.definition(taps.head)
    batch = Batch.of(accepted_files(data, "taps"), Lineage())
    return keys_of(data, definition, batch, Rows(data, definition))


def segments(taps) -> list[str]:
    return [info.name for info in taps.trainer.buckets.data.list(SEGMENTS)]


def test_they_are_counted_with_examples_and_the_earlier_files_name(keyed):
    [one] = explain(keyed.registry, "taps", "v000002")["evaluation"]["repeated_keys"]

    assert (one["name"], one["rows"], one["of"]) == ("taps/day2.csv", 30, 200)
    assert one["examples"] == [
        {"key": key, "file": "taps/day1.csv"} for key in ("k170", "k171", "k172")
    ]
    assert explain(keyed.registry, "taps", "v000001")["evaluation"]["repeated_keys"] == []


def test_their_rows_are_left_out_of_proof(keyed):
    [entry] = entries(keyed.trainer.buckets.data, "taps")
    held_out = explain(keyed.registry, "taps", "v000002")["evaluation"]["held_out"]

    assert (entry.score.rows, entry.repeated) == (170, 30)
    assert held_out["repeated"] == 30


def test_run_status_explanation_and_log_say_so(keyed, caplog):
    sentence = (
        "taps/day2.csv: 30 of 200 rows bring keys that were accepted before, such as k170 in "
        "taps/day1.csv; they prove nothing"
    )
    shown = status(*parts(keyed), "taps")
    assert [(one["name"], one["rows"]) for one in shown["repeated_keys"]] == [("taps/day2.csv", 30)]
    assert f"keys       {sentence}" in list(_details(shown))
    assert f"keys       {sentence}" in list(_explained(explain(keyed.registry, "taps", "v000002")))

    *_, last = list_runs(keyed.trainer.buckets.data, "taps")
    drop(keyed, 3, range(360, 460))
    [record] = keyed.train()
    assert [one.rows for one in record.repeated_keys] == [10]
    assert type(record).from_json(
        keyed.trainer.buckets.data.read(names.run("taps", record.run)).data
    ) == replace(record, considered=record.considered)
    assert [one["rows"] for one in last["repeated_keys"]] == [30]
    with caplog.at_level("INFO", logger="perennial.train"):
        _tell(record)
    assert record.repeated_keys[0].sentence in caplog.messages


def test_a_run_on_many_such_files_with_long_names_is_listed_and_shown(taps):
    """Metadata of an object has 8 KiB."""
    taps.apply(KEYED)
    drop(taps, 1, range(100))
    taps.train()
    for day in range(2, 10):
        drop(taps, day, range(90, 200), name=f"{'ü' * 400}{day}")
    taps.train()

    *_, info = taps.trainer.buckets.data.list("taps/runs/")
    assert sum(len(k) + len(v.encode()) for k, v in info.metadata.items()) < 8_192
    shown = status(*parts(taps), "taps")
    assert [one["rows"] for one in shown["repeated_keys"]] == [10, *[110] * 7]
    assert [bool(one["examples"]) for one in shown["repeated_keys"]] == [True] * 5 + [False] * 3
    lines = [line for line in _details(shown) if line.startswith("keys")]
    assert len(lines) == 6
    assert lines[-1] == "keys       3 files more bring keys of earlier ones"


def test_also_of_a_file_that_the_window_had_passed_by(taps):
    taps.apply(KEYED + "  window: {files: 1}\n")
    for day, visits in ((1, range(100)), (2, range(100, 200)), (3, range(200, 300))):
        drop(taps, day, visits)
        taps.train()
    drop(taps, 4, range(50, 150))
    [record] = taps.train()

    [told] = record.repeated_keys
    assert told.rows == 100
    assert told.examples[0] == Example("k50", "taps/day1.csv")
    *_, entry = entries(taps.trainer.buckets.data, "taps")
    assert (entry.score.rows, entry.repeated) == (0, 100)


def test_of_files_that_are_new_together_the_one_that_was_dropped_first_has_them(taps):
    taps.apply(KEYED)
    drop(taps, 1, range(100))
    taps.train()
    drop(taps, 3, range(200, 300))
    drop(taps, 2, range(280, 380))  # late among the new ones
    [record] = taps.train()

    assert [(one.name, one.rows, one.examples[0].file) for one in record.repeated_keys] == [
        ("taps/day2.csv", 20, "taps/day3.csv")
    ]


def test_a_recalled_file_had_no_keys(keyed):
    Recaller(*parts(keyed), "taps").recall("day2.csv", by="ada", why="wrong till")
    keyed.train()
    drop(keyed, 3, range(200, 300))
    [record] = keyed.train()

    assert record.repeated_keys == ()


def test_without_key_columns_there_is_no_index(taps):
    taps.drop()
    taps.train()
    assert [o.name for o in taps.trainer.buckets.data.list("taps/keys/")] == []
    assert "repeated_keys" not in explain(taps.registry, "taps", "v000001")["evaluation"]


def test_each_run_writes_one_segment_and_reads_as_many_as_its_number_has_bits(taps):
    taps.apply(KEYED)
    seen = []
    for day in range(1, 8):
        drop(taps, day, range(day * 10, day * 10 + 10))
        found = known(taps)
        seen.append(len(segments(taps)))
        assert len(found.index.hashes) == 10 * day
        assert sorted(stem for stem, _ in found.index.sources) == [
            file.file.stem for file in accepted_files(taps.trainer.buckets.data, "taps")
        ]
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    data = taps.trainer.buckets.data
    sizes = [len(KeyIndex.from_parquet(data.read(name).data).sources) for name in segments(taps)]
    assert sizes == [1, 2, 1, 4, 1, 2, 1]
    known(taps)
    assert len(segments(taps)) == 7  # nothing new, nothing written


@pytest.mark.parametrize("spoil", ["lost", "damaged", "foreign"])
@pytest.mark.parametrize("number", [2, 4, 7])
def test_what_is_lost_or_damaged_is_rebuilt(taps, number, spoil):
    taps.apply(KEYED)
    for day in range(1, 8):
        drop(taps, day, range(day * 8, day * 8 + 10))
        known(taps)
    whole = known(taps)
    data, name = taps.trainer.buckets.data, SEGMENTS + names.keys_segment(number)
    if spoil == "lost":
        data.delete(name)
    else:
        data.overwrite(name, b"PAR1" if spoil == "damaged" else b"")

    for _ in range(2):
        again = known(taps)
        assert again.repeated == whole.repeated
        assert set(again.index.sources) == set(whole.index.sources)
        assert np.array_equal(np.unique(again.index.hashes), np.unique(whole.index.hashes))
    assert len(segments(taps)) <= 8


def test_a_run_that_dies_when_it_has_written_a_segment_changes_nothing(keyed, restarted):
    drop(keyed, 3, range(360, 460))
    buckets = keyed.trainer.buckets
    dying = replace(buckets, data=Store(buckets.data, deaths=1))
    trainer = keyed.trainer
    keyed.trainer = replace(trainer, buckets=dying)
    with pytest.raises(KeyboardInterrupt):
        keyed.train()
    keyed.trainer = trainer
    keyed.trainer.launcher.ended.add("job-1")
    [record] = restarted(keyed, "job-2").train()

    assert (record.outcome, [one.rows for one in record.repeated_keys]) == ("promoted", [10])
    assert len(segments(keyed)) == 3


def test_a_zombie_that_writes_the_same_segment_takes_nothing_away(keyed):
    data = keyed.trainer.buckets.data
    other = KeyIndex.of(("gone", "rows"), np.array([1, 2], dtype=np.uint64))
    data.create(SEGMENTS + names.keys_segment(3), other.to_parquet())
    drop(keyed, 3, range(360, 460))
    [record] = keyed.train()

    assert [one.rows for one in record.repeated_keys] == [10]
    assert len(known(keyed).index.hashes) == 200 + 200 + 100 + 2


def test_a_file_whose_rows_are_gone_is_left_out(keyed):
    [first, _] = accepted_files(keyed.trainer.buckets.data, "taps")
    for name in segments(keyed):
        keyed.trainer.buckets.data.delete(name)
    keyed.trainer.buckets.data.delete(first.rows_object)

    assert known(keyed).repeated == ()


def test_an_unknown_outcome_of_the_store_ends_the_run(keyed, mocker):
    drop(keyed, 3, range(360, 460))
    mocker.patch.object(
        type(keyed.trainer.buckets.data), "list", side_effect=StoreUnavailable("no answer")
    )
    with pytest.raises(StoreUnavailable):
        known(keyed)


def test_an_index_is_stored_in_the_same_bytes():
    parts = [
        KeyIndex.of(("a", "rows/a"), np.array([7, 2**64 - 1, 3], dtype=np.uint64)),
        KeyIndex.of(("b", "rows/b"), np.array([], dtype=np.uint64)),
        KeyIndex.of(("c", "rows/c"), np.array([3, 9], dtype=np.uint64)),
    ]
    merged = KeyIndex.merged(parts)
    stored = merged.to_parquet()
    again = KeyIndex.from_parquet(stored)

    assert again.hashes.tolist() == [3, 3, 7, 9, 2**64 - 1]
    assert again.places.tolist() == [0, 2, 0, 2, 0]
    assert again.sources == merged.sources
    assert again.to_parquet() == stored
    assert again.hashes_of({"c": "rows/c"}).tolist() == [3, 9]
    assert again.hashes_of({"c": "rows/other"}).tolist() == []
