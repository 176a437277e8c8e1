"""The README's own commands, as a reader would type them."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from perennial.cli.quarantine import quarantine

REPOSITORY = Path(__file__).resolve().parents[2]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


def own_data_commands() -> list[str]:
    """The shell lines under "Your own data", without the one that sets up."""
    section = (REPOSITORY / "README.md").read_text().split("## Your own data", 1)[1]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block
    return [line for line in block[1].splitlines() if line.startswith("perennial ")]


def quarantine_session() -> list[tuple[str, list[str]]]:
    """The walk-through of the quarantine: each command, with the lines that are shown of it."""
    text = (REPOSITORY / "README.md").read_text().split("## The quarantine, command by", 1)[1]
    block = re.search(r"```console\n(.*?)```", text, re.DOTALL)
    assert block
    session: list[tuple[str, list[str]]] = []
    for line in filter(None, block[1].splitlines()):
        if line.startswith("$ "):
            session.append((line.removeprefix("$ "), []))
        else:
            session[-1][1].append(line)
    return session


def as_shown(lines: list[str]) -> re.Pattern[str]:
    """What matches a command's output: an ellipsis stands for anything, a space for several."""
    pieces = [piece.split() for piece in " ".join(lines).split("…")]
    words = [r"\s+".join(map(re.escape, piece)) for piece in pieces]
    return re.compile(".*".join(words), re.DOTALL)


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


def run_in(folder: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Runs what a reader types in this folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    environment.pop("PERENNIAL_LOCAL", None)
    return lambda command: subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_the_commands_for_ones_own_data_work_as_they_stand(shop_floor):
    run = run_in(shop_floor)
    said = {}
    try:
        for command in own_data_commands():
            done = run(command)
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            said[command.split()[1]] = done.stdout
    finally:
        run("perennial down")
    assert said["drop"].count("accepted") == 2
    assert "promoted v000001" in said["drop"]
    assert "champion   v000001" in said["status"]
    assert "v000001" in said["predict"]
    assert float(re.findall(r"\d+\.\d+", said["predict"])[0]) > 150  # a Friday


def test_the_walk_through_the_quarantine_says_what_it_shows(tmp_path):
    """Every command of the hospital, on real cases; those that fail say why."""
    (tmp_path / "localdev").symlink_to(REPOSITORY / "localdev")
    run = run_in(tmp_path)
    session = quarantine_session()
    try:
        for command, shown in session:
            done = run(command)
            failed = [line for line in shown if line.startswith("perennial: ")]
            assert bool(done.returncode) == bool(failed), f"{command}\n{done.stdout}{done.stderr}"
            said = done.stdout + (done.stderr if failed else "")
            assert as_shown(shown).search(said), f"{command}\n{shown}\n{said}"
    finally:
        run("perennial down")
    commands = "\n".join(command for command, _ in session)
    for verb in quarantine.commands:
        assert f"perennial quarantine {verb} " in commands
