"""The command and the job's entry point, over the same buckets in memory."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest

from functions.train import main as job
from perennial.cli import context
from perennial.cli.main import main
from perennial.domain.versioning.rebuilding import ALL
from perennial.errors import LaunchError
from perennial.workflows.rebuild import rebuild, record

from .conftest import LINEAR, Launcher


class Platform(Launcher):
    """Runs the job's work at once, in this process, or breaks off."""

    def __init__(self, trainer) -> None:
        self.trainer = trainer
        self.breaks = False
        self.asked: list[tuple[str, str]] = []

    def launch_task(self, task: str, pipeline: str, subject: str) -> str:
        assert task == "rebuild"
        self.asked.append((pipeline, subject))
        every = ["v000001", "v000002"] if subject == ALL else [subject]
        for one in every[: -1 if self.breaks else None]:
            trainer = replace(self.trainer, execution="train-abc12")
            record(trainer, rebuild(trainer, pipeline, one))
        return "projects/p/locations/l/jobs/train/executions/train-abc12"

    def has_ended(self, execution: str) -> bool:
        return True


@pytest.fixture
def platform(stalls, monkeypatch) -> Platform:
    """A deployment in memory, with two versions."""
    stalls.apply(LINEAR)
    for rows in (100, 150):
        stalls.drop(rows=rows)
        stalls.train()
    platform = Platform(stalls.trainer)
    for role in context.BUCKETS:
        monkeypatch.setenv(f"PERENNIAL_{role.upper()}_BUCKET", role)
    for name in ("PERENNIAL_LOCAL", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(context, "open_buckets", lambda _: stalls.trainer.buckets)
    monkeypatch.setattr(context, "CloudRunJobs", lambda _: platform)
    return platform


@pytest.fixture
def run(capsys):
    def run(*words: str) -> tuple[int, str, str]:
        code = main(["rebuild", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_an_equal_version_ends_with_0(platform, run):
    code, out, err = run("stalls", "v000001", "--verify", "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["outcome"] == "equal"
    assert document["rebuilt"] == document["recorded"]
    assert document["predictions"]["changed"] == document["serving"]["changed"] == 0
    assert (document["pipeline"], document["version"]) == ("stalls", "v000001")
    assert document["differences"] == []


def test_without_a_version_it_is_the_champion(platform, run):
    code, out, _ = run("stalls", "--verify")
    assert code == 0
    assert platform.asked == [("stalls", "v000002")]
    assert out.startswith("version    v000002: the same, bit for bit\n")
    assert "differs    nothing of what is on record about its environment\n" in out


def test_an_equal_version_in_another_environment_ends_with_0_and_names_it(platform, run):
    platform.trainer = replace(
        platform.trainer, environment={**platform.trainer.environment, "numpy": "9.0"}
    )
    code, out, _ = run("stalls", "--verify")
    assert code == 0
    assert "differs    numpy 9.0, was 2.4.6\n" in out


def test_another_result_ends_with_3_and_one_line(platform, run, stalls):
    """Another file's rows lie where its own did."""
    first, second = (file.rows_object for file in stalls.lineage("v000002").files)
    data = stalls.trainer.buckets.data
    data.overwrite(first, data.read(second).data)
    code, out, err = run("stalls", "v000001", "--verify", "--json")
    assert code == 3
    document = json.loads(out)
    assert document["outcome"] == "different"
    assert document["predictions"]["changed"] > 0
    assert [one["file"] for one in document["differences"]] == ["stalls/day0.csv"]
    assert err.startswith("perennial: stalls v000001: another graph: ")


def test_one_that_cannot_be_rebuilt_ends_with_1_and_names_what_is_gone(platform, run, stalls):
    (file,) = stalls.lineage("v000001").files
    stalls.trainer.buckets.data.delete(file.rows_object)
    code, out, err = run("stalls", "v000001", "--verify")
    assert code == 1
    assert f"gone       {file.name} ({file.rows_object})\n" in out
    assert err == (
        "perennial: stalls v000001 cannot be rebuilt: 1 file that it learned is gone: "
        "stalls/day0.csv\n"
    )
    code, out, _ = run("stalls", "v000001", "--verify", "--json")
    assert (code, json.loads(out)["missing"]) == (1, {file.name: file.rows_object})


class TestEveryVersion:
    """`--all`: one execution for all of them."""

    def test_all_that_are_equal_end_with_0_and_are_counted(self, platform, run):
        code, out, err = run("stalls", "--all", "--verify")
        assert (code, err) == (0, "")
        assert platform.asked == [("stalls", ALL)]
        assert out.endswith("\n2 of 2 versions rebuilt bit for bit\n")

    def test_the_document_holds_each_result(self, platform, run):
        code, out, _ = run("stalls", "--all", "--verify", "--json")
        assert code == 0
        document = json.loads(out)
        assert (document["equal"], document["different"], document["impossible"]) == (2, 0, 0)
        found = [(one["version"], one["outcome"]) for one in document["versions"]]
        assert found == [("v000001", "equal"), ("v000002", "equal")]

    def test_one_that_differs_ends_with_3_and_is_named(self, platform, run, stalls):
        """Another file's rows lie where its own did, so that what learned both lacks some."""
        first, second = (file.rows_object for file in stalls.lineage("v000002").files)
        data = stalls.trainer.buckets.data
        data.overwrite(first, data.read(second).data)
        code, out, err = run("stalls", "--all", "--verify")
        assert code == 3
        assert "\n0 of 2 versions rebuilt bit for bit\n" in out
        assert err.startswith("perennial: stalls: 2 of 2 versions came out otherwise, 0 cannot ")

    def test_one_that_cannot_be_rebuilt_ends_with_1(self, platform, run, stalls):
        for file in stalls.lineage("v000001").files:
            stalls.trainer.buckets.data.delete(file.rows_object)
        code, _, err = run("stalls", "--all", "--verify")
        assert code == 1
        assert "the first is v000001: 1 file that it learned is gone: stalls/day0.csv" in err

    def test_an_execution_that_breaks_off_is_one_line(self, platform, run):
        platform.breaks = True
        code, out, err = run("stalls", "--all", "--verify")
        assert (code, out) == (1, "")
        assert err == "perennial: execution train-abc12 ended without a result; see its log\n"

    def test_a_pipeline_without_versions_has_nothing_to_rebuild(self, platform, run, stalls):
        stalls.registry.commit(
            "stalls", lambda head: replace(head, statuses={}), action="t", by="t"
        )
        assert "stalls has no version yet" in run("stalls", "--all", "--verify")[2]
        assert platform.asked == []


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (("stalls", "v000001", "--all", "--verify"), 2, "--all is every version: leave out"),
        (("stalls",), 2, "a rebuilt version is only compared, never stored: add --verify."),
        (("stalls", "v9", "--verify"), 1, "stalls has no version v9"),
        (("stall", "--verify"), 1, "no pipeline 'stall'; there are: stalls"),
    ],
)
def test_a_wrong_request_starts_nothing(platform, run, words, code, complaint):
    ended, _, err = run(*words)
    assert (ended, platform.asked) == (code, [])
    assert complaint in err


def test_a_pipeline_without_a_champion_asks_for_a_version(platform, run, stalls):
    stalls.registry.commit(
        "stalls", lambda head: replace(head, champion=None), action="reject", by="t"
    )
    assert "stalls has no champion yet; name a version" in run("stalls", "--verify")[2]


def test_an_execution_that_breaks_off_is_one_line(platform, run):
    """As one of a release that does not know what it was asked."""
    platform.breaks = True
    code, _, err = run("stalls", "--verify")
    assert code == 1
    assert err == "perennial: execution train-abc12 ended without a result; see its log\n"


def test_a_platform_that_refuses_is_one_line(platform, run, monkeypatch):
    def refuse(task: str, pipeline: str, subject: str) -> str:
        raise LaunchError("start jobs/train: 403 denied")

    monkeypatch.setattr(platform, "launch_task", refuse)
    assert run("stalls", "--verify") == (1, "", "perennial: start jobs/train: 403 denied\n")


class TestTheJob:
    """Its entry point, told by the environment what to do."""

    @pytest.fixture
    def lines(self, platform, stalls, monkeypatch, capsys):
        monkeypatch.delenv("PERENNIAL_PIPELINE", raising=False)
        monkeypatch.setattr(job, "trainer", lambda _: stalls.trainer)
        log = logging.getLogger("perennial")
        before = (log.handlers, log.level, log.propagate)

        def run(wanted: str) -> tuple[int, list[dict]]:
            monkeypatch.setenv("PERENNIAL_REBUILD", wanted)
            code = job.main()
            return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

        yield run
        log.handlers, log.level, log.propagate = before

    def test_it_writes_its_result_and_one_line_and_commits_nothing(self, lines, stalls):
        head = stalls.head
        code, (line,) = lines("stalls/v000001")
        assert code == 0
        assert (line["severity"], line["outcome"]) == ("INFO", "equal")
        assert line["object"] == "stalls/rebuilds/v000001/job-1.json"
        assert json.loads(stalls.trainer.buckets.data.read(line["object"]).data)["execution"]
        assert stalls.head == head

    def test_all_versions_are_a_line_each(self, lines):
        code, found = lines("stalls/all")
        assert code == 0
        assert [(one["version"], one["outcome"]) for one in found] == [
            ("v000001", "equal"),
            ("v000002", "equal"),
        ]

    def test_what_cannot_be_rebuilt_is_a_warning_and_a_result(self, lines, stalls):
        (file,) = stalls.lineage("v000001").files
        stalls.trainer.buckets.data.delete(file.rows_object)
        code, (line,) = lines("stalls/v000001")
        assert code == 0
        assert (line["severity"], line["outcome"]) == ("WARNING", "impossible")

    def test_a_version_that_does_not_exist_is_an_error(self, lines):
        code, (line,) = lines("stalls/v000009")
        assert code == 1
        assert (line["severity"], line["pipeline"]) == ("ERROR", "stalls")
        assert line["reason"] == "NotFoundError: stalls has no version v000009"
