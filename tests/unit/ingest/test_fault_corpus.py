"""Every file of the fault corpus gets the verdict that a fair expert would give."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from perennial.domain.definitions.definition import Definition, parse
from perennial.domain.definitions.inference import infer_definition
from perennial.domain.judging.validation import judge_bytes
from tests.corpus.faults import Case, bike_cases, row_policy_cases, ytspam_cases
from tests.corpus.tables import Sheet

SEED = 20261127
ARRIVED = datetime(2026, 11, 27, tzinfo=UTC)


def definition_of(files: list[Path], label: str) -> Definition:
    """The one that `perennial init` writes from these files."""
    samples = [(file.name, file.read_bytes()) for file in files]
    return parse(infer_definition("stream", samples, label))


def complaints(definition: Definition, cases: list[Case]) -> list[str]:
    """The cases about which we and the expert disagree."""
    found = []
    for case in cases:
        judgement = judge_bytes(definition, case.name, case.data, arrived=ARRIVED)
        rejecting = [f.rule for f in judgement.findings if f.severity == "reject"]
        warnings = [f.rule for f in judgement.findings if f.severity == "warn"]
        said = "; ".join(f.message for f in judgement.findings)
        if judgement.accepted != (not rejecting) or not all(f.message for f in judgement.findings):
            found.append(f"{case.title}: a verdict without a reason ({said})")
        elif judgement.accepted and not case.good:
            found.append(f"{case.title}: accepted, expected {sorted(case.expected)} ({said})")
        elif rejecting and case.expected.isdisjoint(rejecting):
            found.append(f"{case.title}: {rejecting}, expected {sorted(case.expected)} ({said})")
        elif judgement.accepted and case.warns and case.warns not in warnings:
            found.append(f"{case.title}: expected a warning {case.warns} ({said})")
    return found


@pytest.mark.parametrize("week", [7, 61])
def test_bike_is_judged_as_an_expert_would(bike: list[Path], week: int) -> None:
    definition = definition_of(bike[:16], "cnt")
    cases = list(bike_cases(Sheet.of(bike[week]), Sheet.of(bike[week + 1]), SEED))

    assert len({case.title for case in cases}) == len(cases) >= 60
    assert sum(case.good for case in cases) >= 12
    assert complaints(definition, cases) == []


def test_few_bad_rows_are_told_from_bad_files(bike: list[Path]) -> None:
    definition = definition_of(bike[:16], "cnt").bearing(0.02)

    assert complaints(definition, list(row_policy_cases(Sheet.of(bike[7])))) == []


def test_ytspam_is_judged_as_an_expert_would(ytspam: list[Path]) -> None:
    cases = list(ytspam_cases(Sheet.of(ytspam[9])))

    assert complaints(definition_of(ytspam[:6], "spam"), cases) == []
