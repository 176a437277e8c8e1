"""A result says exactly what is not what it was, and what of it matters."""

from __future__ import annotations

import io
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from perennial.domain import names
from perennial.domain.versioning.lineage import Lineage
from perennial.domain.versioning.rebuilding import (
    ROWS,
    Change,
    Rebuild,
    environment_differences,
    environment_of,
)
from perennial.errors import NotFoundError
from perennial.workflows.rebuild import rebuild

from .conftest import ENVIRONMENT, LINEAR, WINDOWED, SmokelessCodec, Stalls


@pytest.fixture
def made(stalls: Stalls) -> Stalls:
    """With two versions."""
    stalls.apply(LINEAR)
    for rows in (100, 150):
        stalls.drop(rows=rows)
        assert stalls.train() == ["promoted"]
    return stalls


@pytest.mark.parametrize(
    ("what", "present", "told"),
    [
        ("python", "3.12.1", "python 3.12.1, was 3.11.7"),
        ("numpy", "2.5.0", "numpy 2.5.0, was 2.4.6"),
        ("scikit-learn", "", "scikit-learn is not there, was 1.9.1"),
        ("code", "e" * 64, f"another code that trains: {'e' * 12}, was {'c' * 12}"),
        (
            "dependencies",
            "e" * 64,
            f"another set of installed packages: {'e' * 12}, was {'d' * 12}",
        ),
        ("threads", "8", "threads: 8, was 1"),
        ("platform", "Linux arm64", f"platform Linux arm64, was {ENVIRONMENT['platform']}"),
    ],
)
def test_each_part_of_the_environment_is_named(what, present, told):
    now = {name: value for name, value in {**ENVIRONMENT, what: present}.items() if value}
    (difference,) = environment_differences(ENVIRONMENT, now)
    assert (difference.what, difference.recorded) == (what, ENVIRONMENT[what])
    assert difference.present == present
    assert str(difference) == told


def test_a_package_that_changed_or_is_gone_is_named():
    recorded = {"package house_models": "a" * 64, "package more": "b" * 64}
    changed, gone = environment_differences(recorded, {"package house_models": "c" * 64})
    assert str(changed) == f"another package house_models: {'c' * 12}, was {'a' * 12}"
    assert str(gone) == f"package more is not there, was {'b' * 64}"


def test_packages_are_on_record_where_they_decide_and_missed_nowhere(made):
    """Those of other pipelines' models have nothing to do with a built-in one."""
    environment = {"numpy": "2", "package house_models": "a" * 64}
    assert environment_of("", environment) == {"numpy": "2"}
    assert environment_of("house_models", environment) == environment
    assert made.rebuild(**{"package house_models": "a" * 64}).unrecorded == ()


def test_an_environment_may_differ_and_the_result_be_equal(made):
    """Python is named first and the libraries next."""
    found = made.rebuild(threads="2", python="3.12.1", numpy="2.5.0", code="e" * 64)
    assert found.outcome == "equal"
    assert [one.what for one in found.differences] == ["python", "numpy", "code", "threads"]


def test_what_an_earlier_release_did_not_record_is_unknown_and_no_difference(made):
    before = made.trainer
    made.trainer = replace(before, environment={"python": ENVIRONMENT["python"]})
    made.drop()
    made.train()
    made.trainer = before
    found = made.rebuild("v000003")
    assert found.differences == ()
    assert found.unrecorded == tuple(sorted(ENVIRONMENT.keys() - {"python"}))


def test_rows_with_other_values_are_named_and_so_is_what_they_change(made):
    """Somebody with rights on the bucket wrote them anew."""
    rows_object = made.lineage("v000001").files[0].rows_object
    store = made.trainer.buckets.data
    table = pq.read_table(io.BytesIO(store.read(rows_object).data))
    place = table.column_names.index("heat")
    store.overwrite(
        rows_object, parquet(table.set_column(place, "heat", pc.multiply(table["heat"], -1.0)))
    )

    found = made.rebuild("v000001")

    assert found.outcome == "different"
    assert found.rebuilt != found.recorded
    (difference,) = found.differences
    assert (difference.what, difference.file) == (ROWS, "stalls/day0.csv")
    assert found.predictions.changed > 0
    assert found.predictions.largest > 0.1
    assert found.predictions.labels > 0
    assert "another graph: " in found.reason
    assert f"differ, by {found.predictions.largest:.3g} at most" in found.reason


def test_the_same_rows_in_other_bytes_are_named_and_change_nothing(made):
    """Another release of the library that writes Parquet."""
    rows_object = made.lineage("v000001").files[0].rows_object
    store = made.trainer.buckets.data
    table = pq.read_table(io.BytesIO(store.read(rows_object).data))
    store.overwrite(rows_object, parquet(table, compression="gzip"))

    found = made.rebuild("v000001")

    assert found.outcome == "equal"
    assert [one.what for one in found.differences] == [ROWS]


def test_rows_that_are_fewer_now_cannot_be_learned_again(made):
    rows_object = made.lineage("v000001").files[0].rows_object
    store = made.trainer.buckets.data
    table = pq.read_table(io.BytesIO(store.read(rows_object).data))
    store.overwrite(rows_object, parquet(table.slice(0, 90)))

    found = made.rebuild("v000001")

    assert found.outcome == "impossible"
    assert found.reason == (
        "stalls/day0.csv has 90 labelled rows now, and lacks 10 of the 100 that were learned"
    )


def test_rows_that_are_gone_are_named_with_their_objects(made):
    places = [file.rows_object for file in made.lineage("v000002").files]
    for place in places:
        made.trainer.buckets.data.delete(place)

    found = made.rebuild("v000002", numpy="2.5.0")

    assert found.outcome == "impossible"
    assert found.missing == dict(zip(["stalls/day0.csv", "stalls/day1.csv"], places, strict=True))
    assert found.reason == "2 files that it learned are gone: stalls/day0.csv, stalls/day1.csv"
    assert (found.rebuilt, found.predictions) == ("", None)
    assert [one.what for one in found.differences] == ["numpy"]


def test_a_definition_that_is_gone_is_named(made):
    manifest = made.registry.manifest("stalls", "v000001")
    place = names.definition("stalls", manifest.definition)
    made.registry.models.delete(place)
    found = made.rebuild("v000001")
    assert (found.outcome, found.reason) == ("impossible", f"gs://models/{place} is gone")


def test_a_graph_that_was_tampered_with_is_not_taken_for_the_version(made):
    made.registry.models.overwrite(names.version("stalls", "v000001", "model.onnx"), b"other")
    found = made.rebuild("v000001")
    assert found.outcome == "impossible"
    assert "does not match the digest in its manifest" in found.reason


def test_a_runtime_that_answers_otherwise_is_told_from_another_model(made):
    """As an upgrade of onnxruntime may do, without any training."""

    class Newer(SmokelessCodec):
        def load(self, graph, manifest):
            inner = super().load(graph, manifest)

            class Scorer:
                def predict(self, columns):
                    return np.clip(inner.predict(columns) + np.float32(0.001), 0, 1)

            return Scorer()

    made.trainer = replace(made.trainer, codec=Newer())

    found = made.rebuild("v000001")

    assert found.outcome == "different"
    assert found.rebuilt == found.recorded
    assert found.predictions.changed == 0
    assert found.serving.changed == found.serving.instances == 20
    assert found.serving.largest == pytest.approx(0.001, rel=0.01)
    assert "the very graph on record is run otherwise than when it was made" in found.reason


def test_what_was_only_held_out_may_be_gone_since_the_version_never_learned_it(stalls):
    stalls.apply(LINEAR)
    stalls.drop()
    stalls.train()
    lineage = stalls.lineage("v000001")
    held_out = replace(lineage.recorded.rows[0], stem=lineage.files[0].stem.replace("0", "1"))
    lost = replace(lineage.files[0], stem=held_out.stem, rows_object="stalls/rows/lost.parquet")
    put_lineage(
        stalls, "v000001",
        replace(
            lineage, files=(*lineage.files, lost),
            recorded=replace(lineage.recorded, rows=(held_out,)),
        ),
    )  # fmt: skip

    found = stalls.rebuild("v000001")

    assert found.outcome == "equal"
    assert found.serving is None
    assert found.predictions.instances == 50


class TestVersionsOfAnEarlierRelease:
    """Their lineage tells files, and not rows."""

    def test_one_that_learned_whole_files_is_made_again(self, stalls):
        stalls.apply(WINDOWED)
        for _ in range(3):
            stalls.drop()
            stalls.train()
        put_lineage(stalls, "v000003", replace(stalls.lineage("v000003"), rows=None, recorded=None))

        found = stalls.rebuild("v000003")

        assert (found.outcome, found.files, found.rows) == ("equal", 2, 200)
        assert found.predictions.instances == 50
        assert found.serving is None

    def test_one_that_was_judged_on_rows_nobody_noted_cannot_be(self, stalls):
        stalls.apply(LINEAR)
        stalls.drop(rows=200)
        stalls.train()
        stalls.drop(rows=400, wrong=range(300))
        assert stalls.train() == ["rejected"]
        put_lineage(stalls, "v000002", replace(stalls.lineage("v000002"), rows=None, recorded=None))

        found = stalls.rebuild("v000002")

        assert found.outcome == "impossible"
        assert found.reason == (
            "v000002 learned 520 of 600 rows, and the release that made it did not note which"
        )

    def test_format_1_is_read(self):
        old = Lineage.from_json(b'{"files": [], "format": 1}')
        assert (old.rows, old.recorded, old.format) == (None, None, 1)


def test_a_version_that_does_not_exist_is_an_error(made):
    with pytest.raises(NotFoundError, match="stalls has no version v000009"):
        rebuild(made.trainer, "stalls", "v000009")


def test_a_result_survives_its_storage(made):
    for found in (made.rebuild(numpy="2.5.0"), replace(made.rebuild(), missing={"a.csv": "a"})):
        assert Rebuild.from_json(found.to_json()) == found


def test_a_change_of_probabilities_counts_labels_and_a_change_of_numbers_does_not():
    probabilities = Change.between([[0.6, 0.4], [0.5, 0.5]], [[0.3, 0.7], [0.5, 0.5]])
    assert probabilities == Change(2, 1, pytest.approx(0.3), pytest.approx(0.15), 1)
    assert Change.between([1.0, 2.0, 3.0], [1.0, 2.5, 3.0]) == Change(3, 1, 0.5, 0.5 / 3, 0)


def parquet(table: pa.Table, **options) -> bytes:
    written = io.BytesIO()
    pq.write_table(table, written, **options)
    return written.getvalue()


def put_lineage(stalls: Stalls, version: str, lineage: Lineage) -> None:
    """As if this were what the version had been written with."""
    data = lineage.to_json()
    manifest = stalls.registry.manifest("stalls", version)
    files = dict(manifest.files)
    files["lineage.json"] = replace(
        files["lineage.json"], sha256=sha256(data).hexdigest(), size=len(data)
    )
    models = stalls.registry.models
    models.overwrite(names.version("stalls", version, "lineage.json"), data)
    stated = replace(manifest, files=files).to_json()
    models.overwrite(names.version("stalls", version, "manifest.json"), stated)
    digests = {version: sha256(stated).hexdigest()}
    stalls.registry.commit(
        "stalls",
        lambda head: replace(head, manifests={**head.manifests, **digests}),
        action="judge",
        by="test",
    )
