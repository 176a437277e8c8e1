"""A model of one's own, from a folder beside its definition to answers over HTTP."""

from __future__ import annotations

import random
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

DEFINITION = """\
name: flowers
task: binary
columns:
  at: {type: timestamp, role: event_time}
  petals: {type: number}
  height: {type: number, nullable: true}
  bought: {type: boolean, role: label}
training: {model: "house_models.forest:make", parameters: {trees: 25}, seed: 7}
"""
FOREST = """\
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from house_models.sizes import DEPTH


def make(trees, random_state):
    numbers = make_column_transformer(("passthrough", ["petals", "height"]))
    return make_pipeline(
        numbers, RandomForestClassifier(trees, max_depth=DEPTH, random_state=random_state)
    )


def no_probabilities():
    return LinearSVC()
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder with a definition, and beside it the package that it names."""
    package = tmp_path / "house" / "house_models"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "sizes.py").write_text("DEPTH = 5\n")
    (package / "forest.py").write_text(FOREST)
    (package.parent / "flowers.yaml").write_text(DEFINITION)
    return package.parent


def visits(folder: Path, day: int, rows: int = 150) -> Path:
    """A file of one day, in which wide and tall flowers are bought."""
    chance = random.Random(day)
    lines = ["at,petals,height,bought"]
    for row in range(rows):
        petals, height = round(chance.uniform(0, 10), 3), round(chance.uniform(0, 50), 2)
        bought = petals + height / 10 + chance.gauss(0, 1) > 7.5
        gap = chance.random() < 0.1
        time = f"2026-03-{day:02}T{8 + row // 60:02}:{row % 60:02}:00"
        lines.append(f"{time},{petals},{'' if gap else height},{str(bought).lower()}")
    path = folder / f"day{day}.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_forest_of_ones_own_is_learned_and_served_as_scikit_learn_has_it(
    new_cloud, house, tmp_path
):
    new_cloud.up("--models", str(house))
    applied = new_cloud.json("apply", str(house / "flowers.yaml"))
    assert applied["model"]["package"] == "house_models"
    assert applied["model"]["deployed"] == applied["model"]["digest"]
    assert applied["model"]["probes"] > 100

    file = visits(tmp_path, 1)
    (run,) = new_cloud.json("drop", "flowers", str(file), "--wait")["runs"]
    assert (run["outcome"], run["version"]) == ("promoted", "v000001"), run

    frame = pd.read_csv(file)
    given = frame[["petals", "height"]].astype(np.float32)
    reference = RandomForestClassifier(25, max_depth=5, random_state=7)
    reference.fit(given, frame["bought"].astype(int))
    asked = [
        {"at": "2026-03-02T10:00:00Z", "petals": 9.1, "height": 40.0},
        {"at": "2026-03-02T10:00:00Z", "petals": 1.5, "height": 3.25},
        {"at": "2026-03-02T10:00:00Z", "petals": 5.0, "height": None},
    ]
    answer = new_cloud.predict("flowers", asked)
    assert answer.headers["X-Model-Version"] == "v000001"
    served = [one["probabilities"]["true"] for one in answer.json()["predictions"]]
    rows = pd.DataFrame(asked)[["petals", "height"]].astype(np.float32)
    np.testing.assert_allclose(served, reference.predict_proba(rows)[:, 1], atol=1e-5)

    rebuilt = new_cloud.json("rebuild", "flowers", "--verify")
    assert rebuilt["outcome"] == "equal", rebuilt

    # Its code changes, and the job gets it: what was made is not made again, and why is said.
    new_cloud.down()
    (house / "house_models" / "sizes.py").write_text("DEPTH = 1\n")
    new_cloud.up("--models", str(house))
    rebuilt = new_cloud.json("rebuild", "flowers", "--verify", code=3)
    assert [one["what"] for one in rebuilt["differences"]] == ["package house_models"]

    # The job loses it: the run fails and says why, and the champion serves on.
    new_cloud.down()
    new_cloud.up()
    dropped = new_cloud.json("drop", "flowers", str(visits(tmp_path, 2)), "--wait")
    (run,) = dropped["runs"]
    assert run["outcome"] == "failed"
    assert "house_models.forest:make may not be imported here" in run["reason"]
    assert new_cloud.predict("flowers", asked).headers["X-Model-Version"] == "v000001"
    predict = new_cloud.folder / "bundles" / "predict"
    assert not list(predict.rglob("*house_models*"))
    assert not (predict / "models").exists()


def test_what_cannot_serve_is_refused_before_it_is_in_force(new_cloud, house):
    new_cloud.up("--models", str(house))
    path = house / "flowers.yaml"

    def refused(model: str, folder: Path = house) -> str:
        text = DEFINITION.replace("house_models.forest:make", model)
        (folder / path.name).write_text(text.replace("parameters: {trees: 25}, ", ""))
        done = new_cloud.run("apply", str(folder / path.name), code=1)
        (line,) = done.stderr.splitlines()
        assert str(folder / path.name) in line
        return line.partition("training.model: ")[2]

    assert refused("house_models.forest:mak").endswith("did you mean make?")
    assert "a classifier with predict_proba" in refused("house_models.forest:no_probabilities")
    assert refused("os:system").startswith("expected the package os beside this file, found no")
    other = shutil.copytree(house / "house_models", house / "more_models").parent
    assert refused("more_models.forest:make", other).startswith(
        "the training job has no package more_models, only house_models"
    )
    assert new_cloud.json("status")["pipelines"] == []
    assert "house_models" not in sys.modules
