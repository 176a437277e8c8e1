"""kill -9 of the whole local cloud in the middle of a drop."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

PERENNIAL = Path(sys.executable).with_name("perennial")


def test_after_a_kill_every_file_ends_with_its_verdict_and_nothing_twice(new_cloud, bike, tmp_path):
    new_cloud.up()
    definition = tmp_path / "bike.yaml"
    new_cloud.run("init", "bike", "--sample", str(bike[0]), "--label", "cnt", "-o", str(definition))
    new_cloud.run("apply", str(definition))
    files = bike[:10]
    with subprocess.Popen(
        [PERENNIAL, "drop", "bike", *map(str, files)],
        env={**os.environ, "PERENNIAL_LOCAL": str(new_cloud.folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as drop:
        while sum(new_cloud.json("status", "bike")["counts"].values()) < 2:
            time.sleep(0.05)
        new_cloud.kill()
        new_cloud.up("--tick", "2")
        _, complaint = drop.communicate(timeout=120)
    # The drop itself survives, or says what it could not upload; then it is simply done again.
    again = files if drop.returncode else []
    dropped = new_cloud.json("drop", "bike", *map(str, again or files[-1:]), "--wait")
    assert {f["verdict"] for f in dropped["files"]} <= {"accepted", "duplicate"}, complaint

    status = new_cloud.json("status", "bike")
    assert status["counts"]["accepted"] == 10
    champion = new_cloud.json("versions", "bike", "--explain", status["champion"])
    assert sorted(Path(f["name"]).name for f in champion["files"]) == [f.name for f in files]
