"""The registry's rules: pure functions from one head to the next."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from perennial.domain.versioning import decisions
from perennial.domain.versioning import registry as state
from perennial.domain.versioning.registry import Commit, Head, Pin
from perennial.errors import (
    ClaimLost,
    CommitConflict,
    DigestMismatch,
    NotFoundError,
    RefusedError,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def claimed(head: Head | None = None, run: str = "r1") -> Head:
    return state.take_claim(head or Head("shop"), run=run, now=NOW, seconds=60)


def judged(head: Head, version: str, status: str, *, against: str | None = "v000003") -> Head:
    return state.judge_version(
        head,
        version,
        status,
        epoch=head.epoch,
        against=against,
        definition=head.definition,
        recalls=head.recalls,
    )


def promoted(head: Head, version: str) -> Head:
    head = state.take_claim(head, run=version, now=NOW, seconds=60)
    head = judged(head, version, "approved", against=head.champion)
    return state.release_claim(head, epoch=head.epoch, run=version)


def three_versions() -> Head:
    head = Head("shop")
    for version in ("v000001", "v000002", "v000003"):
        head = promoted(head, version)
    return head


def test_a_living_claim_keeps_every_other_run_out():
    with pytest.raises(RefusedError, match="run r1 works on shop"):
        state.take_claim(claimed(), run="r2", now=NOW + timedelta(seconds=59), seconds=60)


def test_a_claim_past_its_deadline_can_be_taken_and_gets_a_new_epoch():
    head = state.take_claim(claimed(), run="r2", now=NOW + timedelta(seconds=60), seconds=60)
    assert (head.claim.run, head.claim.epoch) == ("r2", 2)


def test_the_claim_of_a_process_that_ended_can_be_taken_before_its_deadline():
    head = state.take_claim(claimed(), run="r2", now=NOW, seconds=60, dead="r1")
    assert head.claim.run == "r2"


def test_a_zombie_can_neither_promote_nor_release():
    head = state.take_claim(claimed(), run="r2", now=NOW + timedelta(seconds=60), seconds=60)
    with pytest.raises(ClaimLost, match="run r2 holds it"):
        state.judge_version(
            head, "v000001", "approved", epoch=1, against=None, definition="", recalls=0
        )
    with pytest.raises(ClaimLost):
        state.release_claim(head, epoch=1)


def test_a_version_judged_against_yesterdays_champion_is_not_promoted():
    head = claimed(three_versions())
    with pytest.raises(CommitConflict, match="v000003 now"):
        judged(head, "v000004", "approved", against="v000002")


def test_a_promotion_keeps_earlier_champions_latest_first():
    head = three_versions()
    assert head.champion == "v000003"
    assert head.predecessors == ("v000002", "v000001")


def test_rollback_returns_pins_and_keeps_the_version_it_left():
    head = decisions.rollback(three_versions(), "v000002", by="ada", why="bad week", at=NOW)
    assert head.champion == "v000002"
    assert head.predecessors == ("v000001",)  # going back once more goes further back
    assert (head.pin.by, head.pin.why) == ("ada", "bad week")


def test_while_pinned_a_good_version_waits_and_cannot_be_approved():
    head = decisions.rollback(three_versions(), "v000001", by="ada", why="bad", at=NOW)
    head = promoted(head, "v000004")
    assert head.champion == "v000001"
    assert head.statuses["v000004"] == "waiting"
    with pytest.raises(RefusedError, match="pinned by ada"):
        decisions.approve(head, "v000004")
    assert decisions.approve(decisions.unpin(head), "v000004").champion == "v000004"


@pytest.mark.parametrize(
    ("to", "error", "says"),
    [
        ("v000009", NotFoundError, "no version v000009; approved are v000001, v000002"),
        ("v000003", RefusedError, "champion already; approved are v000001, v000002"),
    ],
)
def test_rollback_refuses_what_cannot_serve(to, error, says):
    with pytest.raises(error, match=says):
        decisions.rollback(three_versions(), to, by="ada", why="x", at=NOW)


def test_rollback_refuses_a_version_that_was_never_approved():
    head = claimed(three_versions())
    head = judged(head, "v000004", "rejected")
    says = "v000004 was never approved: it is rejected; approved are v000001, v000002"
    with pytest.raises(RefusedError, match=says):
        decisions.rollback(head, "v000004", by="ada", why="x", at=NOW)


def test_a_newer_version_supersedes_one_that_waits():
    head = claimed(three_versions())
    for version in ("v000004", "v000005"):
        head = judged(head, version, "waiting")
    assert head.statuses["v000004"] == "superseded"
    assert head.standing("v000004") == "superseded by v000005"
    assert head.statuses["v000005"] == "waiting"
    with pytest.raises(RefusedError, match="it is superseded by v000005; v000005 waits"):
        decisions.approve(head, "v000004")


def test_a_version_stays_superseded_by_the_one_that_came_next():
    head = claimed(three_versions())
    for version in ("v000004", "v000005", "v000006"):
        head = judged(head, version, "waiting")
    assert head.superseded == {"v000004": "v000005", "v000005": "v000006"}
    assert decisions.reject(head, "v000006").standing("v000006") == "rejected"


def test_heads_from_before_superseding_had_a_name_are_still_read():
    document = json.loads(three_versions().to_json())
    del document["superseded"]
    assert Head.from_document(document) == three_versions()


def test_what_a_later_release_adds_to_a_head_is_no_obstacle():
    head = replace(claimed(three_versions()), pin=Pin("ann", "holidays", NOW))
    document = json.loads(head.to_json())
    for part in (document, document["pin"], document["claim"]):
        part["tomorrow"] = {"more": 1}
    assert Head.from_json(json.dumps(document).encode()) == head
    commit = Commit("apply", "ann", "", NOW, head)
    document = {**json.loads(commit.to_json()), "head": document, "tomorrow": 1}
    assert Commit.from_json(json.dumps(document).encode()) == commit


def test_a_rejected_version_leaves_the_one_that_waits_waiting():
    head = claimed(three_versions())
    for version, status in (("v000004", "waiting"), ("v000005", "rejected")):
        head = judged(head, version, status)
    assert decisions.approve(head, "v000004").champion == "v000004"


def test_a_version_made_by_yesterdays_definition_is_not_promoted():
    head = state.apply_definition(claimed(three_versions()), "new")
    with pytest.raises(CommitConflict, match="not in force any more"):
        state.judge_version(
            head, "v000004", "approved", epoch=head.epoch, against="v000003", definition="old",
            recalls=0,
        )  # fmt: skip


def test_going_forward_again_after_a_rollback_keeps_the_way_back():
    head = decisions.rollback(three_versions(), "v000001", by="ada", why="x", at=NOW)
    head = decisions.rollback(head, "v000003", by="ada", why="y", at=NOW)
    assert (head.champion, head.predecessors) == ("v000003", ("v000001",))


@pytest.mark.parametrize(
    ("head", "found", "to_do"),
    [
        (Head("shop"), "shop has no champion yet", ": `perennial status shop` says what it waits"),
        (promoted(Head("shop"), "v000001"), "only version ever approved", ": drop better files"),
        (
            decisions.rollback(three_versions(), "v000001", by="ada", why="x", at=NOW),
            "shop had no champion before v000001; approved are v000002, v000003",
            ": name one with --to",
        ),
    ],
    ids=["no champion", "one version", "rolled back to the first"],
)
def test_rollback_without_a_predecessor_says_what_to_do(head, found, to_do):
    with pytest.raises(RefusedError, match=found + to_do):
        decisions.rollback(head, None, by="ada", why="x", at=NOW)


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (Head("shop"), "shop is not pinned: the champion will be the next version that passes"),
        (
            three_versions(),
            "shop is not pinned: v000003 serves until the next version that passes",
        ),
    ],
    ids=["no champion", "a champion"],
)
def test_unpin_refuses_when_nothing_is_pinned_and_says_what_holds(head, says):
    with pytest.raises(RefusedError) as refused:
        decisions.unpin(head)
    assert str(refused.value) == says


def test_stored_forms_read_back_as_they_were_written():
    head = decisions.rollback(claimed(three_versions()), "v000001", by="ada", why="é", at=NOW)
    assert Head.from_json(head.to_json()) == head
    entry = Commit("rollback", "ada", "é", NOW, head, "v000001")
    assert Commit.from_json(entry.to_json()) == entry


def on_probation(**changes) -> state.Head:
    head = state.Head(
        "p",
        champion="v4",
        predecessors=("v3", "v2", "v1"),
        statuses=dict.fromkeys(("v1", "v2", "v3", "v4"), "approved"),
        claim=state.Claim(1, "run", NOW),
        epoch=1,
    )
    return replace(head, **changes)


def test_a_return_makes_the_predecessor_champion_and_withdraws_those_after_it():
    back = state.go_back(on_probation(), to="v2", epoch=1, against="v4")
    assert (back.champion, back.predecessors, back.pin) == ("v2", ("v1",), None)
    assert back.approved == {"v1", "v2"}
    assert back.statuses["v3"] == back.statuses["v4"] == "withdrawn"


def test_what_waits_was_judged_against_the_champion_that_is_left_and_is_withdrawn_with_it():
    waits = on_probation(
        statuses={**dict.fromkeys(("v1", "v2", "v3", "v4"), "approved"), "v5": "waiting"}
    )
    assert state.go_back(waits, to="v2", epoch=1, against="v4").waiting == ()


def test_a_return_needs_the_claim_the_champion_it_judged_and_no_pin():
    with pytest.raises(ClaimLost):
        state.go_back(on_probation(), to="v2", epoch=2, against="v4")
    with pytest.raises(CommitConflict):
        state.go_back(on_probation(champion="v5"), to="v2", epoch=1, against="v4")
    with pytest.raises(CommitConflict):
        state.go_back(on_probation(pin=state.Pin("ada", "so", NOW)), to="v2", epoch=1, against="v4")
    with pytest.raises(CommitConflict):
        state.go_back(on_probation(), to="v9", epoch=1, against="v4")


def test_a_withdrawn_version_is_no_target_of_a_rollback():
    back = state.go_back(on_probation(), to="v2", epoch=1, against="v4")
    with pytest.raises(RefusedError, match="cannot serve any more: it is withdrawn"):
        decisions.rollback(back, "v4", by="ada", why="so", at=NOW)


def test_the_head_states_the_manifest_of_every_version_that_may_serve():
    head = claimed()
    for version, status in (("v1", "approved"), ("v2", "rejected"), ("v3", "waiting")):
        head = state.judge_version(
            head, version, status, epoch=head.epoch, against=head.champion,
            definition="", recalls=0, manifest=version * 32,
        )  # fmt: skip
    assert head.manifests == {"v1": "v1" * 32, "v3": "v3" * 32}
    assert Head.from_json(head.to_json()) == head
    # A newer one that passes leaves nothing to approve.
    head = state.judge_version(
        head, "v4", "approved", epoch=head.epoch, against="v1", definition="", recalls=0,
        manifest="v4" * 32,
    )  # fmt: skip
    assert head.manifests == {"v1": "v1" * 32, "v4": "v4" * 32}


def test_a_head_of_before_manifests_were_stated_is_read_and_vouches_for_none():
    document = json.loads(promoted(Head("shop"), "v1").to_json())
    del document["manifests"]
    head = Head.from_json(json.dumps(document).encode())
    state.verify_manifest(head, "v1", b"anything")


def test_another_manifest_than_the_stated_one_is_refused():
    head = replace(Head("shop"), manifests={"v1": hashlib.sha256(b"this").hexdigest()})
    state.verify_manifest(head, "v1", b"this")
    with pytest.raises(DigestMismatch, match=r"^shop v1: manifest.json has digest 8e7fc02"):
        state.verify_manifest(head, "v1", b"that")
