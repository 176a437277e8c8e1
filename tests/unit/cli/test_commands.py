"""Each command over buckets in memory: what it does, its JSON, and what people read."""

from __future__ import annotations

import io
import json
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from perennial.adapters.clock import SystemClock
from perennial.cli import local
from perennial.domain import names
from perennial.domain.definitions.serving_settings import ServingSettings
from perennial.domain.versioning.registry import Status
from perennial.errors import LaunchError, PermissionDenied
from perennial.ports import Buckets
from perennial.workflows.registry import Registry
from perennial.workflows.sweep import sweep

from .conftest import BAD, DEFINITION, GOOD, Launcher, Run


def write(name: str, data: bytes) -> Path:
    path = Path(name)
    path.write_bytes(data)
    return path


def versions(registry: Registry, *, champion: str | None, **statuses: Status) -> None:
    """Put versions into the registry of flowers, as runs would have."""
    registry.commit(
        "flowers", lambda head: replace(head, champion=champion, statuses=statuses),
        action="judge", by="run r1",
    )  # fmt: skip


class TestInit:
    def test_it_writes_a_definition_that_can_be_applied(self, deployed: Run) -> None:
        rows = b"visit,petals,bought\n" + b"".join(
            b"%d,%d,%s\n" % (n, n % 7, b"true" if n % 3 else b"false") for n in range(100)
        )
        write("a.csv", rows)

        document = deployed(
            "init", "flowers", "--sample", "a.csv", "--label", "bought", "-o", "f.yaml", "--json"
        ).json

        assert document["file"] == "f.yaml"
        assert document["definition"] == Path("f.yaml").read_text()
        assert deployed("apply", "f.yaml", "--json").json["pipeline"] == "flowers"

    def test_without_a_file_it_prints_it(self, run: Run) -> None:
        write("a.csv", b"petals,bought\n" + b"1,true\n2,false\n" * 30)
        ran = run("init", "flowers", "--sample", "a.csv", "--label", "bought")

        assert ran.code == 0
        assert "name: flowers" in ran.out

    def test_a_shell_may_expand_one_sample_option_to_many_files(self, run: Run) -> None:
        for name in ("a.csv", "b.csv", "c.csv"):
            write(name, b"petals,bought\n" + b"1,true\n2,false\n" * 30)
        ran = run("init", "flowers", "--sample", "a.csv", "b.csv", "c.csv", "--label", "bought")

        assert ran.code == 0
        assert "from 180 rows in 3 files" in ran.out

    def test_it_replaces_a_file_only_when_told_to(self, run: Run) -> None:
        write("a.csv", b"petals,bought\n" + b"1,true\n2,false\n" * 30)
        write("f.yaml", b"mine")
        words = ["init", "flowers", "--sample", "a.csv", "--label", "bought", "-o", "f.yaml"]

        assert "f.yaml exists" in run(*words).complaint
        assert Path("f.yaml").read_text() == "mine"
        assert run(*words, "--force").code == 0

    def test_an_unknown_label_is_one_line(self, run: Run) -> None:
        write("a.csv", b"petals,bought\n" + b"1,true\n2,false\n" * 30)

        complaint = run("init", "f", "--sample", "a.csv", "--label", "bougth").complaint
        assert "bougth" in complaint


class TestApply:
    def test_it_says_what_is_in_force(self, deployed: Run, registry: Registry) -> None:
        write("flowers.yaml", DEFINITION.encode())
        document = deployed("apply", "flowers.yaml", "--json").json

        head = registry.head("flowers")
        assert head is not None
        assert document == {
            "pipeline": "flowers", "definition": head.definition, "changed": True, "changes": [],
            "judged": [], "gate": {"passed": True, "cases": 5}, "model": None,
        }  # fmt: skip
        again = deployed("apply", "flowers.yaml", "--json").json
        assert (again["changed"], again["gate"]) == (False, None)
        assert next(registry.history("flowers")).by == "rosa"

    def test_it_says_what_changed(self, flowers: Run) -> None:
        text = DEFINITION.replace("[0, 10]", "[0, 99]").replace("files: 3", "files: 5")
        write(
            "flowers.yaml", text.replace("  bought", "  hue: {type: category}\n  bought").encode()
        )
        said = flowers("apply", "flowers.yaml").out.splitlines()[1:]

        assert said == [
            "changed     columns.petals.rules: [{range: [0, 99]}], was [{range: [0, 10]}]",
            "added       columns.hue: {type: category}",
            "changed     training.trigger: {files: 5}, was {files: 3}",
            "gate        decided rightly about 5 challengers",
        ]
        write("flowers.yaml", DEFINITION.encode())
        assert {
            "key": "columns.hue", "change": "removed",
            "before": {"type": "category"}, "after": None,
        } in flowers("apply", "flowers.yaml", "--json").json["changes"]  # fmt: skip

    def test_a_gate_that_lets_worse_models_pass_is_refused_and_nothing_changes(
        self, flowers: Run, registry: Registry
    ) -> None:
        before = registry.require("flowers")
        write("lenient.yaml", f"{DEFINITION}promotion: {{tolerance: 0.9}}\n".encode())

        complaint = flowers("apply", "lenient.yaml", "--json").complaint
        assert "the gate of flowers cannot be trusted with promotion.tolerance 0.9" in complaint
        assert "shuffled labels: expected that it does not pass" in complaint
        assert registry.require("flowers") == before

    def test_what_predict_must_know_lies_there_before_the_head_names_the_definition(
        self, flowers: Run, registry: Registry
    ) -> None:
        serving = "serving: {log: {keys: true, leave_out: [petals]}, shadow: true}\n"
        text = (
            DEFINITION.replace("  bought", "  id: {type: integer, role: key}\n  bought") + serving
        )
        write("flowers.yaml", text.encode())
        before = registry.require("flowers").number
        flowers("apply", "flowers.yaml")
        head = registry.require("flowers")
        name = names.serving_settings("flowers", head.definition)
        stored = registry.models.read(name)
        assert ServingSettings.from_json(stored.data) == ServingSettings(
            sample=1.0, features=0.1, keys=("id",), leave_out=("petals",), shadow=True
        )
        commit = names.commit("flowers", before + 1, head.commit)
        assert stored.info.generation < registry.models.stat(commit).generation

    def test_a_definition_of_an_earlier_release_gets_it_when_applied_again(
        self, flowers: Run, registry: Registry
    ) -> None:
        name = names.serving_settings("flowers", registry.require("flowers").definition)
        registry.models.delete(name)
        write("flowers.yaml", DEFINITION.encode())
        assert "nothing changed" in flowers("apply", "flowers.yaml").out
        assert ServingSettings.from_json(registry.models.read(name).data).features == 0.1

    def test_it_says_when_nothing_changed(self, flowers: Run) -> None:
        assert "in force already: nothing changed" in flowers("apply", "flowers.yaml").out
        write("flowers.yaml", f"# mine\n{DEFINITION}".encode())
        assert "only its wording changed" in flowers("apply", "flowers.yaml").out

    def test_a_definition_in_force_that_cannot_be_read_is_replaced(
        self, flowers: Run, registry: Registry
    ) -> None:
        """As one from a newer release may be."""
        stored = registry.store_definition("flowers", f"{DEFINITION}novelty: 1\n")
        registry.commit(
            "flowers", lambda head: replace(head, definition=stored), action="apply", by="rosa"
        )

        document = flowers("apply", "flowers.yaml", "--json").json
        assert (document["changed"], document["changes"]) == (True, [])

    def test_files_that_waited_are_judged(self, deployed: Run) -> None:
        write("flowers.yaml", DEFINITION.encode())
        deployed("drop", "flowers", write("a.csv", GOOD))
        assert deployed("sweep", "--json").json["judged"] == {"pending": 1}

        document = deployed("apply", "flowers.yaml", "--json").json

        (judged,) = document["judged"]
        assert (judged["name"], judged["verdict"]) == ("flowers/a.csv", "accepted")

    def test_a_mistake_names_file_and_key(self, deployed: Run) -> None:
        write("flowers.yaml", DEFINITION.replace("training:", "trainig:").encode())

        complaint = deployed("apply", "flowers.yaml").complaint
        assert complaint == (
            "perennial: flowers.yaml, line 6: trainig: unknown key; did you mean training?"
        )


class TestDrop:
    def test_files_are_uploaded_in_order(self, flowers: Run, buckets: Buckets) -> None:
        document = flowers(
            "drop", "flowers", write("b.csv", GOOD), write("a.csv", BAD), "--json"
        ).json

        assert [f["name"] for f in document["files"]] == ["flowers/b.csv", "flowers/a.csv"]
        assert document["files"][0]["generation"] < document["files"][1]["generation"]
        assert [f["verdict"] for f in document["files"]] == [None, None]
        assert document["runs"] == []
        assert buckets.landing.read("flowers/b.csv").data == GOOD

    def test_waiting_for_verdicts_that_never_come_ends(self, flowers: Run) -> None:
        ran = flowers("drop", "flowers", write("a.csv", GOOD), "--wait", "--patience", "0.2")

        assert "1 of the dropped files have no verdict" in ran.complaint

    def test_waiting_shows_verdicts_and_where_the_report_is(
        self, flowers: Run, buckets: Buckets, registry: Registry, launcher: Launcher
    ) -> None:
        done = threading.Event()

        def deliver() -> None:
            """Stands for event delivery and ingest."""
            while not done.wait(0.05):
                sweep(buckets, registry, launcher, SystemClock())

        good, bad = write("a.csv", GOOD), write("b.csv", BAD)
        thread = threading.Thread(target=deliver)
        thread.start()
        try:
            ran = flowers("drop", "flowers", good, bad, "--wait", "--json")
        finally:
            done.set()
            thread.join()

        assert ran.code == 3
        assert ran.err == (
            "perennial: 1 of 2 dropped is in quarantine: "
            "`perennial quarantine show flowers flowers/b.csv` says what is wrong\n"
        )
        document = ran.document
        accepted, quarantined = document["files"]
        assert (accepted["verdict"], "report" in accepted) == ("accepted", False)
        assert quarantined["verdict"] == "quarantined"
        place = quarantined["report"].removeprefix("gs://quarantine/")
        report = json.loads(buckets.quarantine.read(place).data)
        assert report["findings"][0]["rule"] == "range"

    def test_a_misspelt_pipeline_is_told_by_the_report(
        self, flowers: Run, buckets: Buckets, registry: Registry, launcher: Launcher
    ) -> None:
        deliver = threading.Timer(0.3, sweep, (buckets, registry, launcher, SystemClock()))
        deliver.start()
        ran = flowers("drop", "flwers", write("a.csv", GOOD), "--wait", "--json")
        deliver.join()

        assert ran.code == 3
        warning, complaint = ran.err.splitlines()
        assert warning == (
            "perennial: no pipeline 'flwers' has a definition; did you mean flowers? "
            "What is dropped so near it is quarantined"
        )
        assert "`perennial quarantine show _unknown flwers/a.csv`" in complaint
        (file,) = ran.document["files"]
        assert file["verdict"] == "quarantined"
        place = file["report"].removeprefix("gs://quarantine/")
        assert place.startswith("_unknown/")
        report = json.loads(buckets.quarantine.read(place).data)
        assert "did you mean flowers/?" in report["findings"][0]["message"]

    def test_without_a_definition_it_says_that_files_wait(self, flowers: Run) -> None:
        ran = flowers("drop", "roses", write("a.csv", GOOD), "--json")

        assert ran.code == 0
        assert ran.err == (
            "perennial: no pipeline 'roses' has a definition; there are: flowers; "
            "its files wait, pending, until `perennial apply`\n"
        )
        assert [file["verdict"] for file in ran.document["files"]] == [None]
        assert flowers("drop", "flowers", write("a.csv", GOOD)).err == ""

    def test_whoever_may_not_see_other_pipelines_may_drop(
        self, flowers: Run, mocker: MockerFixture
    ) -> None:
        refusal = PermissionDenied("list gs://models: 403")
        mocker.patch.object(Registry, "pipelines", side_effect=refusal)
        ran = flowers("drop", "roses", write("a.csv", GOOD))

        assert ran.code == 0
        assert ran.err.startswith("perennial: no pipeline 'roses' has a definition; its files wait")

    def test_a_missing_file_is_one_line(self, flowers: Run) -> None:
        assert flowers("drop", "flowers", "none.csv").complaint == (
            "perennial: no file at none.csv"
        )


class TestStatus:
    def test_all_pipelines_or_one(self, flowers: Run) -> None:
        one = flowers("status", "flowers", "--json").json
        everything = flowers("status", "--json").json

        assert one["pipeline"] == "flowers"
        assert one["champion"] is None
        assert everything == {"pipelines": [one], "strays": []}

    def test_people_read_what_it_waits_for(self, flowers: Run) -> None:
        flowers("drop", "flowers", write("a.csv", GOOD))
        flowers("sweep")
        out = flowers("status", "flowers").out

        assert "champion   none yet" in out
        assert "1 accepted" in out
        assert "a first version needs 40 rows, has 2" in out
        assert "flowers/a.csv" in out
        assert "flowers" in flowers("status").out

    def test_a_pipeline_that_is_too_small_to_train_says_what_it_waits_for(
        self, flowers: Run
    ) -> None:
        assert "waits      a first file: `perennial drop flowers FILE`" in (
            flowers("status", "flowers").out
        )
        for number in range(3):
            rows = b"petals,bought\n%d,true\n" % number
            flowers("drop", "flowers", write(f"{number}.csv", rows))
        flowers("sweep")

        waits = flowers("status", "flowers", "--json").json["waiting"]

        assert waits == ["a first version needs 40 rows, has 3: drop more files"]
        assert waits[0] in flowers("status").out

    def test_a_trigger_that_is_not_reached_counts_in_the_singular(self, flowers: Run) -> None:
        write("one.yaml", DEFINITION.replace("files: 3", "rows: 5").encode())
        flowers("apply", "one.yaml")
        flowers("drop", "flowers", write("a.csv", GOOD))
        flowers("sweep")

        assert flowers("status", "flowers", "--json").json["waiting"] == [
            "a first version needs 40 rows, has 2: drop more files",
            "the next run starts at 5 new rows, has 2",
        ]

    def test_verdicts_are_in_the_order_of_the_times_shown(self, flowers: Run) -> None:
        """A file that was healed later comes later, whenever it was dropped."""
        flowers("drop", "flowers", write("bad.csv", BAD), write("good.csv", GOOD))
        flowers("sweep")
        flowers("quarantine", "release", "flowers", "bad.csv", "--why", "a giant sunflower")

        verdicts = flowers("status", "flowers", "--json").json["verdicts"]

        assert [v["name"] for v in verdicts] == ["flowers/good.csv", "flowers/bad.csv"]
        assert [v["decided"] for v in verdicts] == sorted(v["decided"] for v in verdicts)

    def test_how_to_see_all_that_is_wrong_with_a_file_is_named(self, flowers: Run) -> None:
        flowers("drop", "flowers", write("good.csv", GOOD))
        flowers("sweep")
        hint = "`perennial quarantine show flowers FILE` says all that is wrong"
        assert hint not in flowers("status", "flowers").out
        flowers("drop", "flowers", write("bad.csv", BAD))
        flowers("sweep")
        assert hint in flowers("status", "flowers").out

    def test_files_of_pipelines_never_applied_and_of_none_are_shown(
        self, flowers: Run, buckets: Buckets
    ) -> None:
        for name in ("roses/a.csv", "roses/b.csv", "stray.csv", "flwers/c.csv"):
            buckets.landing.overwrite(name, GOOD)
        flowers("sweep")

        assert flowers("status", "--json").json["strays"] == [
            {"pipeline": "_unknown", "files": 2, "more": False},
            {"pipeline": "roses", "files": 2, "more": False},
        ]
        out = flowers("status").out
        assert "_unknown: 2 files of no pipeline in quarantine: `perennial quarantine list" in out
        assert "roses: 2 files without a definition to judge by: `perennial init roses" in out

    def test_strays_that_were_dealt_with_are_shown_no_more(
        self, flowers: Run, buckets: Buckets
    ) -> None:
        for name in ("roses/a.csv", "stray.csv"):
            buckets.landing.overwrite(name, GOOD)
        flowers("sweep")
        write("roses.yaml", DEFINITION.replace("name: flowers", "name: roses").encode())
        flowers("apply", "roses.yaml")
        flowers("quarantine", "discard", "_unknown", "stray.csv", "--why", "junk")

        assert flowers("status", "--json").json["strays"] == []

    def test_an_unknown_pipeline_is_told_with_those_that_exist(self, flowers: Run) -> None:
        assert flowers("status", "roses").complaint == (
            "perennial: no pipeline 'roses'; there are: flowers"
        )


class TestDecisions:
    def test_approve_takes_the_one_that_waits(self, flowers: Run, registry: Registry) -> None:
        versions(registry, champion="v000001", v000001="approved", v000002="waiting")
        document = flowers("approve", "flowers", "--json").json

        assert document["champion"] == "v000002"
        assert document["versions"] == {"v000001": "approved", "v000002": "approved"}
        assert document["pinned"] is None

    def test_reject_names_the_version(self, flowers: Run, registry: Registry) -> None:
        versions(registry, champion="v000001", v000001="approved", v000002="waiting")
        document = flowers("reject", "flowers", "v000002", "--why", "smells", "--json").json

        assert document["versions"]["v000002"] == "rejected"
        entry = next(registry.history("flowers"))
        assert (entry.action, entry.by, entry.why) == ("reject", "rosa", "smells")

    def test_rollback_pins_until_unpin(self, flowers: Run, registry: Registry) -> None:
        versions(registry, champion="v000002", v000001="approved", v000002="approved")
        words = ["rollback", "flowers", "--to", "v000001", "--why", "it wilted", "--by", "tom"]
        document = flowers(*words, "--json").json

        assert document["champion"] == "v000001"
        assert (document["pinned"]["by"], document["pinned"]["why"]) == ("tom", "it wilted")
        assert "already" in flowers(*words).complaint
        assert flowers("unpin", "flowers", "--json").json["pinned"] is None
        assert "is not pinned" in flowers("unpin", "flowers").complaint

    def test_people_read_who_serves(self, flowers: Run, registry: Registry) -> None:
        versions(registry, champion="v000001", v000001="approved", v000002="waiting")

        assert flowers("approve", "flowers").out == "flowers: v000002 serves\n"


class TestVersions:
    def test_there_may_be_none(self, flowers: Run) -> None:
        assert flowers("versions", "flowers", "--json").json == {
            "pipeline": "flowers", "versions": [],
        }  # fmt: skip
        assert "no versions yet" in flowers("versions", "flowers").out

    def test_an_unknown_version_is_one_line(self, flowers: Run) -> None:
        assert "v000009" in flowers("versions", "flowers", "--explain", "v000009").complaint


class TestQuarantine:
    @pytest.fixture
    def hospital(self, flowers: Run) -> Run:
        flowers("drop", "flowers", write("bad.csv", BAD), write("worse.csv", b""))
        flowers("sweep")
        return flowers

    def test_list_shows_what_is_held(self, hospital: Run) -> None:
        files = hospital("quarantine", "list", "flowers", "--json").json["files"]

        assert [f["name"] for f in files] == ["flowers/bad.csv", "flowers/worse.csv"]
        assert all(f["reason"] for f in files)
        assert "flowers/bad.csv" in hospital("quarantine", "list", "flowers").out

    def test_show_explains_and_gives_back_the_bytes(self, hospital: Run) -> None:
        report = hospital(
            "quarantine", "show", "flowers", "bad.csv", "--original", "back.csv", "--json"
        ).json

        (finding,) = report["findings"]
        assert (finding["rule"], finding["column"]) == ("range", "petals")
        assert finding["message"] in hospital("quarantine", "show", "flowers", "bad.csv").out
        assert Path("back.csv").read_bytes() == BAD
        by_generation = hospital("quarantine", "show", "flowers", report["generation"], "--json")
        assert by_generation.json == report

    def test_retry_judges_by_the_definition_in_force(self, hospital: Run) -> None:
        write("flowers.yaml", DEFINITION.replace("[0, 10]", "[0, 100]").encode())
        hospital("apply", "flowers.yaml")
        document = hospital("quarantine", "retry", "flowers", "bad.csv", "--json").json

        (file,) = document["files"]
        assert (file["name"], file["verdict"], file["rows"]) == ("flowers/bad.csv", "accepted", 2)

    def test_release_accepts_it_all_the_same(self, hospital: Run) -> None:
        words = ["quarantine", "release", "flowers", "bad.csv"]
        assert "--why" in hospital(*words).complaint
        document = hospital(*words, "--why", "a giant sunflower", "--json").json

        assert document["files"][0]["verdict"] == "accepted"

    def test_discard_hides_several(self, hospital: Run) -> None:
        words = ["quarantine", "discard", "flowers", "bad.csv", "worse.csv", "--why", "junk"]
        document = hospital(*words, "--json").json

        assert [f["verdict"] for f in document["files"]] == ["discarded", "discarded"]
        assert hospital("quarantine", "list", "flowers", "--json").json["files"] == []
        assert hospital("quarantine", "list", "flowers").out == (
            "flowers has nothing in quarantine\n"
        )

    def test_nothing_happens_to_one_when_another_is_not_there(self, hospital: Run) -> None:
        ran = hospital("quarantine", "discard", "flowers", "bad.csv", "nope.csv", "--why", "junk")

        assert "'nope.csv'" in ran.complaint
        assert len(hospital("quarantine", "list", "flowers", "--json").json["files"]) == 2

    def test_files_of_no_pipeline_are_held_too(self, hospital: Run, buckets: Buckets) -> None:
        buckets.landing.overwrite("stray.csv", GOOD)
        hospital("sweep")
        files = hospital("quarantine", "list", "_unknown", "--json").json["files"]

        assert [f["name"] for f in files] == ["stray.csv"]
        assert "no pipeline 'roses'" in hospital("quarantine", "list", "roses").complaint


class TestSweep:
    def test_it_judges_what_no_event_announced(self, flowers: Run, launcher: Launcher) -> None:
        for number in range(3):
            rows = b"".join(b"%d,%s\n" % (n % 10, (b"true", b"false")[n % 2]) for n in range(20))
            extra = b"%d,true\n" % number
            flowers("drop", "flowers", write(f"{number}.csv", b"petals,bought\n" + rows + extra))
        document = flowers("sweep", "--json").json

        assert document["listed"] == 3
        assert document["judged"] == {"accepted": 3}
        assert document["launched"] == launcher.launched == ["flowers"]
        assert document["errors"] == {}
        assert "3 files seen; judged now: none" in flowers("sweep", "flowers").out

    def test_an_unknown_pipeline_is_one_line(self, flowers: Run) -> None:
        assert "no pipeline 'roses'" in flowers("sweep", "roses").complaint

    def test_what_went_wrong_fails_it(self, flowers: Run, mocker: MockerFixture) -> None:
        mocker.patch("perennial.workflows.sweep.work_is_due", return_value=True)
        mocker.patch.object(Launcher, "launch", side_effect=LaunchError("no quota"))
        ran = flowers("sweep", "--json")

        assert ran.code == 1
        assert json.loads(ran.out)["errors"]
        assert ran.err.startswith("perennial: flowers: ")
        assert "no quota" in ran.err


class TestLocalCloud:
    def test_missing_packages_are_named(self, run: Run, mocker: MockerFixture) -> None:
        mocker.patch.object(local, "find_spec", side_effect=lambda name: name != "uvicorn" or None)

        for command in ("up", "down", "demo"):
            assert run(command).complaint == (
                "perennial: the local cloud needs uvicorn: run `pip install 'perennial[local]'`"
            )

    @pytest.mark.parametrize(
        ("words", "module", "arguments"),
        [
            (["up"], "localdev", ["up", "--dir={cwd}/.perennial", "--port=0"]),
            (
                ["up", "--dir", "x", "--port", "8000", "--detach", "--duplicates=0.2"],
                "localdev",
                ["up", "--dir={cwd}/x", "--port=8000", "--duplicates=0.2", "--detach"],
            ),
            (["down", "--dir", "x"], "localdev", ["down", "--dir={cwd}/x"]),
            (["demo", "--keep"], "localdev.demo", ["--keep"]),
        ],
    )
    def test_it_is_a_process_that_gets_the_flags(
        self,
        run: Run,
        mocker: MockerFixture,
        tmp_path: Path,
        words: list[str],
        module: str,
        arguments: list[str],
    ) -> None:
        start = mocker.patch("subprocess.Popen")
        start.return_value.stdout = None
        start.return_value.stderr = io.StringIO("it rained\n")
        start.return_value.wait.return_value = 3
        ran = run(*words)

        assert (ran.code, ran.complaint) == (3, "perennial: it rained")
        (command,) = start.call_args.args
        expected = [argument.format(cwd=tmp_path) for argument in arguments]
        assert command == [sys.executable, "-m", module, *expected]

    def test_an_interruption_is_no_failure(self, run: Run, mocker: MockerFixture) -> None:
        start = mocker.patch("subprocess.Popen")
        start.return_value.stdout = None
        start.return_value.stderr = io.StringIO("")
        start.return_value.wait.return_value = 130
        ran = run("demo", "--json")

        assert (ran.code, ran.out, ran.err) == (130, "", "")

    def test_the_folder_may_come_from_the_environment(
        self, run: Run, mocker: MockerFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PERENNIAL_LOCAL", str(tmp_path / "elsewhere"))
        start = mocker.patch("subprocess.Popen")
        start.return_value.stdout = start.return_value.stderr = None
        start.return_value.wait.return_value = 0
        run("up")

        assert f"--dir={tmp_path}/elsewhere" in start.call_args.args[0]

    @pytest.mark.parametrize("form", [[], ["--json"]], ids=["lines", "json"])
    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            (["up", "--bogus"], "No such option: --bogus. See `perennial up --help`."),
            (["up", "--duplicates=2"], "--duplicates must be at least 0 and below 1"),
            (["up", "--tick", "often"], "argument --tick: invalid float value: 'often'"),
            (["up", "garden"], "No such argument: garden."),
            (["demo", "--bogus"], "No such option: --bogus. See `perennial demo --help`."),
        ],
    )
    def test_an_option_that_cannot_be_is_named(
        self, run: Run, words: list[str], complaint: str, form: list[str]
    ) -> None:
        ran = run(*words, *form)

        assert ran.code == 2
        assert ran.complaint.startswith(f"perennial: {complaint}")
        if form:
            assert json.loads(ran.out)["error"]["type"] == "UsageError"

    def test_a_cloud_that_does_not_start_is_one_line(self, run: Run) -> None:
        Path("taken").write_text("a file where its folder should be")
        ran = run("up", "--dir", "taken/cloud", "--detach", "--json")

        assert ran.code == 1
        assert "Traceback" not in ran.complaint
        assert str(Path("taken/cloud").absolute()) in ran.complaint

    def test_json_of_down_says_whether_something_ran(self, run: Run, tmp_path: Path) -> None:
        assert run("down", "--dir", tmp_path / "none", "--json").json == {
            "dir": str(tmp_path / "none"), "stopped": False,
        }  # fmt: skip
