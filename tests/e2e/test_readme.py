"""The README's own commands, as a reader would type them."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


def own_data_commands() -> list[str]:
    """The shell lines under "Your own data", without the one that sets up."""
    section = (REPOSITORY / "README.md").read_text().split("## Your own data", 1)[1]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block
    return [line for line in block[1].splitlines() if line.startswith("perennial ")]


@pytest.fixture
def shop_floor(tmp_path) -> Path:
    """A folder with three months of sales."""
    chance = random.Random(1)
    for month in ("jan", "feb", "mar"):
        lines = ["price,weekday,revenue"]
        for _ in range(120):
            price, weekday = round(chance.uniform(5, 20), 2), chance.choice(WEEKDAYS)
            revenue = round(price * (30 if weekday == "Friday" else 12) + chance.gauss(0, 5), 2)
            lines.append(f"{price},{weekday},{revenue}")
        (tmp_path / f"{month}.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_the_commands_for_ones_own_data_work_as_they_stand(shop_floor):
    commands = own_data_commands()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    environment.pop("PERENNIAL_LOCAL", None)
    said = {}
    try:
        for command in commands:
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=shop_floor,
                env=environment,
                capture_output=True,
                text=True,
                timeout=180,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            said[command.split()[1]] = done.stdout
    finally:
        subprocess.run(
            ["bash", "-c", "perennial down"], cwd=shop_floor, env=environment, check=False
        )
    assert said["drop"].count("accepted") == 2
    assert "promoted v000001" in said["drop"]
    assert "champion   v000001" in said["status"]
    assert "v000001" in said["predict"]
    assert float(re.findall(r"\d+\.\d+", said["predict"])[0]) > 150  # a Friday
