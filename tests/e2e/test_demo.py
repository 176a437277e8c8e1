"""`perennial demo` as people run it: its facts, and that it fails when a part stands still."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

PERENNIAL = Path(sys.executable).with_name("perennial")
COIN_TOSS = 0.693


def processes_of(cloud: Path) -> list[psutil.Process]:
    """The processes of the local cloud in this folder, told by what it gives them."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("LOCALDEV_DIR") == str(cloud):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The facts of one whole telling, and whether the cloud was down when it ended."""
    cloud = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [PERENNIAL, "demo", "--dir", str(cloud), "--json"],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"left": [p.cmdline() for p in processes_of(cloud)]}


def test_every_week_is_accepted_once(demo: dict[str, Any]) -> None:
    accepted = [week["week"] for week in demo["weeks"] if week["verdict"] == "accepted"]
    assert len(accepted) == len(set(accepted)) == 35


def test_the_three_bad_files_and_nothing_else_are_quarantined(demo: dict[str, Any]) -> None:
    verdicts = {(week["mishap"], week["verdict"]) for week in demo["weeks"]}
    assert verdicts == {
        (None, "accepted"),
        ("truncated", "quarantined"),
        ("html", "quarantined"),
        ("cents", "quarantined"),
    }


def test_reports_name_the_rule_that_was_broken(demo: dict[str, Any]) -> None:
    mishaps = {week["name"]: week["mishap"] for week in demo["weeks"] if week["mishap"]}
    rules = {
        mishaps[report["name"]]: {finding["rule"] for finding in report["findings"]}
        for report in demo["quarantined"]
    }
    assert rules["cents"] == {"range", "unit_change"}
    assert all(rules[mishap] for mishap in ("truncated", "html"))
    [cents] = [r for r in demo["quarantined"] if mishaps[r["name"]] == "cents"]
    assert "basket_eur" in cents["findings"][0]["message"]


def test_versions_follow_each_other_into_service(demo: dict[str, Any]) -> None:
    champions = [run["champion"] for run in demo["runs"]]
    assert champions[0] == "v000001"
    assert champions == sorted(champions)
    assert len(set(champions)) >= 3


def test_every_week_after_summer_was_predicted_before_it_was_learned(demo: dict[str, Any]) -> None:
    serving = None
    scored = []
    for run in demo["runs"]:
        assert {score["version"] for score in run["scored"]} <= {serving}
        scored += [score["week"] for score in run["scored"]]
        serving = run["champion"]
    weeks = {week["week"] for week in demo["weeks"] if week["week"] >= "2025-09"}
    assert sorted(scored) == sorted(weeks)


def test_february_shows_why(demo: dict[str, Any]) -> None:
    """The model of July and August is worse than a coin toss then, the champion far better."""
    months = {month["month"]: month for month in demo["months"]}
    assert months["2025-09"]["static"] < COIN_TOSS
    assert months["2026-02"]["static"] > 1.1 * COIN_TOSS
    assert months["2026-02"]["dynamic"] < 0.8 * COIN_TOSS


def test_rollback_and_return_show_in_the_answers(demo: dict[str, Any]) -> None:
    before, rolled_back, returned = demo["served"]
    assert rolled_back["version"] == "v000001"
    assert before["version"] == returned["version"] == demo["runs"][-1]["champion"]
    assert before["bought"] == returned["bought"]
    assert rolled_back["bought"] < before["bought"] - 0.2


def test_curl_gets_the_same_prediction(demo: dict[str, Any]) -> None:
    answer = demo["prediction"]["answer"]
    assert answer["model_version"] == demo["served"][-1]["version"]
    assert answer["predictions"][0]["probabilities"]["true"] == demo["served"][-1]["bought"]


def test_nothing_runs_afterwards(demo: dict[str, Any]) -> None:
    assert not demo["left"]


def begin(cloud: Path) -> subprocess.Popen[str]:
    """Start a story, and return when its local cloud is up."""
    telling = subprocess.Popen(
        [PERENNIAL, "demo", "--dir", str(cloud), "--patience", "15"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert telling.stdout
    assert any("perennial apply" in line for line in telling.stdout)
    return telling


@pytest.mark.parametrize(
    ("module", "name"), [("localdev.delivery", "event delivery"), ("localdev.jobs", "job runner")]
)
def test_the_story_ends_with_a_clear_line_when_a_part_stands_still(
    tmp_path: Path, module: str, name: str
) -> None:
    """Frozen, not killed: the supervisor would start a killed part again."""
    telling = begin(tmp_path)
    [part] = [process for process in processes_of(tmp_path) if module in process.cmdline()]
    part.send_signal(signal.SIGSTOP)

    _, complaint = telling.communicate(timeout=180)

    assert telling.returncode == 1
    assert name in complaint
    assert str(tmp_path / "logs") in complaint
    assert len(complaint.strip().splitlines()) == 1
    assert not processes_of(tmp_path)


def test_an_interrupted_story_takes_its_cloud_down(tmp_path: Path) -> None:
    telling = begin(tmp_path)
    telling.terminate()
    _, complaint = telling.communicate(timeout=60)
    assert telling.returncode == 130
    assert not complaint
    assert not processes_of(tmp_path)
