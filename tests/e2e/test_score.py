"""Files that are scored by a whole local cloud: asked for, dropped, and scored again."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow.parquet as pq
import requests

DEFINITION = """
name: flowers
task: binary
columns:
  seen: {type: timestamp, role: event_time}
  visit: {type: integer, role: key}
  petals: {type: integer}
  bought: {type: integer, role: label, classes: [0, 1]}
training: {model: linear, min_rows: 40}
serving: {rescore: latest, lookup: true}
"""


def visits(week: int, *, label: bool = True, wrong: bool = False, rows: int = 120) -> str:
    numbers = random.Random(week)
    lines = ["seen,visit,petals" + ",bought" * label]
    for n in range(rows):
        petals = numbers.randint(0, 9)
        bought = int(petals + numbers.gauss(0, 1) > 5) ^ wrong
        line = f"2026-01-{week:02d}T{n // 60:02d}:{n % 60:02d}:00,{week * 1000 + n},{petals}"
        lines.append(line + f",{bought}" * label)
    return "\n".join(lines) + "\n"


def test_files_are_scored_as_requests_are_answered_and_again_by_the_next_champion(
    new_cloud, tmp_path
) -> None:
    def written(name: str, text: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    new_cloud.up()
    new_cloud.run("apply", written("flowers.yaml", DEFINITION))
    early = written("drops/score/early.csv", visits(20, label=False))
    new_cloud.run("drop", "flowers", str(Path(early).parents[1]), "--wait")
    assert new_cloud.json("status", "flowers")["scored"] == {"waiting": 1, "files": []}

    new_cloud.run("drop", "flowers", written("1.csv", visits(1, wrong=True)), "--wait")
    asked = new_cloud.json("score", "flowers", written("ask.csv", visits(21, label=False)))
    (one,) = asked["files"]
    assert (one["outcome"], one["version"], one["rows"]) == ("scored", "v000001", 120)
    table = pq.read_table(one["predictions"])
    answer = new_cloud.predict(
        "flowers",
        [{"seen": "2026-01-21T00:00:00", "petals": n} for n in (3,)],
        version="v000001",
    ).json()
    likely = {
        row["probability 1"]
        for row, line in zip(
            table.to_pylist(), visits(21, label=False).splitlines()[1:], strict=True
        )
        if line.endswith(",3")
    }
    assert answer["predictions"][0]["probabilities"]["1"] in likely
    assert table["visit"].to_pylist() == [21000 + n for n in range(120)]

    looked_up = f"{new_cloud.endpoints['predict']}/v1/models/flowers/predictions/21007"
    found = requests.get(looked_up, timeout=30).json()
    assert (found["row"], found["model_version"], found["file"]) == (8, "v000001", one["name"])
    assert found["prediction"]["label"] == table["prediction"][7].as_py()

    scored = new_cloud.json("status", "flowers")["scored"]
    assert scored["waiting"] == 0
    assert {file["name"].rsplit("/", 1)[1] for file in scored["files"]} == {"early.csv", "ask.csv"}

    week = 1
    while new_cloud.json("status", "flowers")["champion"] == "v000001":
        week += 1
        assert week < 12
        file = written(f"{week}.csv", visits(week))
        new_cloud.run("drop", "flowers", file, "--wait")
    champion = new_cloud.json("status", "flowers")["champion"]
    again = new_cloud.json("score", "flowers", str(tmp_path / "ask.csv"), "-o", str(tmp_path / "o"))
    assert again["files"][0]["version"] == champion
    assert requests.get(looked_up, timeout=30).json()["model_version"] == champion
    by = {file["version"] for file in new_cloud.json("status", "flowers")["scored"]["files"]}
    assert by == {"v000001", champion}
