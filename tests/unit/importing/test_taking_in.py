"""What becomes of a model from elsewhere: its gate, its traces, and what comes after it."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from functions.train import main as job
from perennial.cli import context
from perennial.cli.main import main
from perennial.domain import names
from perennial.domain.versioning import registry as state
from perennial.domain.versioning.importing import Request
from perennial.domain.versioning.lineage import Lineage
from perennial.errors import ClaimLost, StoreUnavailable
from perennial.workflows.claims import claim
from perennial.workflows.importing import record, take_in
from perennial.workflows.ledger import entries
from perennial.workflows.promotion import approve, rollback
from perennial.workflows.rebuild import rebuild
from perennial.workflows.versions import explain
from tests.unit.training.conftest import DEFINITION, START

from .conftest import classifier, regressor

STATIC = DEFINITION.replace("min_rows: 40", "min_rows: 40\n  mode: static\n  span: {files: 1}")
WEAK = DEFINITION.replace("min_rows: 40", "min_rows: 40\n  parameters: {C: 0.001}")
GOOD = classifier().SerializeToString()
BAD = classifier(wrong=True).SerializeToString()


def day(number: int) -> datetime:
    """The end of a day of taps."""
    return START + timedelta(days=number, hours=23)


def hand_in(taps, graph: bytes = GOOD, through: datetime | None = None, why: str = "") -> str:
    """Put a graph and its request where the job finds them; the request's digest."""
    sha256 = hashlib.sha256(graph).hexdigest()
    request = Request("taps", sha256, "elsewhere.onnx", through, "ada", why)
    models = taps.registry.models
    for name, content in (
        (names.import_graph("taps", sha256), graph),
        (names.import_request("taps", request.digest), request.to_json()),
    ):
        if not list(models.list(name)):
            models.create(name, content)
    return request.digest


def bring(taps, *args, **options):
    return take_in(taps.trainer, "taps", hand_in(taps, *args, **options))


class TestItsGate:
    def test_a_good_one_becomes_the_first_champion(self, taps):
        for _ in range(3):
            taps.drop()
        found = bring(taps, through=day(0), why="from the old system")
        assert (found.outcome, found.version, found.status) == ("promoted", "v000001", "approved")
        assert (found.rows, found.against, found.before) == (200, None, False)
        assert taps.head.champion == "v000001"
        assert taps.head.claim is None

    def test_one_that_is_worse_than_a_constant_is_turned_down(self, taps):
        taps.drop()
        found = bring(taps, BAD, through=day(-1))
        assert (found.outcome, found.status, taps.head.champion) == ("rejected", "rejected", None)
        assert "worse, does not pass" in found.reason

    def test_it_meets_the_champion_on_rows_that_neither_has_learned(self, taps):
        taps.apply(STATIC)
        for _ in range(4):
            taps.drop()
        taps.train()
        found = bring(taps, through=day(1))
        assert (found.against, found.rows) == ("v000001", 200)
        assert "had learned these rows" not in found.reason

    def test_where_the_champion_has_learned_them_all_it_may_lose_and_wait(self, taps):
        for _ in range(3):
            taps.drop()
            taps.train()
        found = bring(taps, BAD, through=day(0))
        assert (found.outcome, found.status, found.rows) == ("waiting_approval", "waiting", 200)
        assert found.reason.endswith("; v000003 had learned these rows, and it had not")
        assert taps.head.champion == "v000003"

    def test_a_correction_of_what_the_champion_has_learned_is_none_that_it_has_not(self, taps):
        taps.apply(taps.text + "files: {redelivery: supersede}\n")
        for day_, wrong in ((0, range(2)), (1, range(2))):
            taps.drop(day=day_, wrong=wrong)
            taps.train()
        taps.drop(day=1)
        found = bring(taps, BAD, through=day(0))
        assert found.rows == 100
        assert found.reason.endswith("; v000002 had learned these rows, and it had not")

    def test_a_champion_that_learned_them_and_loses_all_the_same_is_followed(self, taps):
        taps.apply(WEAK)  # pulled towards a constant, so that it just passes for a first version
        taps.drop(rows=300)
        assert [run.outcome for run in taps.train()] == ["promoted"]
        found = bring(taps, through=day(-1))
        assert (found.against, found.outcome) == ("v000001", "promoted")
        assert found.reason.startswith("better, passes")
        assert found.reason.endswith("; v000001 had learned these rows, and it had not")

    def test_without_a_date_nobody_knows_and_it_takes_no_place_by_itself(self, taps):
        taps.apply(STATIC)
        taps.drop(rows=200, wrong=range(0, 200, 3))
        for _ in range(3):
            taps.drop()
        taps.train()
        found = bring(taps)
        assert (found.outcome, found.rows) == ("waiting_approval", 300)
        assert "nobody says what it has learned" in found.reason
        approve(taps.registry, "taps", None, by="ada", why="it is ours")
        assert taps.head.champion == found.version

    def test_without_a_date_it_may_be_the_first(self, taps):
        taps.drop()
        found = bring(taps)
        assert (found.outcome, found.rows) == ("promoted", 100)
        assert "nobody says what it has learned" in found.reason

    def test_without_any_later_row_a_person_decides(self, taps):
        taps.drop()
        found = bring(taps, through=day(0))
        assert (found.outcome, found.rows) == ("waiting_approval", 0)
        assert found.reason == (
            "no accepted row is later than all it has learned, so that nothing is proved: a "
            "person must approve it"
        )

    def test_rows_of_the_same_file_count_from_the_date_on(self, taps):
        taps.drop(rows=100)
        assert bring(taps, through=START + timedelta(minutes=29)).rows == 70

    @pytest.mark.parametrize("how", ["manual", "pin"])
    def test_a_person_is_asked_where_a_run_would_ask_one(self, taps, how):
        for _ in range(2):
            taps.drop(rows=200, wrong=range(0, 200, 3))
            taps.train()
        if how == "manual":
            taps.apply(taps.text + "promotion: {mode: manual}\n")
        else:
            rollback(taps.registry, taps.trainer.clock, "taps", None, by="ada", why="trial")
        taps.drop()
        found = bring(taps, through=day(1))
        assert (found.outcome, found.status) == ("waiting_approval", "waiting")
        assert taps.head.champion != found.version

    def test_one_without_proof_leaves_what_waits_alone(self, taps):
        taps.apply(taps.text + "promotion: {mode: manual}\n")
        taps.drop()
        taps.train()
        bring(taps, through=day(9))
        assert taps.head.waiting == ("v000001", "v000002")


class TestRefusals:
    def test_a_graph_for_another_question(self, taps):
        taps.drop()
        found = bring(taps, regressor().SerializeToString())
        assert (found.outcome, found.version, found.status) == ("refused", None, None)
        assert found.reason.startswith("expected inputs of the names at, heat, room (or x0 to x2")
        assert taps.head.statuses == {}
        assert taps.head.claim is None

    def test_no_row_to_try_it_on(self, taps):
        found = bring(taps)
        assert (found.outcome, found.reason) == (
            "refused",
            "there is no accepted row to try it on: `perennial drop taps FILE` first",
        )

    def test_bytes_that_are_not_those_that_were_handed_in(self, taps):
        taps.drop()
        digest = hand_in(taps)
        taps.registry.models.overwrite(
            names.import_graph("taps", hashlib.sha256(GOOD).hexdigest()), BAD
        )
        found = take_in(taps.trainer, "taps", digest)
        assert (found.outcome, taps.head.statuses) == ("refused", {})
        assert "not what its name states" in found.reason

    def test_the_very_graph_that_serves(self, taps):
        taps.drop()
        taps.train()
        manifest = taps.registry.manifest("taps", "v000001")
        found = bring(taps, taps.registry.read_version_file(manifest, "model.onnx"))
        assert found.outcome == "refused"
        assert found.reason == "v000001, which serves, is this very graph"

    def test_a_run_that_does_not_end(self, taps):
        taps.drop()
        parts = taps.trainer
        claim(
            taps.registry,
            parts.launcher,
            parts.clock,
            "taps",
            "r1",
            seconds=9999,
            execution="other",
        )
        found = bring(taps)
        assert found.outcome == "refused"
        assert found.reason.startswith("run r1 works on taps until ")


class TestItsTraces:
    def test_who_and_why_and_what_was_found_is_on_record(self, taps):
        for _ in range(2):
            taps.drop()
        found = bring(taps, through=day(0), why="from the old system")
        made = explain(taps.registry, "taps", found.version)
        (entry,) = made["history"]
        assert (entry["action"], entry["by"], entry["status"]) == ("import", "ada", "approved")
        assert entry["why"] == f"from the old system; {found.reason}"
        environment = made["manifest"]["environment"]
        assert environment["imported"] == hashlib.sha256(GOOD).hexdigest()
        assert environment["imported file"] == "elsewhere.onnx"
        assert made["evaluation"]["imported"]["trained_through"] == day(0).isoformat()
        assert (
            made["evaluation"]["score"]["log_loss"] == made["evaluation"]["duel"]["challenger_loss"]
        )
        assert made["trained_rows"] == 0
        assert [file["used"] for file in made["files"]] == [False]
        manifest = taps.registry.manifest("taps", found.version)
        card = taps.registry.read_version_file(manifest, "card.md").decode()
        assert "handed in by ada" in card

    def test_it_cannot_be_rebuilt_and_that_is_said(self, taps):
        taps.drop()
        bring(taps)
        found = rebuild(taps.trainer, "taps", "v000001")
        assert (found.outcome, found.differences) == ("impossible", ())
        assert found.reason == (
            "it was trained elsewhere, and handed in as elsewhere.onnx: nothing here could train it"
        )


class TestAgain:
    def test_the_same_file_finds_the_version_that_was_made_of_it(self, taps):
        taps.drop()
        first = bring(taps, through=day(-1))
        again = bring(taps, through=day(-1), why="clicked twice")
        assert (again.version, again.status, again.before) == ("v000001", "approved", True)
        assert (again.outcome, again.reason, again.rows) == ("promoted", first.reason, first.rows)
        assert list(taps.head.statuses) == ["v000001"]

    def test_another_definition_or_date_makes_another(self, taps):
        taps.drop()
        bring(taps, through=day(-1))
        bring(taps, through=day(-2))
        taps.apply(taps.text + "promotion: {tolerance: 0.5}\n")
        assert bring(taps, through=day(-1)).version == "v000003"

    @pytest.mark.parametrize("last", range(1, 40))
    def test_a_process_that_dies_anywhere_leaves_nothing_in_the_way(self, taps, last):
        """Its claim is that of a dead process; what it reserved is a gap."""
        taps.drop()
        digest = hand_in(taps)
        dying = replace(taps.trainer, execution="job-2")
        calls = itertools.count(1)
        store = dying.registry.models

        class Dies:
            def __getattr__(self, name):
                found = getattr(store, name)
                if name not in ("create", "replace", "read", "list"):
                    return found

                def call(*args, **options):
                    if next(calls) >= last:
                        raise SystemExit
                    return found(*args, **options)

                return call

        dying.registry.models = Dies()
        try:
            take_in(dying, "taps", digest)
        except SystemExit:
            pass
        finally:
            dying.registry.models = store
        taps.trainer.launcher.ended.add("job-2")
        found = take_in(taps.trainer, "taps", digest)
        assert found.outcome == "promoted"
        assert list(taps.head.statuses.values()) == ["approved"]
        assert taps.head.claim is None

    def test_a_claim_that_was_taken_meanwhile_leaves_no_version(self, taps):
        taps.drop()
        digest = hand_in(taps)

        class Codec(type(taps.trainer.codec)):
            def check_smoke(self, *args):
                taps.registry.commit(
                    "taps",
                    lambda head: replace(
                        head, claim=state.Claim(head.epoch + 1, "r9", START), epoch=head.epoch + 1
                    ),
                    action="claim",
                    by="run r9",
                )

        with pytest.raises(ClaimLost):
            take_in(replace(taps.trainer, codec=Codec()), "taps", digest)
        assert taps.head.statuses == {}
        assert taps.head.claim.run == "r9"

    def test_a_champion_that_changed_meanwhile_is_met(self, taps):
        for _ in range(2):
            taps.drop()
            taps.train()
        taps.drop()
        digest = hand_in(taps, through=day(1))
        codec = taps.trainer.codec
        smoke = codec.check_smoke

        def once(*args):
            codec.check_smoke = smoke
            rollback(taps.registry, taps.trainer.clock, "taps", None, by="ada", why="trial")

        codec.check_smoke = once
        found = take_in(taps.trainer, "taps", digest)
        assert found.against == "v000001"


class TestWhatComesAfter:
    def test_a_dynamic_pipeline_goes_on_with_challengers(self, taps):
        for _ in range(3):
            taps.drop()
        bring(taps, through=day(1))
        stem = taps.drop()
        (run,) = taps.train()
        assert (run.outcome, run.version, run.files) == ("promoted", "v000002", 2)
        made = explain(taps.registry, "taps", "v000002")
        assert made["against"] == "v000001"
        assert made["trained_rows"] == 400
        scored = [
            (entry.stem, entry.version) for entry in entries(taps.trainer.buckets.data, "taps")
        ]
        assert scored[-1] == (stem, "v000001")
        assert len(scored) == 2  # those through the date prove nothing

    def test_without_a_date_only_what_comes_later_is_proof(self, taps):
        for _ in range(3):
            taps.drop()
        bring(taps)
        taps.drop()
        (run,) = taps.train()
        assert (run.version, run.files) == ("v000002", 1)

    def test_a_static_pipeline_scores_what_comes_later(self, taps):
        taps.apply(STATIC.replace("files: 1", "files: 9"))
        taps.drop()
        bring(taps, through=day(-1))
        taps.drop()
        (run,) = taps.train()
        assert (run.outcome, run.files) == ("scored", 2)
        assert taps.head.statuses == {"v000001": "approved"}

    def test_its_lineage_says_that_it_learned_nothing_of_ours(self, taps):
        for _ in range(2):
            taps.drop()
        bring(taps, through=day(0))
        manifest = taps.registry.manifest("taps", "v000001")
        known = Lineage.from_json(taps.registry.read_version_file(manifest, "lineage.json"))
        assert (known.rows, known.used, len(known.files)) == ((), frozenset(), 1)


class Platform:
    """Runs the job's work at once, in this process."""

    def __init__(self, trainer) -> None:
        self.trainer = trainer
        self.breaks = False

    def launch_task(self, task: str, pipeline: str, subject: str) -> str:
        assert task == "import"
        if not self.breaks:
            trainer = replace(self.trainer, execution="train-abc12")
            record(trainer, subject, take_in(trainer, pipeline, subject))
        return "projects/p/locations/l/jobs/train/executions/train-abc12"

    def has_ended(self, execution: str) -> bool:
        return True


class TestTheCommand:
    @pytest.fixture
    def platform(self, taps, monkeypatch) -> Platform:
        platform = Platform(taps.trainer)
        for role in context.BUCKETS:
            monkeypatch.setenv(f"PERENNIAL_{role.upper()}_BUCKET", role)
        for name in ("PERENNIAL_LOCAL", "GOOGLE_CLOUD_PROJECT"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(context, "open_buckets", lambda _: taps.trainer.buckets)
        monkeypatch.setattr(context, "CloudRunJobs", lambda _: platform)
        return platform

    @pytest.fixture
    def run(self, platform, capsys, tmp_path):
        (tmp_path / "good.onnx").write_bytes(GOOD)
        (tmp_path / "strange.onnx").write_bytes(regressor().SerializeToString())

        def run(file: str, *words: str) -> tuple[int, str, str]:
            code = main(["import", "taps", str(tmp_path / file), *words])
            said = capsys.readouterr()
            return code, said.out, said.err

        return run

    def test_one_that_serves_ends_with_0(self, taps, run):
        taps.drop()
        words = ("--trained-through", "2025-12-31", "--by", "ada", "--why", "trial", "--json")
        code, out, err = run("good.onnx", *words)
        assert (code, err) == (0, "")
        document = json.loads(out)
        assert (document["version"], document["status"]) == ("v000001", "approved")
        assert (document["outcome"], document["rows"]) == ("promoted", 100)
        assert document["trained_through"] == "2025-12-31T23:59:59.999999+00:00"
        (entry,) = explain(taps.registry, "taps", "v000001")["history"]
        assert (entry["by"], entry["why"].split(";")[0]) == ("ada", "trial")

    def test_people_read_what_became_of_it(self, taps, run):
        taps.drop()
        code, out, _ = run("good.onnx", "--trained-through", "2026-01-01")
        assert code == 0
        assert out.startswith("version    v000001: waits for a person\n")
        assert out.endswith("waits      for `perennial approve taps v000001`\n")

    def test_one_that_does_not_fit_ends_with_1_and_one_line(self, taps, run):
        taps.drop()
        code, out, err = run("strange.onnx")
        assert (code, out) == (1, "")
        assert err.startswith("perennial: strange.onnx is no version of taps: expected inputs of ")
        assert err.count("\n") == 1

    def test_a_date_to_come_is_refused_before_anything_is_stored(self, taps, run):
        code, _, err = run("good.onnx", "--trained-through", f"{datetime.now(UTC).year + 1}-01-01")
        assert code == 1
        assert "expected a date that has passed" in err
        assert list(taps.registry.models.list("taps/imports/")) == []

    def test_a_file_that_is_too_large_is_refused_before_anything_is_stored(
        self, taps, run, monkeypatch
    ):
        for module in ("cli.importing", "workflows.hand_in"):
            monkeypatch.setattr(f"perennial.{module}.LARGEST", 100)
        code, _, err = run("good.onnx")
        assert code == 1
        assert err == "perennial: expected a file of at most 100 bytes, found a larger one\n"
        assert list(taps.registry.models.list("taps/imports/")) == []

    def test_a_date_that_is_none_is_a_wrong_request(self, taps, run):
        code, _, err = run("good.onnx", "--trained-through", "yesterday")
        assert code == 2
        assert "expected a date such as 2026-08-31, or a time, found 'yesterday'" in err

    def test_an_execution_that_breaks_off_is_one_line(self, taps, run, platform):
        platform.breaks = True
        code, _, err = run("good.onnx")
        assert code == 1
        assert err == "perennial: execution train-abc12 ended without a result; see its log\n"


class TestTheJob:
    @pytest.fixture
    def lines(self, taps, monkeypatch, capsys):
        for name in ("PERENNIAL_PIPELINE", "PERENNIAL_REBUILD"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(job, "trainer", lambda _: taps.trainer)
        log = logging.getLogger("perennial")
        before = (log.handlers, log.level, log.propagate)

        def run(digest: str) -> tuple[int, list[dict]]:
            monkeypatch.setenv("PERENNIAL_IMPORT", f"taps/{digest}")
            code = job.main()
            return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

        yield run
        log.handlers, log.level, log.propagate = before

    def test_it_records_its_result_and_then_does_what_came_meanwhile(self, taps, lines):
        taps.drop()
        digest = hand_in(taps, through=day(-1))
        code, (taken_in, run) = lines(digest)
        assert code == 0
        assert (taken_in["severity"], taken_in["version"]) == ("INFO", "v000001")
        assert taken_in["object"] == f"taps/imports/{digest}/job-1.json"
        assert (run["version"], run["files"]) == ("v000002", 1)

    def test_a_refusal_is_a_warning_and_a_result(self, taps, lines):
        code, (line, *_) = lines(hand_in(taps))
        assert code == 0
        assert (line["severity"], line["outcome"]) == ("WARNING", "refused")

    def test_a_store_that_does_not_answer_is_an_error(self, taps, lines, mocker):
        digest = hand_in(taps)
        failure = StoreUnavailable("no answer", bucket="models", name="x")
        mocker.patch.object(taps.registry.models, "read", side_effect=failure)
        code, (line,) = lines(digest)
        assert (code, line["severity"]) == (1, "ERROR")
