"""SECURITY.md names tests that exist, and limits that the code has."""

from __future__ import annotations

import re

import pytest

from functions.train import main as job
from perennial.console import actions, app
from perennial.domain.definitions import yaml_text
from perennial.domain.definitions.files import Files
from perennial.domain.formats import tables
from perennial.domain.graphs import graph_rules
from perennial.domain.serving import instance_values, prediction_log, request_rows
from perennial.workflows.monitoring.tick import PATIENCE
from perennial.workflows.serving import loading
from tests.unit.infra.test_dependencies import ROOT

PAGE = (ROOT / "SECURITY.md").read_text()
FILES = Files()
LIMITS = {
    "a file, packed or not": [FILES.max_bytes],
    "a row of a text file": [FILES.max_line_bytes],
    "columns of a file": [tables.MAX_FIELDS],
    "attempts to judge a file": [FILES.max_attempts],
    "a definition": [yaml_text.LONGEST],
    "a request to predict": [
        request_rows.MAX_BYTES,
        request_rows.MAX_INSTANCES,
        request_rows.MAX_CELLS,
    ],
    "a text in a request": [instance_values.MAX_TEXT],
    "a line of the prediction log": [prediction_log.MAX_BYTES, prediction_log.MAX_INSTANCES],
    "a graph, also an imported one": [graph_rules.BYTES],
    "a manifest": [loading.MANIFEST_BYTES],
    "a form of the console": [app._MOST_FORM, actions.MOST_REASON],
    "its form for predictions": [app._MOST_TYPED, app._QUESTIONS, int(app._QUESTION_SECONDS)],
    "a file that is judged for a preview": [actions.FORESEEN_BYTES],
    "a sweep's looks": [int(PATIENCE.total_seconds() // 60)],
}


def rows(heading: str) -> dict[str, str]:
    section = PAGE.split(f"## {heading}")[1].split("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:2] == "| "]
    return {cells[0]: cells[1] for cells in lines[1:]}


@pytest.mark.parametrize("what", LIMITS)
def test_the_limits_are_those_of_the_code(what):
    numbers = [
        int(one.replace(",", "")) for one in re.findall(r"\d[\d,]*", rows("The limit")[what])
    ]
    assert numbers[: len(LIMITS[what])] == LIMITS[what]


def test_the_jobs_variables_are_as_long_as_it_says():
    assert "128 characters" in rows("The limit")["variables of the job"]
    assert job._SUBJECT.fullmatch("x" * 128)
    assert not job._SUBJECT.fullmatch("x" * 129)


def test_every_test_that_is_named_exists():
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 20
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert sorted(one for one in named if f"def {one}(" not in sources) == []
