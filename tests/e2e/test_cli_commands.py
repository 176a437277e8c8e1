"""Every command once, in one story, on a whole local cloud: keys, exit codes, one-line failures."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml


def visits(week: int, rows: int = 120) -> bytes:
    """A week whose buyers can be told by their petals."""
    numbers = random.Random(week)
    lines = ["visit,petals,colour,bought"]
    for row in range(rows):
        petals = numbers.randint(0, 9)
        colour = numbers.choice(["red", "blue", "white"])
        bought = petals + numbers.gauss(0, 2) > 5
        lines.append(f"{week * 1000 + row},{petals},{colour},{str(bought).lower()}")
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weeks")
    for week in range(1, 7):
        (folder / f"week-{week}.csv").write_bytes(visits(week))
    (folder / "week-7.csv.gz").write_bytes(gzip.compress(visits(7)))
    return folder


@pytest.fixture(scope="module")
def flowers(cloud: Any, weeks: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A pipeline with a champion that has learned three weeks."""
    path = tmp_path_factory.mktemp("definition") / "flowers.yaml"
    cloud.run(
        "init", "flowers", "--sample", str(weeks / "week-1.csv"), "--label", "bought",
        "-o", str(path),
    )  # fmt: skip
    definition = yaml.safe_load(path.read_text())
    definition["columns"]["petals"]["rules"] = [{"range": [0, 9]}]
    definition["training"] = {"trigger": {"files": 3}}
    path.write_text(yaml.safe_dump(definition, sort_keys=False))
    applied = cloud.json("apply", str(path))
    assert (applied["pipeline"], applied["changed"]) == ("flowers", True)
    assert applied["gate"] == {"passed": True, "cases": 5}

    dropped = cloud.json("drop", "flowers", str(weeks / "week-[123].csv"), "--wait")

    names = [file["name"] for file in dropped["files"]]
    assert names == [f"flowers/week-{week}.csv" for week in (1, 2, 3)]
    assert [file["verdict"] for file in dropped["files"]] == ["accepted"] * 3
    assert {run["outcome"] for run in dropped["runs"]} == {"promoted"}
    assert all({"run", "outcome", "version"} <= run.keys() for run in dropped["runs"])
    return "flowers"


def test_status_tells_champion_score_and_verdicts(cloud: Any, flowers: str) -> None:
    status = cloud.json("status", flowers)

    assert status["champion"].startswith("v00000")
    assert status["age_seconds"] > 0
    assert status["counts"]["accepted"] >= 3
    assert status["champion"] in cloud.run("status", flowers).stdout
    assert flowers in {p["pipeline"] for p in cloud.json("status")["pipelines"]}


def test_versions_are_listed_and_explained(cloud: Any, flowers: str) -> None:
    listed = cloud.json("versions", flowers)["versions"]
    champion = cloud.json("status", flowers)["champion"]

    assert champion in [version["version"] for version in listed]
    explained = cloud.json("versions", flowers, "--explain", champion)
    assert explained["version"] == champion
    assert explained["evaluation"]
    assert champion in cloud.run("versions", flowers, "--explain", champion).stdout


def test_predictions_come_from_rows_and_from_instances(
    cloud: Any, flowers: str, weeks: Path
) -> None:
    by_file = cloud.json("predict", flowers, "--file", str(weeks / "week-7.csv.gz"))
    one = cloud.json(
        "predict", flowers, "--instances", '{"visit": 1, "petals": 9, "colour": "red"}'
    )

    assert len(by_file["predictions"]) == 120
    assert by_file["model_version"] == one["model_version"]
    (prediction,) = one["predictions"]
    assert prediction["label"] is True
    assert sum(prediction["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    failed = cloud.run("predict", flowers, "--instances", '{"petals": "many"}', check=False)
    assert failed.returncode == 1
    assert "petals" in failed.stderr
    assert len(failed.stderr.splitlines()) == 1


def test_the_gate_is_tried_and_the_champion_passes_its_five_tests(cloud: Any, flowers: str) -> None:
    tried = cloud.json("gate-test", flowers, "--seeds", "2")
    checked = cloud.json("check", flowers)

    assert tried["right"] == {
        "worse": 2, "better": 2, "identical": 2, "shuffled labels": 2, "learned by heart": 2
    }  # fmt: skip
    assert checked["version"] == cloud.json("status", flowers)["champion"]
    assert {test["test"]: test["result"] for test in checked["tests"]} == {
        "input data": "passed",
        "feature engineering": "passed",
        "quality of the new version": "passed",
        "serving infrastructure": "passed",
        "integration of the parts": "passed",
    }
    looks = {look["what"]: look for test in checked["tests"] for look in test["looks"]}
    assert looks["X-Model-Version"]["evidence"]["found"] == checked["version"]
    assert looks["look-up"]["evidence"]["seconds"] < 60
    assert "decides rightly" in cloud.run("gate-test", flowers).stdout
    assert "5. integration of the parts: passed" in cloud.run("check", flowers).stdout


def test_a_bad_file_is_shown_and_healed(
    cloud: Any, flowers: str, weeks: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_bytes(visits(20).replace(b",red,", b"9,red,"))
    (file,) = cloud.json("drop", flowers, str(bad), "--wait", code=3)["files"]
    assert file["verdict"] == "quarantined"
    assert file["report"].startswith("gs://perennial-quarantine/flowers/")

    held = cloud.json("quarantine", "list", flowers)["files"]
    assert "flowers/bad.csv" in [f["name"] for f in held]
    report = cloud.json("quarantine", "show", flowers, "flowers/bad.csv")
    assert "range" in [finding["rule"] for finding in report["findings"]]
    retried = cloud.json("quarantine", "retry", flowers, "bad.csv")["files"]
    assert [f["verdict"] for f in retried] == ["quarantined"]
    gone = cloud.json("quarantine", "discard", flowers, "bad.csv", "--why", "cents, not euros")
    assert [f["verdict"] for f in gone["files"]] == ["discarded"]
    assert cloud.run("quarantine", "show", flowers, "bad.csv", check=False).returncode == 1


def test_a_backfill_trains_once_and_retrain_trains_now(
    cloud: Any, flowers: str, weeks: Path, tmp_path: Path
) -> None:
    late = tmp_path / "late"
    late.mkdir()
    for week in (4, 5, 6):
        (late / f"week-{week}.csv").write_bytes(visits(week))
    dropped = cloud.json("drop", flowers, str(late), "--backfill", "--wait")
    assert [f["verdict"] for f in dropped["files"]] == ["accepted"] * 3
    assert len(dropped["runs"]) == 1

    cloud.run("drop", flowers, str(weeks / "week-7.csv.gz"), "--wait")
    run = cloud.json("retrain", flowers)
    assert run["outcome"] in ("promoted", "rejected")
    assert run["files"] == 1
    assert run["seconds"]


def test_a_rollback_pins_until_it_is_lifted(cloud: Any, flowers: str, weeks: Path) -> None:
    approved = [v for v in cloud.json("versions", flowers)["versions"] if v["status"] == "approved"]
    champion = cloud.json("status", flowers)["champion"]
    other = next(v["version"] for v in approved if v["version"] != champion)

    rolled = cloud.json("rollback", flowers, "--to", other, "--why", "to see it", "--by", "rosa")
    assert rolled["champion"] == other
    assert rolled["pinned"]["by"] == "rosa"
    assert cloud.json("status", flowers)["pinned"]["why"] == "to see it"
    assert cloud.json("unpin", flowers)["pinned"] is None


def test_a_sweep_finds_nothing_left_to_do(cloud: Any, flowers: str) -> None:
    swept = cloud.json("sweep", flowers)

    assert swept["judged"] == {}
    assert swept["errors"] == {}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["status", "flwrs"], "no pipeline 'flwrs'; there are: "),
        (["approve", "flowers"], "no version of flowers waits for approval"),
        (["unpin", "flowers"], "flowers is not pinned"),
        (["versions", "flowers", "--explain", "v999999"], "v999999"),
        (["rollback", "flowers", "--to", "v999999", "--why", "x"], "v999999"),
        (["retrain", "flwrs"], "no pipeline 'flwrs'"),
        (["predict", "flwrs", "--instances", "{}"], "flwrs"),
    ],
)
def test_a_failure_is_one_line_on_stderr(
    cloud: Any, flowers: str, words: list[str], complaint: str
) -> None:
    ran = cloud.run(*words, "--json", check=False)

    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert line == f"perennial: {json.loads(ran.stdout)['error']['message']}"
    assert complaint in line


def test_up_and_down_speak_json(new_cloud: Any) -> None:
    folder = str(new_cloud.folder)
    first = json.loads(new_cloud.run("up", "--dir", folder, "--detach", "--json").stdout)
    again = json.loads(new_cloud.run("up", "--dir", folder, "--detach", "--json").stdout)

    assert first == again == new_cloud.endpoints
    assert first["storage"].startswith("http://127.0.0.1:")
    assert new_cloud.json("status") == {"pipelines": [], "strays": []}
    assert new_cloud.json("down", "--dir", folder)["stopped"] is True
    assert new_cloud.json("down", "--dir", folder)["stopped"] is False
    ran = new_cloud.run("status", check=False)
    assert f"no local cloud runs in {folder}" in ran.stderr
