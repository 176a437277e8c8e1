"""The same rows, definition and seed give the same version, whatever kind it is."""

from __future__ import annotations

import pytest

from .conftest import LINEAR, NUMBERS, TEXT, TREES, WINDOWED, Stalls

KINDS = {"linear": LINEAR, "trees": TREES, "text": TEXT, "regression": NUMBERS}


def assert_equal(stalls: Stalls, version: str) -> None:
    found = stalls.rebuild(version)
    assert found.outcome == "equal", found.reason
    manifest = stalls.registry.manifest("stalls", version)
    assert found.rebuilt == found.recorded == manifest.files["model.onnx"].sha256
    assert found.rows == manifest.trained_rows
    assert found.predictions is not None
    assert found.predictions.instances > 0
    assert found.predictions.changed == 0
    assert found.serving == found.predictions
    assert found.differences == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_first_version_and_its_successor_are_equal(stalls, kind):
    """Both were duelled without their newest rows, and refitted with them."""
    stalls.apply(KINDS[kind])
    stalls.drop()
    assert stalls.train() == ["promoted"]
    stalls.drop(rows=150)
    assert stalls.train() == ["promoted"]
    assert_equal(stalls, "v000001")
    assert_equal(stalls, "v000002")


def test_a_version_with_a_window_learns_again_what_was_in_it(stalls):
    stalls.apply(WINDOWED)
    for _ in range(4):
        stalls.drop()
        stalls.train()
    assert stalls.rebuild("v000004").files == 2
    for number in range(1, 5):
        assert_equal(stalls, f"v{number:06d}")


def test_a_late_file_takes_the_same_place_again(stalls):
    stalls.apply(TREES)
    for day in (1, 3, 2):
        stalls.drop(day=day)
        stalls.train()
    learned = [file.name for file in stalls.lineage("v000003").files]
    assert learned == ["stalls/day1.csv", "stalls/day2.csv", "stalls/day3.csv"]
    assert_equal(stalls, "v000003")


@pytest.mark.parametrize("text", [LINEAR, TREES], ids=["linear", "trees"])
def test_a_rejected_version_learns_again_only_what_was_not_held_out(stalls, text):
    """Its duel held out rows from all over an unsorted file, and no refit followed."""
    stalls.apply(text)
    stalls.drop(rows=200)
    stalls.train()
    stalls.drop(rows=400, wrong=range(300))
    assert stalls.train() == ["rejected"]
    (last,) = [one for one in stalls.lineage("v000002").rows or () if len(one.spans) > 1]
    assert 0 < last.rows < 400
    assert_equal(stalls, "v000002")


def test_a_definition_that_changed_since_does_not_matter(stalls):
    stalls.apply(LINEAR)
    stalls.drop()
    stalls.train()
    stalls.apply(NUMBERS.replace("heat: {type: number", "heat: {type: category"))
    assert_equal(stalls, "v000001")


def test_nothing_is_written(stalls):
    stalls.apply(LINEAR)
    stalls.drop()
    stalls.train()
    before = _everything(stalls)
    stalls.rebuild("v000001")
    assert _everything(stalls) == before


def _everything(stalls: Stalls) -> list[tuple[str, str, int]]:
    buckets = stalls.trainer.buckets
    stores = (buckets.landing, buckets.quarantine, buckets.data, buckets.models)
    return [(s.bucket, info.name, info.generation) for s in stores for info in s.list()]
