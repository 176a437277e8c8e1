"""Files dropped to be scored: judged without their label, never learned, and led to the job."""

from __future__ import annotations

from datetime import timedelta

import pytest

from perennial.domain import names
from perennial.domain.verdict import Verdict
from perennial.errors import RefusedError
from perennial.workflows.batch.queue import mark_launches
from perennial.workflows.queue import accepted_files
from perennial.workflows.verdicts import list_in_force
from tests.integration.ingest.world import BAD, GOOD, LENIENT, UNLABELLED, VISITS, World, crown

SCORING = "score shop/waiting"


def dropped(world: World, data: bytes = UNLABELLED, name: str = "a.csv") -> Verdict:
    return world.drop_and_ingest(f"shop/score/{name}", data)


@pytest.mark.parametrize(
    "data",
    [
        UNLABELLED,
        GOOD,
        b"when,people,bought\n2024-02-01,2,\n2024-02-02,1,perhaps\n",
        b"when,people,bought,note\n2024-02-01,2,true,x\n2024-02-02,1,false,y\n",
    ],
    ids=["no label", "label", "label that is none", "label and more"],
)
def test_a_label_may_be_there_and_is_not_looked_at(world: World, data: bytes) -> None:
    verdict = dropped(world, data)

    assert (verdict.decision, verdict.rows) == ("to_score", 2)
    assert verdict.rows_object.startswith("shop/unlabelled/")
    assert "bought" not in verdict.statistics


def test_a_column_too_many_is_judged_as_ever_and_the_label_is_none(world: World) -> None:
    world.apply(LENIENT + "files: {extra_columns: reject}\n")

    assert dropped(world, GOOD).decision == "to_score"
    verdict = dropped(world, b"when,people,bought,note\n2024-02-01,2,true,x\n")
    assert verdict.decision == "quarantined"
    assert "found note too" in verdict.reason.replace("'", "")
    assert dropped(world, b"when,people,note\n2024-02-01,2,x\n").decision == "quarantined"


def test_rules_on_features_reject_with_the_diagnosis(world: World) -> None:
    """And a person who mends the definition has it scored."""
    crown("shop", world.buckets)
    verdict = dropped(world, b"when,people\n2024-02-01,99\n")
    assert verdict.decision == "quarantined"
    assert "people" in [finding.column for finding in verdict.findings]
    assert world.launcher.launched == []

    world.apply(LENIENT)
    healed = world.hospital().retry(verdict.file, by="ann")
    assert healed.decision == "to_score"
    assert world.launcher.launched == [SCORING]


def test_no_row_is_left_out_of_one_whatever_the_row_policy(world: World) -> None:
    """Predictions are told apart by the numbers of their rows."""
    world.apply(VISITS + "rows: {max_bad_row_fraction: 0.5}\n")
    learned = world.drop_and_ingest("shop/a.csv", BAD)
    verdict = dropped(world, b"when,people\n2024-02-01,99\n2024-02-02,1\n")

    assert (learned.decision, learned.rows_set_aside) == ("accepted", 1)
    assert (verdict.decision, verdict.rows_set_aside) == ("quarantined", 0)
    assert "people" in verdict.reason


def test_no_decision_about_one_is_ever_that_it_is_learned(world: World) -> None:
    """Whatever is in it, and whoever decides."""
    verdicts = [dropped(world, GOOD, "a.csv"), dropped(world, BAD, "b.csv")]
    verdicts.append(world.hospital().release(verdicts[1].file, by="ann", why="it is a group"))
    world.apply(LENIENT)
    world.sweep()

    assert {v.decision for v in world.verdicts()} == {"to_score", "quarantined"}
    assert verdicts[2].decision == "to_score"
    assert accepted_files(world.buckets.data, "shop") == []
    assert not list(world.buckets.data.list("shop/contents/"))
    assert "shop" not in world.launcher.launched


def test_a_release_that_would_leave_rows_out_is_refused(world: World) -> None:
    verdict = dropped(world, b"when,people\n2024-02-01,2\n2024-02-02,none\n")

    with pytest.raises(RefusedError, match=r"1 row of shop/score/a\.csv cannot be scored"):
        world.hospital().release(verdict.file, by="ann", why="never mind")


def test_the_same_bytes_may_come_to_be_scored_and_to_be_learned(world: World) -> None:
    """In either order."""
    assert dropped(world, GOOD).decision == "to_score"
    assert world.drop_and_ingest("shop/a.csv", GOOD).decision == "accepted"
    assert dropped(world, GOOD, "again.csv").decision == "to_score"


def test_a_file_that_came_before_its_definition_is_scored_once_there_is_one(bare: World) -> None:
    file = bare.drop("shop/score/a.csv", UNLABELLED)
    assert bare.ingest(file).decision == "pending"
    bare.apply()
    [found] = list_in_force(bare.buckets.data, "shop")
    assert found.decision == "to_score"


class TestLaunching:
    def test_without_a_champion_nothing_is_launched(self, world: World) -> None:
        """The run that makes the first one scores what waits."""
        dropped(world)
        world.sweep()
        assert world.launcher.launched == []

    def test_many_files_at_once_launch_one_execution(self, world: World) -> None:
        crown("shop", world.buckets)
        for number in range(5):
            dropped(world, name=f"{number}.csv")
        assert world.launcher.launched == [SCORING]

    def test_one_that_has_looked_does_not_see_what_comes_later(self, world: World) -> None:
        crown("shop", world.buckets)
        dropped(world, name="1.csv")
        mark_launches(world.buckets.data, world.clock, "shop")
        dropped(world, name="2.csv")
        dropped(world, name="3.csv")
        assert world.launcher.launched == [SCORING, SCORING]

    def test_one_that_begins_in_the_next_hour_marks_its_launch(self, world: World) -> None:
        crown("shop", world.buckets)
        dropped(world, name="1.csv")
        launched = world.clock.time
        world.clock.time += timedelta(minutes=61)
        mark_launches(world.buckets.data, world.clock, "shop")
        mark = names.score_launch("shop", launched, 1) + ".taken"
        assert [info.name for info in world.buckets.data.list(mark)] == [mark]

    def test_one_that_died_before_it_looked_is_replaced(self, world: World) -> None:
        crown("shop", world.buckets)
        dropped(world, name="1.csv")
        world.launcher.ended.add("score-shop-1")
        dropped(world, name="2.csv")
        assert world.launcher.launched == [SCORING, SCORING]

    def test_the_sweep_launches_what_nobody_did_unless_one_works(self, world: World) -> None:
        file = dropped(world).file
        crown("shop", world.buckets)
        assert world.sweep().scoring == ["shop"]
        mark_launches(world.buckets.data, world.clock, "shop")
        assert world.sweep().scoring == []
        world.launcher.ended.add("score-shop-1")
        assert world.sweep().scoring == ["shop"]
        assert world.ingest(file).decision == "to_score"

    def test_its_cost_does_not_grow_with_history(self, world: World) -> None:
        """Except for one listing of the launches of this hour."""
        crown("shop", world.buckets)
        dropped(world, name="first.csv")
        world.clock.time += timedelta(hours=2)

        def cost(name: str) -> tuple[int, int]:
            world.calls.made.clear()
            world.calls.listed = 0
            dropped(world, name=name)
            return len(world.calls.made), world.calls.listed

        before = cost("second.csv")
        for number in range(20):
            dropped(world, name=f"{number}.csv")
        world.clock.time += timedelta(hours=2)
        assert cost("last.csv") == before
