"""What the job makes of files to be scored."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from perennial.adapters.graph import Graph
from perennial.domain import names
from perennial.domain.definitions.definition import parse
from perennial.domain.modelling.predictions import predictions as http_predictions
from perennial.domain.names import FileId
from perennial.domain.serving.batch import Request, Scored
from perennial.domain.versioning.lineage import Lineage
from perennial.errors import (
    DefinitionError,
    DigestMismatch,
    ModelError,
    NotFoundError,
    RefusedError,
)
from perennial.workflows.batch.answers import answers
from perennial.workflows.batch.queue import list_scored, work_waits
from perennial.workflows.batch.scoring import score_requested, score_waiting
from perennial.workflows.judging import judge
from perennial.workflows.serving.loading import load
from perennial.workflows.serving.lookups import Found, Lookups
from tests.calls import Calls, Watched
from tests.unit.batch.conftest import KEYED, visits
from tests.unit.training.conftest import DEFINITION


def score(taps) -> list[Scored]:
    return list(score_waiting(taps.trainer, "taps"))


def learn(taps, lines: list[str]) -> None:
    """Drop these lines as a file to be learned, and train."""
    info = taps.trainer.buckets.landing.overwrite("taps/a.csv", "\n".join(lines).encode())
    file = FileId(info.generation, info.name)
    assert judge(taps.trainer.buckets, taps.registry, taps.trainer.clock, file).rows
    taps.train()


def predictions(taps, scored: Scored) -> pa.Table:
    data = taps.trainer.buckets.data.read(scored.predictions).data
    assert hashlib.sha256(data).hexdigest() == scored.predictions_sha256
    assert len(data) == scored.predictions_size
    return pq.read_table(pa.BufferReader(data))


def request(taps, *files, version: str = "v000001") -> list[Scored]:
    wanted = Request("taps", version, files)
    name = names.score_request("taps", wanted.digest)
    if not list(taps.trainer.buckets.data.list(name)):
        taps.trainer.buckets.data.create(name, wanted.to_json())
    return list(score_requested(taps.trainer, "taps", wanted.digest))


def test_its_predictions_are_those_that_a_request_is_answered(taps, to_score) -> None:
    """Bit for bit, missing values and all."""
    taps.drop()
    taps.train()
    file = to_score()
    (scored,) = score(taps)

    assert (scored.outcome, scored.version, scored.file, scored.rows) == (
        "scored", "v000001", file, 30,
    )  # fmt: skip
    table = predictions(taps, scored)
    assert tuple(table.column_names) == scored.columns
    assert table.column_names == ["row", "prediction", "probability 0", "probability 1"]
    rows = pd.read_csv(io.StringIO(visits(30))).astype(object)
    rows = rows.where(rows.notna(), None)
    model = load(taps.registry.models, Graph, taps.head, "v000001")
    answered = model.answer(rows.to_dict("records")).predictions
    assert table["row"].to_pylist() == list(range(1, 31))
    assert table["prediction"].to_pylist() == [one["label"] for one in answered]
    for name in ("0", "1"):
        expected = [one["probabilities"][name] for one in answered]
        assert table[f"probability {name}"].to_pylist() == expected


def test_its_manifest_says_what_went_in_and_what_came_out(taps, to_score) -> None:
    taps.drop()
    taps.train()
    file = to_score()
    (scored,) = score(taps)

    name = names.prediction_manifest("taps", file.stem, "v000001")
    stored = json.loads(taps.trainer.buckets.data.read(name).data)
    assert Scored.from_json(json.dumps(stored).encode()) == scored
    manifest = taps.registry.manifest("taps", "v000001")
    assert stored["file"] == {"generation": file.generation, "name": "taps/score/feb.csv"}
    assert stored["sha256"] == hashlib.sha256(visits(30).encode()).hexdigest()
    assert stored["graph"] == manifest.files["model.onnx"].sha256
    assert stored["definition"] == taps.head.definition
    assert stored["execution"] == "job-1"
    (shown,) = list_scored(taps.trainer.buckets.data, "taps")
    assert (shown.file, shown.version, shown.rows) == (file, "v000001", 30)


def test_predictions_that_lie_there_stay_and_its_manifest_is_of_them(taps, to_score) -> None:
    """Another execution may have written them, in other bytes, and died before the manifest."""
    taps.drop()
    taps.train()
    name = names.prediction("taps", to_score().stem, "v000001")
    there = taps.trainer.buckets.data.create(name, b"another execution's")
    (scored,) = score(taps)

    assert taps.trainer.buckets.data.stat(name) == there
    assert scored.predictions_sha256 == hashlib.sha256(b"another execution's").hexdigest()


def test_nothing_of_it_is_learned_or_counted(taps, to_score) -> None:
    """Not even when it bears labels, wrong ones at that."""
    taps.drop()
    taps.train()
    before = taps.learned()
    file = to_score(visits(200, label=True))
    score(taps)
    taps.drop()
    (run,) = taps.train()
    assert (run.files, run.rows) == (1, 100)
    assert {*taps.learned()} - {*before} == {"taps/day1.csv"}
    assert not list(taps.trainer.buckets.data.list(f"taps/scores/{file.stem}"))


def test_keys_stand_beside_predictions_with_their_types(taps, to_score) -> None:
    taps.apply(KEYED.replace("tap: {type: category", "tap: {type: integer"))
    lines = ["at,tap,heat,room,open"]
    lines += [f"2026-01-01T00:{n:02d}:00,{n},{n - 25},a,{int(n > 25)}" for n in range(50)]
    learn(taps, lines)
    to_score("at,tap,heat,room\n2026-02-01,9007199254740993,1,a\n2026-02-01,7,-9,\n")
    (scored,) = score(taps)
    table = predictions(taps, scored)
    assert table.column_names[:3] == ["row", "tap", "prediction"]
    assert table["tap"].to_pylist() == [9007199254740993, 7]


def test_files_wait_for_the_first_champion(taps, to_score) -> None:
    to_score()
    assert score(taps) == []
    assert not work_waits(taps.trainer.buckets.data, taps.registry, "taps")
    taps.drop()
    taps.train()
    assert work_waits(taps.trainer.buckets.data, taps.registry, "taps")
    assert [one.version for one in score(taps)] == ["v000001"]
    assert score(taps) == []
    assert not work_waits(taps.trainer.buckets.data, taps.registry, "taps")


class TestAnotherChampion:
    @pytest.mark.parametrize(
        ("serving", "again"),
        [
            ("", 0),
            ("serving: {rescore: never}\n", 0),
            ("serving: {rescore: latest}\n", 3),
            ("serving: {rescore: latest, rescore_files: 2}\n", 2),
        ],
    )
    def test_scores_again_what_is_declared(self, taps, to_score, serving: str, again: int) -> None:
        """The newest files, each once, beside what its predecessor said."""
        taps.apply(DEFINITION + serving)
        taps.drop(wrong=range(100))
        taps.train()
        files = [to_score(name=f"{n}.csv") for n in range(3)]
        assert [one.file for one in score(taps)] == files
        before = taps.head.champion
        while taps.head.champion == before:
            taps.drop()
            taps.train()

        found = score(taps)
        assert [one.file for one in found] == files[3 - again :]
        assert {one.version for one in found} <= {taps.head.champion}
        assert score(taps) == []
        assert len(list(list_scored(taps.trainer.buckets.data, "taps"))) == 3 + again


class TestRequests:
    def test_an_approved_version_scores_what_is_named_once(self, taps, to_score) -> None:
        taps.drop()
        taps.train()
        first, second = to_score(name="1.csv"), to_score(name="2.csv")
        (found,) = request(taps, second)
        assert (found.file, found.version) == (second, "v000001")
        later = replace(taps.trainer, execution="job-2")
        taps = replace(taps, trainer=later)
        assert request(taps, second) == [found]
        assert [one.file for one in request(taps, first, second)] == [first, second]

    def test_another_version_is_refused(self, taps, to_score) -> None:
        taps.drop()
        taps.train()
        file = to_score()
        with pytest.raises(RefusedError, match="no approved version 'v000009'"):
            request(taps, file, version="v000009")

    def test_a_file_that_is_learned_is_none_to_be_scored(self, taps) -> None:
        stem = taps.drop()
        taps.train()
        file = FileId(int(stem.split("-")[0]), "taps/day0.csv")
        with pytest.raises(NotFoundError, match="to be there to be scored, found it accepted"):
            request(taps, file)

    def test_a_request_that_was_tampered_with_is_not_followed(self, taps) -> None:
        another = Request("taps", "v000001", ()).to_json()
        taps.trainer.buckets.data.create(names.score_request("taps", "0" * 64), another)
        with pytest.raises(DigestMismatch):
            list(score_requested(taps.trainer, "taps", "0" * 64))


class TestWhatCannotBeScored:
    def test_a_column_that_came_later_and_is_needed_fails_the_file_alone(
        self, taps, to_score
    ) -> None:
        """For good: it is not tried again, except by another champion."""
        old = to_score(name="old.csv")
        taps.apply(DEFINITION.replace("  room:", "  wind: {type: number}\n  room:"))
        lines = ["at,heat,wind,room,open"]
        lines += [f"2026-01-01T00:{n:02d}:00,{n - 25},{n % 3},a,{int(n > 25)}" for n in range(60)]
        learn(taps, lines)
        new = to_score("at,heat,wind,room\n2026-02-01,1,1,a\n", name="new.csv")
        failed, scored = score(taps)
        assert (failed.file, failed.outcome, failed.predictions) == (old, "failed", "")
        assert "wind was no column" in failed.reason
        assert (scored.file, scored.outcome) == (new, "scored")
        assert score(taps) == []

    def test_rows_that_are_gone(self, taps, to_score) -> None:
        taps.drop()
        taps.train()
        to_score()
        data = taps.trainer.buckets.data
        (rows,) = data.list("taps/unlabelled/")
        data.delete(rows.name)
        (failed,) = score(taps)
        assert (failed.outcome, failed.reason) == ("failed", f"gs://data/{rows.name} is gone")


def test_a_key_that_is_called_as_one_of_ours_is_told_apart(taps, to_score) -> None:
    taps.drop()
    taps.train()
    manifest = taps.registry.manifest("taps", "v000001")
    keys = pa.table({"row": [5], "prediction": ["x"]})
    table = answers(manifest, keys, np.array([[0.25, 0.75]]))
    assert table.to_pylist() == [
        {"row": 1, "key row": 5, "key prediction": "x", "prediction": 1,
         "probability 0": 0.25, "probability 1": 0.75}
    ]  # fmt: skip
    with pytest.raises(ModelError, match="no finite answer to row 2"):
        answers(manifest, keys, np.array([[0.5, 0.5], [np.nan, 0.5]]))


def test_a_tie_has_the_label_that_http_answers(taps, to_score) -> None:
    taps.drop()
    taps.train()
    manifest = taps.registry.manifest("taps", "v000001")
    output = np.array([[0.5, 0.5000001], [0.5, 0.50001], [0.4999999, 0.5]])
    table = answers(manifest, pa.table({"key": [1, 2, 3]}), output)
    served = [one["label"] for one in http_predictions(manifest, output.astype(np.float32))]
    assert table["prediction"].to_pylist() == served == [0, 1, 0]


def test_a_version_with_nothing_known_of_what_it_learned_scores_as_well(taps, to_score) -> None:
    """Scoring asks for no lineage: it may be large, and rows are never compared with it."""
    taps.drop()
    taps.train()
    to_score()
    lineage = names.version("taps", "v000001", "lineage.json")
    assert Lineage.from_json(taps.registry.models.read(lineage).data)
    taps.registry.models.delete(lineage)
    assert [one.outcome for one in score(taps)] == ["scored"]


def _timeless(data: bytes) -> bytes:
    """A manifest without the time of its writing."""
    if not data.startswith(b"{"):
        return data
    document = json.loads(data)
    del document["created"]
    return json.dumps(document).encode()


class TestLookingUp:
    """By the key of a row, where that is declared."""

    TEXT = KEYED + "serving: {lookup: true}\n"

    @pytest.fixture
    def keyed(self, taps):
        taps.apply(self.TEXT)
        learn(taps, visits(100, seed=5, label=True, key=True).splitlines())
        return taps

    def find(self, taps, *key: str) -> Found | None:
        lookups = Lookups(taps.registry.models, taps.trainer.clock)

        async def find() -> Found | None:
            entries = await lookups.entries(taps.head)
            return await lookups.find(entries, key)

        return asyncio.run(find())

    def test_the_answer_is_that_of_the_file(self, keyed, to_score) -> None:
        file = to_score(visits(1500, key=True))
        (scored,) = score(keyed)
        table = predictions(keyed, scored).to_pylist()
        for row in (1, 700, 1500):
            found = self.find(keyed, f"t{row - 1}")
            assert found is not None
            assert (found.row, found.entry.version, found.entry.file) == (row, "v000001", file.name)
            assert found.prediction == {
                "label": table[row - 1]["prediction"],
                "probabilities": {n: table[row - 1][f"probability {n}"] for n in ("0", "1")},
            }
        assert self.find(keyed, "t1500") is None
        shards = list(keyed.registry.models.list("taps/lookup/shards/"))
        assert len(shards) == 2

    def test_nothing_is_written_where_it_is_not_declared(self, taps, to_score) -> None:
        taps.apply(KEYED)
        learn(taps, visits(100, seed=5, label=True, key=True).splitlines())
        to_score(visits(10, key=True))
        score(taps)
        assert not list(taps.registry.models.list("taps/lookup/"))

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    def test_a_crash_leaves_an_answer_or_none_and_in_the_end_all(
        self, keyed, to_score, after: bool
    ) -> None:
        to_score(visits(20, key=True))
        calls = Calls()
        trainer = keyed.trainer
        stores = {role: getattr(trainer.buckets, role) for role in ("data", "models")}
        buckets = replace(trainer.buckets, **{n: Watched(s, calls) for n, s in stores.items()})
        watched = replace(trainer, buckets=buckets)
        (scored,) = score_waiting(watched, "taps")
        expected = self.find(keyed, "t7")
        count = len(calls.made)
        assert ("models", "create") in calls.made

        for crash_at in range(1, count + 1):
            for store, prefix in (("data", "taps/predictions/"), ("models", "taps/lookup/")):
                for info in list(stores[store].list(prefix)):
                    stores[store].delete(info.name)
            with calls.ended(crash_at, after=after):
                list(score_waiting(watched, "taps"))
            assert self.find(keyed, "t7") in (None, expected), crash_at
            found = list(list_scored(stores["data"], "taps"))
            assert not found or self.find(keyed, "t7") == expected, crash_at
            list(score_waiting(watched, "taps"))
            assert self.find(keyed, "t7") == expected, crash_at
        assert scored.outcome == "scored"


def test_a_definition_that_has_no_key_declares_no_look_up() -> None:
    with pytest.raises(DefinitionError, match=r"serving\.lookup: expected a column with role key"):
        parse(DEFINITION + "serving: {lookup: true}\n")
