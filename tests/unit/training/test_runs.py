"""What a training run makes of the accepted files, and of everything that happens meanwhile."""

from __future__ import annotations

import hashlib
import re
from functools import partial

import pytest

from perennial.domain import names
from perennial.domain.versioning import registry as state
from perennial.errors import ClaimLost, DigestMismatch, StoreUnavailable
from perennial.workflows import progress
from perennial.workflows.attempt import load_champion
from perennial.workflows.ledger import entries
from perennial.workflows.promotion import approve, rollback, unpin
from perennial.workflows.runs import list_runs
from perennial.workflows.status import status
from perennial.workflows.sweep import sweep
from perennial.workflows.versions import explain, list_versions


def outcomes(records) -> list[str]:
    return [record.outcome for record in records]


def test_the_first_version_beats_a_constant_and_serves(taps):
    taps.drop()
    assert outcomes(taps.train()) == ["promoted"]
    assert taps.head.champion == "v000001"
    assert taps.head.claim is None
    why = explain(taps.registry, "taps", "v000001")
    assert why["against"] is None
    assert why["evaluation"]["held_out"]["rows"] == 20
    assert (
        why["evaluation"]["trained"]["rows"] == 100
    )  # learned once more, with what it was judged on
    assert why["evaluation"]["duel"]["challenger_loss"] < why["evaluation"]["duel"]["champion_loss"]


def test_below_min_rows_it_waits_and_says_for_what_and_goes_on_with_more(taps):
    taps.drop(rows=30)
    assert taps.train() == []
    (record,) = taps.train(force=True)
    assert record.outcome == "waiting"
    assert "30 rows so far; a first version needs 40" in record.reason
    taps.drop(rows=30)
    assert outcomes(taps.train()) == ["promoted"]
    assert len(taps.learned()) == 2


def test_rows_of_one_class_wait_for_the_other(taps):
    taps.drop(day=0, rows=40, always=1)
    (record,) = taps.train()
    assert record.outcome == "waiting"
    assert record.reason == (
        "two values of open are needed to learn from, found only 1 in the 32 rows before the "
        "newest 8, which are held out to judge it on"
    )
    assert taps.train() == []
    for day in (7, 14):  # the last one is held out
        taps.drop(day=day, rows=300)
    assert outcomes(taps.train()) == ["promoted"]
    assert len(taps.learned()) == 3


def test_a_new_file_is_predicted_by_the_champion_before_anything_learns_from_it(taps):
    taps.drop()
    taps.train()
    stem = taps.drop()
    (record,) = taps.train()
    assert (record.outcome, record.files, record.rows) == ("promoted", 1, 100)
    (entry,) = entries(taps.trainer.buckets.data, "taps")
    assert (entry.stem, entry.version, entry.score.rows) == (stem, "v000001", 100)
    duel = explain(taps.registry, "taps", "v000002")["evaluation"]
    assert duel["champion"] == "v000001"
    assert duel["held_out"]["rows"] == 50  # half of what neither had learned, and all it takes
    assert duel["trained"]["rows"] == 200


def test_a_challenger_that_learned_rubbish_is_rejected_and_its_files_are_not_tried_for_ever(taps):
    taps.drop(rows=200)
    taps.train()
    taps.drop(rows=400, wrong=range(300))  # the tail on which they meet is right
    (record,) = taps.train()
    assert record.outcome == "rejected"
    assert taps.head.champion == "v000001"
    assert taps.head.statuses["v000002"] == "rejected"
    assert taps.train() == []


def test_with_manual_promotion_a_version_waits_for_a_person(taps):
    taps.apply(taps.text + "promotion: {mode: manual}\n")
    taps.drop()
    assert outcomes(taps.train()) == ["waiting_approval"]
    assert taps.head.champion is None
    approve(taps.registry, "taps", None, by="ada", why="looks right")
    assert taps.head.champion == "v000001"


def test_a_rollback_pins_until_it_is_lifted(taps):
    for _ in range(2):
        taps.drop()
        taps.train()
    rollback(taps.registry, taps.trainer.clock, "taps", None, by="ada", why="bad feeling")
    taps.drop()
    assert outcomes(taps.train()) == ["waiting_approval"]
    assert taps.head.champion == "v000001"
    unpin(taps.registry, "taps", by="ada")
    taps.drop()
    assert outcomes(taps.train()) == ["promoted"]
    assert len(taps.learned()) == 4


def test_while_a_run_is_at_work_another_ends_at_once(taps, restarted):
    taps.drop()
    seen = []
    taps.trainer.codec.on_export = lambda: seen.append(restarted(taps, "job-2").train(force=True))
    assert outcomes(taps.train()) == ["promoted"]
    assert seen == [[]]


def test_a_run_picks_up_what_arrived_while_it_worked(taps):
    taps.drop()
    taps.trainer.codec.on_export = lambda: taps.drop()
    assert outcomes(taps.train()) == ["promoted", "promoted"]
    assert len(taps.learned()) == 2


def test_the_claim_of_a_dead_process_does_not_block_the_next(taps, restarted):
    taps.drop()

    def dies():
        raise KeyboardInterrupt

    taps.trainer.codec.on_export = dies
    with pytest.raises(KeyboardInterrupt):
        taps.train()
    another = restarted(taps, "job-2")
    assert another.train() == []
    taps.trainer.launcher.ended.add("job-1")
    assert outcomes(another.train()) == ["promoted"]


def test_a_zombie_whose_claim_was_taken_leaves_no_trace(taps, restarted):
    taps.drop()

    def taken():
        taps.trainer.launcher.ended.add("job-1")  # wrongly: it still runs
        assert outcomes(restarted(taps, "job-2").train()) == ["promoted"]

    taps.trainer.codec.on_export = taken
    with pytest.raises(ClaimLost):
        taps.train()
    assert taps.head.champion == "v000002"  # job-1 had reserved v000001, and it never counted
    assert list(taps.head.statuses) == ["v000002"]


def test_when_the_champion_changes_meanwhile_the_version_is_judged_against_the_new_one(taps):
    for _ in range(2):
        taps.drop()
        taps.train()

    def rolled_back():
        rollback(taps.registry, taps.trainer.clock, "taps", "v000001", by="ada", why="meanwhile")
        unpin(taps.registry, "taps", by="ada")

    taps.drop()
    taps.trainer.codec.on_export = rolled_back
    assert outcomes(taps.train()) == ["promoted"]
    assert explain(taps.registry, "taps", taps.head.champion)["against"] == "v000001"


def test_a_late_file_is_learned_in_its_place_and_proves_nothing(taps):
    taps.drop(day=10)
    taps.train()
    taps.drop(day=5)
    (record,) = taps.train()
    assert record.outcome == "promoted"
    assert list(entries(taps.trainer.buckets.data, "taps")) == []
    why = explain(taps.registry, "taps", taps.head.champion)
    assert why["evaluation"]["held_out"]["rows"] == 0
    assert [f["name"] for f in why["files"]] == ["taps/day5.csv", "taps/day10.csv"]


@pytest.mark.parametrize(
    ("window", "rows"), [("{files: 2}", 200), ("{days: 2}", 200), ("all", 400)]
)
def test_the_window_decides_what_is_learned_and_the_rest_counts_as_known(taps, window, rows):
    taps.apply(taps.text + f"  window: {window}\n")
    for _ in range(4):
        taps.drop()
        taps.train()
    assert explain(taps.registry, "taps", "v000004")["trained_rows"] == rows
    assert len(taps.learned()) == 4
    assert taps.train() == []


def test_forced_without_anything_new_it_says_so(taps):
    taps.drop()
    taps.train()
    (record,) = taps.train(force=True)
    assert (record.outcome, record.version) == ("nothing_new", None)


def test_old_rows_take_the_shape_of_a_new_definition(taps):
    taps.drop()
    taps.train()
    taps.apply(taps.text.replace("  room: {type: category, nullable: true}\n", ""))
    taps.drop()
    assert outcomes(taps.train()) == ["promoted"]
    why = explain(taps.registry, "taps", "v000002")
    assert [i["name"] for i in why["manifest"]["inputs"]] == ["at", "heat"]
    assert why["trained_rows"] == 200


def test_every_version_tells_its_gates_and_its_environment(taps):
    taps.drop()
    taps.train()
    (version,) = list_versions(taps.registry, "taps")
    assert version["serving"]
    why = explain(taps.registry, "taps", "v000001")
    assert why["evaluation"]["parity"]["rows"] > 0
    assert {"train", "export", "parity"} <= set(why["evaluation"]["seconds"])
    assert why["history"][0]["action"] == "promote"


def test_a_claim_taken_at_the_very_last_moment_stops_the_promotion(taps):
    """The commit checks the claim in the head that it really follows."""
    taps.drop()
    commit = taps.registry.commit

    def stolen(pipeline, change, **words):
        if words.get("version"):
            steal = partial(
                state.take_claim, run="thief", now=taps.trainer.clock.now(), seconds=60,
                dead=taps.head.claim.run,
            )  # fmt: skip
            commit(pipeline, steal, action="claim", by="thief")
        return commit(pipeline, change, **words)

    taps.registry.commit = stolen
    with pytest.raises(ClaimLost):
        taps.train()
    assert taps.head.champion is None


@pytest.mark.parametrize("files", [1, 2])
def test_a_backlog_longer_than_the_window_does_not_starve_the_challenger(taps, files):
    """The window ends where the held-out rows begin."""
    taps.apply(taps.text + f"  window: {{files: {files}}}\n")
    taps.drop()
    taps.train()
    for _ in range(12):
        taps.drop()
    (record,) = taps.train()
    assert record.version == "v000002"
    why = explain(taps.registry, "taps", "v000002")
    assert why["evaluation"]["held_out"]["rows"] == 240
    assert why["trained_rows"] == 100 * files - (0 if why["evaluation"]["refit"] else 40)


@pytest.mark.parametrize("late", [False, True])
def test_a_zombie_does_not_go_on_under_another_runs_claim(taps, late):
    """After a lost race for the champion it looks whose claim the head holds.

    Its claim is taken before it commits, or right after it has lost the race.
    """
    for _ in range(2):
        taps.drop()
        taps.train()
    require = taps.registry.require

    def steal():
        thief = partial(
            state.take_claim, run="thief", now=taps.trainer.clock.now(), seconds=60,
            dead=taps.head.claim.run,
        )  # fmt: skip
        taps.registry.commit("taps", thief, action="claim", by="thief")

    def stolen(pipeline):
        taps.registry.require = require
        steal()
        return require(pipeline)

    def meanwhile():
        rollback(taps.registry, taps.trainer.clock, "taps", "v000001", by="ada", why="meanwhile")
        unpin(taps.registry, "taps", by="ada")
        if late:
            taps.registry.require = stolen
        else:
            steal()

    taps.drop()
    taps.trainer.codec.on_export = meanwhile
    with pytest.raises(ClaimLost):
        taps.train()
    assert (taps.head.champion, taps.head.claim.run) == ("v000001", "thief")


def test_a_zombie_whose_claim_was_taken_while_it_trained_commits_nothing(taps):
    """Though nothing else has changed, and the thief's claim lives."""
    taps.drop()

    def steal():
        thief = partial(
            state.take_claim, run="thief", now=taps.trainer.clock.now(), seconds=60,
            dead=taps.head.claim.run,
        )  # fmt: skip
        taps.registry.commit("taps", thief, action="claim", by="thief")

    taps.trainer.codec.on_export = steal
    with pytest.raises(ClaimLost):
        taps.train()
    assert (taps.head.champion, taps.head.statuses, taps.head.claim.run) == (None, {}, "thief")


def test_a_zombie_whose_work_comes_to_nothing_writes_no_record(taps):
    """It commits nothing that would have told it."""
    taps.drop(rows=30)
    definition = taps.registry.definition

    def stolen(head):
        taps.registry.definition = definition
        thief = partial(
            state.take_claim, run="thief", now=taps.trainer.clock.now(), seconds=60,
            dead=head.claim.run,
        )  # fmt: skip
        taps.registry.commit("taps", thief, action="claim", by="thief")
        return definition(head)

    taps.registry.definition = stolen
    with pytest.raises(ClaimLost):
        taps.train(force=True)
    assert list(list_runs(taps.trainer.buckets.data, "taps")) == []
    assert taps.head.claim.run == "thief"


def test_an_unforeseen_error_is_on_record_releases_the_claim_and_is_not_repeated(taps):
    taps.drop()

    def breaks():
        raise ZeroDivisionError("of all things")

    taps.trainer.codec.on_export = breaks
    with pytest.raises(ZeroDivisionError):
        taps.train()
    (run,) = list_runs(taps.trainer.buckets.data, "taps")
    assert (run["outcome"], run["reason"]) == ("failed", "ZeroDivisionError: of all things")
    assert taps.head.claim is None
    assert taps.train() == []
    taps.drop()
    assert outcomes(taps.train()) == ["promoted"]


def test_what_the_store_refused_once_is_tried_again(taps):
    taps.drop()

    def breaks():
        raise StoreUnavailable("no answer")

    taps.trainer.codec.on_export = breaks
    with pytest.raises(StoreUnavailable):
        taps.train()
    assert outcomes(taps.train()) == ["promoted"]


def test_a_year_mistyped_into_the_future_does_not_make_later_files_late(taps):
    taps.apply(taps.text + "rows: {max_future_days: null}\n")
    taps.drop(day=30_000)
    taps.train()
    stem = taps.drop(day=29_000)
    taps.train()
    assert [entry.stem for entry in entries(taps.trainer.buckets.data, "taps")] == [stem]


def test_two_files_of_the_same_day_both_prove_something(taps):
    taps.drop(day=3)
    taps.train()
    stem = taps.drop(day=3, rows=100, wrong=range(2))
    taps.train()
    assert [entry.stem for entry in entries(taps.trainer.buckets.data, "taps")] == [stem]


def test_a_file_is_scored_once_however_long_it_waits(taps, mocker):
    taps.drop()
    taps.train()
    rollback_and_wait = [taps.drop(), taps.drop()]
    taps.apply(taps.text + "promotion: {mode: manual}\n")
    taps.train()
    kept = mocker.spy(progress, "record")
    new = taps.drop()
    taps.train()
    assert [call.args[2].stem for call in kept.call_args_list] == [new, new]
    by_champion = [e for e in entries(taps.trainer.buckets.data, "taps") if e.part == "champion"]
    assert len(by_champion) == len(rollback_and_wait) + 1


def test_after_a_new_definition_without_new_rows_it_says_when_it_takes_effect(taps):
    taps.drop()
    taps.train()
    taps.apply(taps.text + "  seed: 7\n")
    (record,) = taps.train(force=True)
    assert record.outcome == "nothing_new"
    assert "takes effect with the next one" in record.reason


def test_a_definition_applied_meanwhile_makes_the_version(taps):
    taps.drop()
    taps.trainer.codec.on_export = lambda: taps.apply(taps.text + "  seed: 7\n")
    (record,) = taps.train()
    assert explain(taps.registry, "taps", record.version)["manifest"]["seed"] == 7


def test_history_calls_a_pinned_version_judged_not_promoted(taps):
    for _ in range(2):
        taps.drop()
        taps.train()
    rollback(taps.registry, taps.trainer.clock, "taps", "v000001", by="ada", why="x")
    taps.drop()
    taps.train()
    actions = [
        entry.action for entry in taps.registry.history("taps") if entry.version == "v000003"
    ]
    assert actions == ["release", "judge"]


def test_after_a_first_version_waits_for_approval_the_trigger_counts_new_files_only(taps):
    taps.apply(taps.text + "  trigger: {files: 3}\npromotion: {mode: manual}\n")
    for _ in range(3):
        taps.drop()
    assert outcomes(taps.train()) == ["waiting_approval"]
    taps.drop()
    assert taps.train() == []
    for _ in range(2):
        taps.drop()
    assert outcomes(taps.train()) == ["waiting_approval"]


def test_every_evaluation_says_which_columns_helped_on_the_held_out_rows(taps):
    for _ in range(2):
        taps.drop(rows=300)
        taps.train()
    for version in ("v000001", "v000002"):
        told = explain(taps.registry, "taps", version)["evaluation"]
        verdicts = {one["column"]: one["verdict"] for one in told["importance"]["columns"]}
        assert verdicts.keys() == {"at", "heat", "room"}
        assert verdicts["heat"] == "helps"
        assert verdicts["room"] != "helps"
        assert told["importance"]["rows"] == told["held_out"]["rows"] == 60
        manifest = taps.registry.manifest("taps", version)
        card = taps.registry.read_version_file(manifest, "card.md").decode()
        assert "- **Needs:** heat (log_loss +" in card


def test_the_head_vouches_for_the_manifest_and_no_run_works_with_another(taps):
    taps.drop(rows=300)
    taps.train()
    name = names.version("taps", "v000001", "manifest.json")
    stored = taps.registry.models.read(name).data
    assert taps.head.manifests == {"v000001": hashlib.sha256(stored).hexdigest()}
    taps.registry.models.overwrite(name, stored.replace(b'"seed"', b'"seed" '))
    with pytest.raises(DigestMismatch, match=r"taps v000001: manifest\.json has digest"):
        load_champion(taps.trainer, taps.head)


def test_whoever_tells_of_a_version_checks_its_manifest_against_the_head(taps):
    taps.drop(rows=300)
    taps.train()
    name = names.version("taps", "v000001", "manifest.json")
    stored = taps.registry.models.read(name).data
    taps.registry.models.overwrite(name, stored.replace(b'"seed"', b'"seed" '))
    part, told = taps.trainer, r"taps v000001: manifest\.json has digest"
    with pytest.raises(DigestMismatch, match=told):
        status(part.buckets, part.registry, part.launcher, part.clock, "taps")
    with pytest.raises(DigestMismatch, match=told):
        list_versions(part.registry, "taps")
    with pytest.raises(DigestMismatch, match=told):
        explain(part.registry, "taps", "v000001")
    swept = sweep(part.buckets, part.registry, part.launcher, part.clock)
    assert re.search(told, swept.errors["taps"])


def test_without_held_out_rows_no_column_is_judged(taps):
    taps.drop(day=10)
    taps.train()
    taps.drop(day=3)  # a late file proves nothing
    taps.train()
    told = explain(taps.registry, "taps", "v000002")["evaluation"]
    assert told["held_out"]["rows"] == 0
    assert told["importance"] is None
