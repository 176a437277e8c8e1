"""bike's 106 files at once, in random order, with a fifth of the events delivered twice."""

from __future__ import annotations

import hashlib
import random
import shutil

import pytest

pytestmark = pytest.mark.stream


def test_a_storm_ends_with_every_file_learned_exactly_once(new_cloud, bike, tmp_path):
    new_cloud.up("--duplicates", "0.2", "--shuffle", "20", "--delay", "0.5", "--seed", "7")
    definition = tmp_path / "bike.yaml"
    new_cloud.run("init", "bike", "--sample", str(bike[0]), "--label", "cnt", "-o", str(definition))
    new_cloud.run("apply", str(definition))
    shuffled = random.Random(7).sample(bike, len(bike))
    folder = tmp_path / "files"
    folder.mkdir()
    for number, file in enumerate(shuffled):
        shutil.copy(file, folder / f"{number:03d}_{file.name}")

    dropped = new_cloud.json("drop", "bike", str(folder), "--wait")

    assert [f["verdict"] for f in dropped["files"]] == ["accepted"] * 106
    status = new_cloud.json("status", "bike")
    assert status["counts"] == {"accepted": 106}
    champion = new_cloud.json("versions", "bike", "--explain", status["champion"])
    learned = [file["sha256"] for file in champion["files"]]
    assert sorted(learned) == sorted(hashlib.sha256(f.read_bytes()).hexdigest() for f in bike)
    assert champion["trained_rows"] == sum(len(f.read_text().splitlines()) - 1 for f in bike)
