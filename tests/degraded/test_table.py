"""The README's table of parts that may be gone: each row has its test, and names what there is."""

from __future__ import annotations

import re
from pathlib import Path

from localdev.settings import ROOT
from tests.degraded import test_degraded, test_processes

HEADING = "## When a part is gone"
NOT_ROWS = {
    "test_a_part_that_oversteps_is_refused",
    "test_no_part_was_refused_anything",
    "test_no_secret_is_in_a_log",
}
"""Tests of who may do what, on the same running cloud."""


def rows() -> list[list[str]]:
    section = (ROOT / "README.md").read_text().split(HEADING)[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_each_row_has_its_test_and_each_test_its_row():
    named = [row[-1].strip("`") for row in rows()]
    tests = {
        name
        for module in (test_degraded, test_processes)
        for name in vars(module)
        if name.startswith("test_")
    }
    assert sorted(named) == sorted(tests - NOT_ROWS)


def test_each_row_says_everything():
    assert all(len(row) == 7 and all(row) for row in rows())


def test_the_alerts_that_are_named_exist():
    terraform = (ROOT / "infra" / "alerts.tf").read_text()
    known = set(
        re.findall(r'display_name\s+= "\$\{var\.deployment\}: ([^"$]+?)(?: \(|")', terraform)
    )
    named = {name for row in rows() for name in re.findall(r'"([^"]+)"', row[4])}
    assert named
    assert named <= known


def test_the_findings_that_are_named_exist():
    sources = Path(ROOT / "shared" / "perennial" / "domain" / "monitoring").glob("*.py")
    text = "".join(source.read_text() for source in sources)
    named = {name for row in rows() for name in re.findall(r"finding `(\w+)`", row[4])}
    assert named
    assert all(f'"{name}"' in text for name in named)
