"""A model that was trained elsewhere, handed in to a static pipeline of a whole local cloud."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression

DEFINITION = """
name: flowers
task: binary
columns:
  seen: {type: timestamp, role: event_time}
  petals: {type: integer}
  colour: {type: category}
  bought: {type: integer, role: label, classes: [0, 1]}
training: {mode: static, span: {files: 50}}
"""


def visits(week: int, rows: int = 120) -> list[tuple[int, str, int]]:
    """Petals, colour, and whether it was bought: whoever counts petals can tell."""
    numbers = random.Random(week)
    found = []
    for _ in range(rows):
        petals = numbers.randint(0, 9)
        bought = int(petals + numbers.gauss(0, 2) > 5)
        found.append((petals, numbers.choice(["red", "blue", "white"]), bought))
    return found


def as_csv(week: int) -> str:
    lines = ["seen,petals,colour,bought"]
    lines += [f"2026-01-{week:02d}T{n // 60:02d}:{n % 60:02d}:00,{p},{c},{b}"
              for n, (p, c, b) in enumerate(visits(week))]  # fmt: skip
    return "\n".join(lines) + "\n"


@pytest.fixture
def model(tmp_path) -> Path:
    """What somebody trained on a week that this system never saw, by scikit-learn and skl2onnx."""
    rows = visits(99, rows=500)
    petals = np.array([[petals] for petals, _, _ in rows], dtype=np.float32)
    fitted = LogisticRegression().fit(petals, [bought for _, _, bought in rows])
    graph = to_onnx(fitted, initial_types=[("petals", FloatTensorType([None, 1]))], target_opset=18)
    path = tmp_path / "elsewhere.onnx"
    path.write_bytes(graph.SerializeToString())
    return path


def test_it_is_judged_serves_and_is_scored_as_any_version(new_cloud, model, tmp_path):
    new_cloud.up()
    (tmp_path / "flowers.yaml").write_text(DEFINITION)
    new_cloud.run("apply", str(tmp_path / "flowers.yaml"))
    for week in range(1, 5):
        (tmp_path / f"week-{week}.csv").write_text(as_csv(week))
    dropped = new_cloud.json(
        "drop", "flowers", *(str(tmp_path / f"week-{w}.csv") for w in (1, 2, 3)), "--wait"
    )
    assert dropped["runs"] == []
    assert new_cloud.json("status", "flowers")["waiting"] == ["training.span needs 50 files, has 3"]

    (tmp_path / "broken.onnx").write_bytes(model.read_bytes()[:200])
    refused = new_cloud.json("import", "flowers", str(tmp_path / "broken.onnx"), code=1)
    assert (refused["outcome"], refused["version"]) == ("refused", None)

    words = ("import", "flowers", str(model), "--trained-through", "2026-01-01", "--why", "ours")
    found = new_cloud.json(*words)
    assert (found["outcome"], found["version"], found["status"]) == (
        "promoted",
        "v000001",
        "approved",
    )
    assert (found["rows"], found["against"], found["before"]) == (240, None, False)
    assert new_cloud.json(*words)["before"]

    answer = new_cloud.predict("flowers", [{"petals": 9, "colour": "red"}, {"petals": 0}])
    assert answer.status_code == 200, answer.text
    likely, unlikely = (one["probabilities"]["1"] for one in answer.json()["predictions"])
    assert likely > 0.8
    assert unlikely < 0.2
    assert answer.headers["X-Model-Version"] == "v000001"

    (run,) = new_cloud.json("drop", "flowers", str(tmp_path / "week-4.csv"), "--wait")["runs"]
    assert run["outcome"] == "scored"
    status = new_cloud.json("status", "flowers")
    assert (status["champion"], status["ageing"]["version"]) == ("v000001", "v000001")
    explained = new_cloud.json("versions", "flowers", "--explain", "v000001")
    (entry,) = explained["history"]
    assert entry["action"] == "import"
    assert entry["why"].startswith("ours; ")
