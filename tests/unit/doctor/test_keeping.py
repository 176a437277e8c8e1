"""Settings of a bucket that delete what must live, or keep the head from being replaced."""

from __future__ import annotations

from typing import Any

import pytest

from perennial.domain.descriptor import Descriptor
from perennial.domain.doctoring.buckets import check_bucket
from perennial.domain.doctoring.findings import Look
from perennial.domain.doctoring.keeping import check_keeping

from .documents import bucket

DELETE = {"type": "Delete"}


def rule(**condition: Any) -> dict[str, Any]:
    return {"lifecycle": {"rule": [{"action": DELETE, "condition": condition}]}}


@pytest.mark.parametrize(
    ("role", "settings"),
    [
        ("models", rule(daysSinceNoncurrentTime=30, isLive=False)),
        ("models", rule(isLive=False)),
        ("landing", rule(numNewerVersions=3)),
        ("quarantine", rule(age=90)),
        ("predictions", rule(age=30)),
        ("data", rule(age=30, matchesSuffix=[".watch.json", ".told"])),
        ("data", {"lifecycle": {"rule": [{"action": {"type": "SetStorageClass"}}]}}),
        ("landing", {"retentionPolicy": {"retentionPeriod": "86400"}}),
        ("models", {"retentionPolicy": {}}),
        ("", {}),
    ],
)
def test_what_is_meant_is_no_problem(role: str, settings: dict[str, Any]) -> None:
    assert check_keeping("it", role, settings) == []


@pytest.mark.parametrize(
    ("role", "settings", "found"),
    [
        ("models", rule(age=30), "one that deletes objects with age 30"),
        ("models", rule(daysSinceNoncurrentTime=0, age=1), "objects with age 1"),
        ("landing", rule(), "one that deletes every object"),
        ("", rule(age=90), "one that deletes objects with age 90"),
        ("data", rule(age=30, matchesSuffix=[".told", ".parquet"]), "matchesSuffix"),
        ("models", {"retentionPolicy": {"retentionPeriod": "86400"}}, "a retention of 1 days"),
        ("", {"defaultEventBasedHold": True}, "a hold on every new object"),
    ],
)
def test_what_does_harm_is_a_problem(role: str, settings: dict[str, Any], found: str) -> None:
    (problem,) = check_keeping("it", role, settings)
    assert problem.state == "problem"
    assert found in problem.found


def test_doctor_looks_at_it_in_a_deployment(descriptor: Descriptor) -> None:
    document = bucket(descriptor, "models") | rule(age=30)
    found = check_bucket(descriptor, "models", Look("found", document))
    assert [one.check for one in found if one.state == "problem"] == ["models bucket: lifecycle"]
