"""What a recall makes of a head, and of those who worked on what it took back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from perennial.domain.names import FileId
from perennial.domain.verdict import Finding, Verdict
from perennial.domain.versioning import decisions, recalling
from perennial.domain.versioning import registry as state
from perennial.domain.versioning.lineage import Learned, Lineage, Portion
from perennial.domain.versioning.recalling import learned_rows, recall, recalled
from perennial.domain.versioning.registry import Head, Pin
from perennial.errors import CommitConflict, RefusedError

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def served(*versions: str, **others: str) -> Head:
    """A head whose champions were these, in this order; and versions of other standings."""
    *past, champion = versions
    return Head(
        "shop",
        champion=champion,
        predecessors=tuple(reversed(past)),
        statuses={**dict.fromkeys(versions, "approved"), **others},
    )


def test_the_last_clean_champion_serves_and_what_came_after_never_again():
    head = served("v1", "v2", "v3", "v4", v5="waiting", v6="rejected")
    after = recall(head, {"v3", "v4", "v5", "v6"}, relearn=True)

    assert (after.champion, after.predecessors) == ("v2", ("v1",))
    assert after.statuses == {
        "v1": "approved",
        "v2": "approved",
        "v3": "recalled",
        "v4": "recalled",
        "v5": "recalled",
        "v6": "rejected",
    }
    assert (after.recalls, after.relearn) == (1, True)
    with pytest.raises(RefusedError, match="v5 does not wait for approval: it is recalled"):
        decisions.approve(after, "v5")
    with pytest.raises(RefusedError, match="v4 cannot serve any more: it is recalled"):
        decisions.rollback(after, "v4", by="ada", why="x", at=NOW)


def test_a_clean_champion_stays_and_loses_its_tainted_predecessors():
    after = recall(served("v1", "v2", "v3"), {"v2"}, relearn=False)
    assert (after.champion, after.predecessors) == ("v3", ("v1",))
    assert (after.recalls, after.relearn) == (1, False)


def test_a_predecessor_that_lost_its_approval_is_passed_over():
    """Withdrawn by probation, or recalled for another file."""
    head = served("v1", "v2", "v3")
    head = replace(head, statuses={**head.statuses, "v2": "withdrawn"})
    assert recall(head, {"v3"}, relearn=True).champion == "v1"


def test_a_pin_is_lifted_with_the_champion_that_it_held_and_stays_on_a_clean_one():
    pin = Pin("ada", "it was good", NOW)
    head = replace(served("v1", "v2"), pin=pin)
    assert recall(head, {"v2"}, relearn=True).pin is None
    assert recall(head, {"v1"}, relearn=False).pin == pin


def test_without_a_clean_champion_it_is_refused_and_says_what_would_happen():
    head = served("v1", "v2")
    with pytest.raises(RefusedError) as refused:
        recall(head, {"v1", "v2"}, relearn=True)
    assert str(refused.value) == (
        "v2 learned from the file, and no champion before it is clean: with --without-champion "
        "nothing serves, and predict answers 503, until a version without the file has passed"
    )
    bare = recall(head, {"v1", "v2"}, relearn=True, without_champion=True)
    assert (bare.champion, bare.predecessors, bare.approved) == (None, (), frozenset())


def test_a_clean_version_that_is_no_predecessor_is_offered_rather_than_chosen():
    """A rollback had left it: nobody said that it may serve again."""
    head = decisions.rollback(served("v1", "v2"), "v1", by="ada", why="x", at=NOW)
    with pytest.raises(RefusedError, match=r"clean are v2: `perennial rollback shop --to v2"):
        recall(head, {"v1"}, relearn=True)


def test_a_pipeline_without_a_champion_can_recall_what_waits():
    head = Head("shop", statuses={"v1": "waiting"})
    after = recall(head, {"v1"}, relearn=True)
    assert (after.champion, after.statuses) == (None, {"v1": "recalled"})


def test_what_a_run_listed_before_a_recall_is_not_promoted_and_not_done_with():
    head = state.take_claim(served("v1"), run="r", now=NOW, seconds=60)
    after = recall(head, (), relearn=True)
    entering = {"epoch": 1, "against": "v1", "definition": ""}

    with pytest.raises(CommitConflict, match="a file was recalled while v2 was made"):
        state.judge_version(after, "v2", "approved", **entering, recalls=head.recalls)
    assert state.judge_version(after, "v2", "approved", **entering, recalls=1).champion == "v2"
    stale = state.release_claim(after, epoch=1, run="r", learned_through=9, recalls=0)
    assert (stale.claim, stale.last_run, stale.learned_through, stale.relearn) == (
        None,
        "",
        0,
        True,
    )
    done = state.release_claim(after, epoch=1, run="r", learned_through=9, recalls=1)
    assert (done.claim, done.last_run, done.learned_through, done.relearn) == (None, "r", 9, False)


def test_a_run_that_is_tried_again_leaves_what_a_recall_asked_for():
    head = state.take_claim(recall(served("v1"), (), relearn=True), run="r", now=NOW, seconds=60)
    assert state.release_claim(head, epoch=1, recalls=1).relearn


def learned(stem: str, rows: int, *, used: bool = True) -> Learned:
    return Learned(stem, f"shop/{stem}.csv", "", "", rows, NOW.isoformat(), used)


def test_a_version_learned_the_rows_that_are_on_record():
    files = (learned("a", 10), learned("b", 10))
    rows = (Portion("a", ((0, 3), (5, 10))),)  # b was held out
    assert [learned_rows(Lineage(files, rows), stem) for stem in "abc"] == [8, 0, 0]


def test_without_rows_on_record_it_learned_the_files_that_its_window_held():
    lineage = Lineage((learned("a", 10, used=False), learned("b", 10)), None)
    assert [learned_rows(lineage, stem) for stem in "abc"] == [0, 10, 0]


@pytest.mark.parametrize(
    ("decision", "holds"),
    [("quarantined", True), ("discarded", True), ("accepted", False), ("suspect", False)],
)
def test_a_recall_holds_until_the_file_is_accepted_again(decision, holds):
    finding = Finding(recalling.RULE, "reject", "recalled by ada: cents")
    verdict = Verdict("shop", FileId(1, "shop/a"), decision, NOW, findings=(finding,))
    assert (recalled(verdict) == finding) is holds
