"""`perennial score`, with ingest and the job at work on the same buckets in memory."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from functions.train import main as job
from perennial.cli import context
from perennial.cli.main import main
from perennial.cli.score import as_csv
from perennial.domain.names import FileId
from perennial.domain.serving.batch import WAITING
from perennial.workflows.batch.answers import to_bytes
from perennial.workflows.batch.scoring import score_requested, score_waiting
from perennial.workflows.ingest import ingest
from tests.unit.batch.conftest import visits
from tests.unit.training.conftest import Taps


class Platform:
    """Starts what it is asked to at once, in this process, unless it is broken."""

    def __init__(self, taps: Taps) -> None:
        self.taps = taps
        self.asked: list[str] = []
        self.broken = False

    def launch(self, pipeline: str, *, force: bool = False) -> str:
        raise AssertionError("nothing is trained here")

    def launch_task(self, task: str, pipeline: str, subject: str) -> str:
        assert task == "score"
        self.asked.append("waiting" if subject == WAITING else "request")
        trainer = replace(self.taps.trainer, execution="train-1")
        if not self.broken:
            list(score_waiting(trainer, pipeline) if subject == WAITING else
                  score_requested(trainer, pipeline, subject))  # fmt: skip
        return "projects/p/locations/l/jobs/train/executions/train-1"

    def has_ended(self, execution: str) -> bool:
        return True


class Landing:
    """Tells ingest of every file."""

    def __init__(self, taps: Taps, platform: Platform) -> None:
        self.taps, self.platform, self.uploads = taps, platform, 0
        self.inner = taps.trainer.buckets.landing

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return getattr(self.inner, method)

    def overwrite(self, name: str, data: Any) -> Any:
        info = self.inner.overwrite(name, data)
        self.uploads += 1
        trainer = self.taps.trainer
        file = FileId(info.generation, name)
        ingest(trainer.buckets, trainer.registry, trainer.clock, file, self.platform)
        return info


@pytest.fixture
def platform(taps, monkeypatch) -> Platform:
    """A deployment with a champion."""
    taps.drop()
    taps.train()
    platform = Platform(taps)
    for role in context.BUCKETS:
        monkeypatch.setenv(f"PERENNIAL_{role.upper()}_BUCKET", role)
    for name in ("PERENNIAL_LOCAL", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    buckets = replace(taps.trainer.buckets, landing=Landing(taps, platform))
    monkeypatch.setattr(context, "open_buckets", lambda _: buckets)
    monkeypatch.setattr(context, "CloudRunJobs", lambda _: platform)
    monkeypatch.setattr(context, "SystemClock", lambda: taps.trainer.clock)
    return platform


@pytest.fixture
def run(capsys):
    def run(*words: str, code: int = 0) -> Any:
        assert main([*words, "--json"]) == code, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def february(tmp_path) -> Path:
    path = tmp_path / "feb.csv"
    path.write_text(visits(30))
    return path


def test_predictions_lie_beside_the_file_with_their_manifest(platform, run, february) -> None:
    (one,) = run("score", "taps", str(february))["files"]

    assert (one["outcome"], one["version"], one["rows"]) == ("scored", "v000001", 30)
    assert one["predictions"] == f"{february}.predictions.parquet"
    table = pq.read_table(one["predictions"])
    assert table.num_rows == 30
    manifest = json.loads(Path(one["manifest"]).read_text())
    assert manifest["file"]["name"] == one["name"]
    assert one["name"].startswith("taps/score/")
    assert one["object"] == f"gs://data/{manifest['predictions']}"
    assert platform.asked == ["waiting"]


def test_the_same_file_is_uploaded_and_scored_once(platform, run, february, tmp_path) -> None:
    first = run("score", "taps", str(february))
    again = run("score", "taps", str(february), "-o", str(tmp_path / "out"))

    assert platform.asked == ["waiting"]
    assert again["files"][0]["generation"] == first["files"][0]["generation"]
    before = Path(first["files"][0]["predictions"]).read_bytes()
    assert (tmp_path / "out" / "feb.csv.predictions.parquet").read_bytes() == before


def test_predictions_that_their_manifest_does_not_state_are_not_handed_out(
    taps, platform, run, february, tmp_path, capsys
) -> None:
    first = run("score", "taps", str(february))["files"][0]
    name = first["object"].removeprefix("gs://data/")
    data = taps.trainer.buckets.data
    data.overwrite(name, data.read(name).data + b" ")

    assert main(["score", "taps", str(february), "-o", str(tmp_path / "out")]) == 1
    assert f"{name} is not what its manifest states" in capsys.readouterr().err
    assert not (tmp_path / "out" / "feb.csv.predictions.parquet").exists()


def test_a_spreadsheet_can_read_them(platform, run, february) -> None:
    (one,) = run("score", "taps", str(february), "--format", "csv")["files"]
    with Path(one["predictions"]).open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 30
    assert list(rows[0]) == ["row", "prediction", "probability 0", "probability 1"]
    assert rows[4]["row"] == "5"


def test_no_cell_is_a_formula_to_a_spreadsheet() -> None:
    table = pa.table({
        "row": [1, 2, 3],
        "=key": ["=HYPERLINK(1)", None, "-5"],
        "prediction": pa.array(["@a", "b", "c"], pa.large_string()),
        "probability -": [-0.5, 1.0, 0.25],
    })  # fmt: skip
    rows = list(csv.reader(io.StringIO(as_csv(to_bytes(table)).decode())))
    assert rows == [
        ["row", "'=key", "prediction", "probability -"],
        ["1", "'=HYPERLINK(1)", "'@a", "-0.5"],
        ["2", "", "b", "1"],
        ["3", "-5", "c", "0.25"],
    ]


def test_another_approved_version_can_be_asked(platform, run, taps, february) -> None:
    while taps.head.champion == "v000001":
        taps.drop(rows=200)
        taps.train()
    champion = taps.head.champion
    (one,) = run("score", "taps", str(february), "--version", "v000001")["files"]
    assert one["version"] == "v000001"
    assert platform.asked == ["waiting", "request"]
    (other,) = run("score", "taps", str(february))["files"]
    assert other["version"] == champion
    assert platform.asked == ["waiting", "request"]  # ingest had it scored


def test_a_file_that_was_scored_before_the_champion_is_asked_for_anew(
    platform, run, taps, february
) -> None:
    run("score", "taps", str(february))
    while taps.head.champion == "v000001":
        taps.drop(rows=200)
        taps.train()
    (one,) = run("score", "taps", str(february))["files"]
    assert one["version"] == taps.head.champion
    assert platform.asked == ["waiting", "request"]


def test_a_bad_file_is_in_quarantine_and_the_others_are_scored(
    platform, february, tmp_path, capsys
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("at,heat,room\n2026-02-01,warm,a\n")
    assert main(["score", "taps", str(february), str(bad)]) == 3
    out, err = capsys.readouterr()
    assert f"{february}.predictions.parquet" in out
    assert "quarantined: " in out
    assert "1 of 2 not scored: `perennial quarantine show taps taps/score/" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--version", "v000009"), "no approved version 'v000009'; there are: v000001"),
        (("--patience", "0.01"), "1 of the files are not scored yet"),
        (("--version", "v000001"), "execution train-1 ended without a result"),
    ],
)
def test_what_does_not_come_about_is_one_line(platform, february, capsys, words, said) -> None:
    platform.broken = True
    assert main(["score", "taps", str(february), *words]) == 1
    assert said in capsys.readouterr().err


def test_without_a_champion_nothing_is_uploaded(
    platform, another, february, capsys, monkeypatch
) -> None:
    buckets = another().trainer.buckets
    monkeypatch.setattr(context, "open_buckets", lambda _: buckets)
    assert main(["score", "taps", str(february)]) == 1
    assert "no version of taps is approved yet" in capsys.readouterr().err
    assert not list(buckets.landing.list())


def test_status_tells_what_was_scored_and_what_waits(platform, run, february, capsys) -> None:
    scored = run("score", "taps", str(february))["files"][0]
    status = run("status", "taps")
    (one,) = status["scored"]["files"]
    assert (status["scored"]["waiting"], one["name"]) == (0, scored["name"])
    assert scored["object"] == f"gs://data/{one['predictions']}"
    platform.broken = True
    main(["score", "taps", _another(february), "--patience", "0.01"])
    capsys.readouterr()
    assert main(["status", "taps"]) == 0
    said = f"scored     1 file to be scored, last 30 rows of {scored['name']} by v000001"
    assert said in capsys.readouterr().out


def test_a_drop_of_one_says_where_its_predictions_come_to(platform, run, tmp_path) -> None:
    folder = tmp_path / "drops"
    (folder / "score").mkdir(parents=True)
    (folder / "score" / "week.csv").write_text(visits(5))
    (one,) = run("drop", "taps", str(folder), "--wait")["files"]
    assert (one["name"], one["verdict"]) == ("taps/score/week.csv", "to_score")
    prefix = one["predictions"].removeprefix("gs://data/")
    assert prefix.startswith(f"taps/predictions/{one['generation']:020d}-")
    assert len(list(platform.taps.trainer.buckets.data.list(prefix))) == 2


class TestTheJob:
    """Its entry point: which task it does, and what it says."""

    @pytest.fixture
    def job(self, taps, monkeypatch, capsys):
        for variable in ("PERENNIAL_PIPELINE", "PERENNIAL_FORCE"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setattr(job, "trainer", lambda _: taps.trainer)
        log = logging.getLogger("perennial")
        before = (log.handlers, log.level, log.propagate)

        def run(variable: str, value: str) -> tuple[int, list[dict[str, Any]]]:
            monkeypatch.setenv(variable, value)
            code = job.main()
            monkeypatch.delenv(variable)
            return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

        yield run
        log.handlers, log.level, log.propagate = before

    def test_it_tells_each_file(self, taps, to_score, job) -> None:
        taps.drop()
        taps.train()
        to_score()
        code, (line,) = job("PERENNIAL_SCORE", "taps/waiting")
        assert (code, line["severity"], line["outcome"]) == (0, "INFO", "scored")
        assert line["message"] == "v000001 predicted the 30 rows of taps/score/feb.csv"
        assert job("PERENNIAL_SCORE", "taps/waiting") == (0, [])

    def test_a_run_scores_what_waited_for_its_champion(self, taps, to_score, job) -> None:
        taps.drop()
        to_score()
        code, (run, scored) = job("PERENNIAL_PIPELINE", "taps")
        assert (code, run["outcome"], scored["outcome"]) == (0, "promoted", "scored")

    def test_a_request_that_cannot_be_done_is_one_line(self, taps, job) -> None:
        code, (line,) = job("PERENNIAL_SCORE", "taps/" + "0" * 64)
        assert (code, line["severity"]) == (1, "ERROR")


def _another(path: Path) -> str:
    other = path.with_name("march.csv")
    other.write_text(visits(10, seed=3))
    return str(other)
