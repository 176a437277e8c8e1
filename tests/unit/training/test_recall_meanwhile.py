"""A recall while a run is at work, and one that was cut short: the same end, every time."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from perennial.adapters.memory import MemoryStore
from perennial.errors import RefusedError
from perennial.ports import Buckets
from perennial.workflows.promotion import rollback
from perennial.workflows.quarantine import Hospital
from perennial.workflows.registry import Registry
from tests.calls import Calls, Watched
from tests.integration.ingest.world import at_once

from .conftest import Taps
from .test_recall import drop_and_train, parts, recall, verdict

ROLES = ("landing", "quarantine", "data", "models")


@pytest.fixture
def launched(taps):
    """What was launched."""
    calls: list[str] = []
    taps.trainer.launcher.launch = lambda pipeline, **_: calls.append(pipeline) or "job-9"
    return calls


def test_a_run_that_has_listed_the_file_starts_over_without_it(taps):
    drop_and_train(taps, 2)
    taps.drop()
    done = []
    taps.trainer.codec.on_export = lambda: done.append(recall(taps, "day2.csv"))
    taps.drop()
    (record,) = taps.train()

    assert done[0].at_work == record.run
    assert record.outcome == "promoted"
    assert record.version == "v000004"  # v000003 had learned the file, and never came in
    assert "v000003" not in taps.head.statuses
    assert taps.learned() == ["taps/day0.csv", "taps/day1.csv", "taps/day3.csv"]
    assert len(record.considered) == 3


def test_a_run_whose_champion_is_taken_from_under_it_starts_over_against_the_clean_one(taps):
    drop_and_train(taps, 3)
    taps.drop()
    taps.trainer.codec.on_export = lambda: recall(taps, "day2.csv")
    (record,) = taps.train()

    assert record.version == "v000005"
    assert taps.head.predecessors == ("v000002", "v000001")
    assert taps.learned() == ["taps/day0.csv", "taps/day1.csv", "taps/day3.csv"]
    assert taps.train() == []


def test_a_recall_between_a_runs_judgement_and_its_end_leads_to_another_run(taps):
    drop_and_train(taps, 2)
    taps.drop()
    taps.drop()
    commit = taps.registry.commit

    def recall_before_release(pipeline, change, **words):
        if words["action"] == "release":
            taps.registry.commit = commit
            recall(taps, "day2.csv")
        return commit(pipeline, change, **words)

    taps.registry.commit = recall_before_release
    records = taps.train()

    assert [record.outcome for record in records] == ["promoted", "promoted"]
    assert taps.head.statuses["v000003"] == "recalled"
    assert taps.learned() == ["taps/day0.csv", "taps/day1.csv", "taps/day3.csv"]
    assert taps.train() == []


def test_a_version_that_was_entered_between_decision_and_commit_is_taken_back_too(taps):
    """The commit looks at the versions of the very head that it follows."""
    drop_and_train(taps, 2)
    taps.drop()
    commit = taps.registry.commit

    def train_first(pipeline, change, **words):
        taps.registry.commit = commit
        if words["action"] == "recall":
            run_of_before()
        return commit(pipeline, change, **words)

    def run_of_before():
        """A run that had listed the files before the decision."""
        decision = verdict(taps, stem)
        taps.trainer.buckets.data.delete(
            f"taps/verdicts/{stem}.{decision.number:04d}.json"
        )  # as if it had been written a moment later
        taps.train()
        taps.trainer.buckets.data.create(
            f"taps/verdicts/{stem}.{decision.number:04d}.json",
            decision.to_json(),
            metadata=decision.summary,
        )

    stem = taps.drop()
    taps.registry.commit = train_first
    done = recall(taps, "day3.csv")

    assert list(done.versions) == ["v000003"]
    assert taps.head.champion == "v000002"
    assert [record.outcome for record in taps.train()] == ["promoted"]
    assert taps.learned() == ["taps/day0.csv", "taps/day1.csv", "taps/day2.csv"]


@pytest.mark.parametrize("people", [2, 4])
def test_people_who_recall_the_same_file_at_once_make_one_decision_and_one_commit(
    taps, launched, people
):
    *_, stem, _ = drop_and_train(taps, 4)
    jittery = copied(taps, Calls(jitter=random.Random(people)))
    found = at_once(*[lambda: recall(jittery, "day2.csv")] * people)

    assert {done.champion for done in found} == {"v000002"}
    assert [done.already for done in found].count(False) == 1
    assert jittery.head.recalls == 1
    actions = [entry.action for entry in jittery.registry.history("taps")]
    assert actions.count("recall") == 1
    assert verdict(jittery, stem).number == 2


def copied(taps: Taps, calls: Calls) -> Taps:
    """The same pipeline in buckets of its own, with something around each of their calls."""
    stores = {role: _copy(getattr(taps.trainer.buckets, role)) for role in ROLES}
    watched = {role: Watched(store, calls) for role, store in stores.items()}
    buckets = Buckets(**watched)  # type: ignore[arg-type]
    registry = Registry(buckets.models, taps.trainer.clock)
    return replace(taps, trainer=replace(taps.trainer, buckets=buckets, registry=registry))


def _copy(store: MemoryStore) -> MemoryStore:
    twin = copy.copy(store)
    twin._objects, twin._names = dict(store._objects), list(store._names)
    return twin


@pytest.fixture
def prepared(taps, launched) -> Callable[[Calls], Taps]:
    """Makes pipelines of five versions, the fourth of which a rollback has pinned."""
    drop_and_train(taps, 5)
    rollback(taps.registry, taps.trainer.clock, "taps", "v000004", by="bob", why="calm")
    return lambda calls: copied(taps, calls)


def test_a_clean_version_follows_wherever_it_crashed(prepared, launched) -> None:
    """A person may never come back: the sweep starts the run once the commit is made."""
    calm = prepared(calls := Calls())
    recall(calm)
    committed = calls.made.index(("models", "replace")) + 1
    for crash_at in range(committed + 1, len(calls.made) + 1):
        broken = prepared(calls := Calls())
        with calls.ended(crash_at):
            recall(broken)
        assert [record.outcome for record in broken.train()] == ["promoted"], crash_at
        assert broken.learned() == [f"taps/day{day}.csv" for day in (0, 1, 3, 4)]


def test_a_crash_that_was_followed_by_a_release_recalls_anew(prepared) -> None:
    """The decision was taken back before the versions were: nothing of it is left to complete."""
    broken = prepared(calls := Calls())
    with calls.ended(("data", "create", 1), after=True):
        recall(broken)
    assert calls.made[-1] == ("data", "create")
    hospital = Hospital(*parts(broken), "taps")
    hospital.release(hospital.find("day2.csv"), by="bob", why="no")
    assert broken.head.champion == "v000004"

    recall(broken)

    assert broken.head.champion == "v000002"
    assert [v.number for v in [verdict(broken, hospital.find("day2.csv").stem)]] == [4]


def test_a_refusal_at_the_commit_leaves_the_file_held_and_is_completed_with_the_flag(taps):
    """The one clean predecessor was recalled for another file between the look and the commit."""
    taps.apply(taps.text + "  window: {files: 1}\n")
    _, stem = drop_and_train(taps, 2)
    commit = taps.registry.commit

    def recall_the_other_first(pipeline, change, **words):
        taps.registry.commit = commit
        assert recall(taps, "day0.csv").champion == "v000002"
        return commit(pipeline, change, **words)

    taps.registry.commit = recall_the_other_first
    with pytest.raises(RefusedError, match="with --without-champion nothing serves"):
        recall(taps, "day1.csv")
    assert verdict(taps, stem).decision == "quarantined"
    assert taps.head.champion == "v000002"

    done = recall(taps, "day1.csv", without_champion=True)

    assert (done.champion, done.already) == (None, False)
    assert verdict(taps, stem).number == 2
