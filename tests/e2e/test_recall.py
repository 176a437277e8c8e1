"""A file is recalled on the whole local cloud: by one command, and predict follows."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

BAD = 5  # the file that is recalled, of eight
PATIENCE = 120.0


@pytest.fixture(scope="module")
def weekly(cloud: Any, bike: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Eight weeks of bike, each learned before the next came."""
    files = bike[:8]
    path = tmp_path_factory.mktemp("definition") / "bike.yaml"
    cloud.run("init", "bike", "--sample", str(files[0]), "--label", "cnt", "-o", str(path))
    cloud.run("apply", str(path))
    for file in files:
        cloud.run("drop", "bike", str(file), "--wait")
    return files


def learned(cloud: Any, version: str) -> list[str]:
    files = cloud.json("versions", "bike", "--explain", version)["files"]
    return [file["name"].removeprefix("bike/") for file in files if file["used"]]


def settled(cloud: Any) -> dict[str, Any]:
    """The status once no run is at work and none is due."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        status = cloud.json("status", "bike")
        if status["run"] is None and not any("is due" in one for one in status["waiting"]):
            return status
        time.sleep(0.5)
    raise AssertionError(f"training did not come to rest: {status['waiting']}, {status['run']}")


def test_from_a_file_to_a_champion_that_never_saw_it_and_back(
    cloud: Any, weekly: list[Path], tmp_path: Path
) -> None:
    bad = weekly[BAD]
    versions = cloud.json("versions", "bike")["versions"]
    approved = [v["version"] for v in versions if v["status"] == "approved"]
    tainted = [version for version in approved if bad.name in learned(cloud, version)]
    clean = [version for version in approved if version not in tainted]
    assert tainted
    words = ("recall", "bike", bad.name, "--why", "a sensor stood in the sun")

    dry = cloud.json(*words, "--dry-run")
    assert [one["version"] for one in dry["versions"]] == tainted
    assert cloud.json("status", "bike")["champion"] == tainted[-1]

    done = cloud.json(*words)
    assert done["versions"] == dry["versions"]
    assert (done["before"], done["champion"]) == (tainted[-1], clean[-1])
    assert done["run"]
    status = settled(cloud)
    assert status["champion"] not in approved
    assert status["counts"] == {"accepted": 7, "quarantined": 1}
    assert learned(cloud, status["champion"]) == [f.name for f in weekly if f != bad]
    again = cloud.json(*words)
    assert (again["already"], again["champion"]) == (True, status["champion"])

    row = {"hr": 17, "temp": 0.5, "hum": 0.5, "event_time": "2011-02-01T17:00:00Z"}
    assert cloud.predict("bike", [row]).json()["model_version"] == status["champion"]
    assert cloud.predict("bike", [row], version=tainted[-1]).status_code == 404

    held = cloud.json("quarantine", "show", "bike", bad.name, "--original", str(tmp_path / "back"))
    assert [finding["rule"] for finding in held["findings"]] == ["recalled"]
    assert (tmp_path / "back").read_bytes() == bad.read_bytes()
    copy = tmp_path / "the same.csv"
    copy.write_bytes(bad.read_bytes())
    (file,) = cloud.json("drop", "bike", str(copy), "--wait", code=3)["files"]
    assert file["verdict"] == "quarantined"
    assert "which was recalled by" in file["reason"]

    cloud.run("quarantine", "release", "bike", bad.name, "--why", "it stood in the shade")
    status = settled(cloud)
    assert status["counts"] == {"accepted": 8, "quarantined": 1}
    assert status["runs"][-1]["files"] == 1
    listed = {v["version"]: v["status"] for v in cloud.json("versions", "bike")["versions"]}
    assert {listed[version] for version in tainted} == {"recalled"}
