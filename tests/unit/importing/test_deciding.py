"""What becomes of a model from elsewhere, by what speaks for it."""

from __future__ import annotations

import pytest

from perennial.domain.versioning.importing import Evidence, decide


def evidence(**options) -> Evidence:
    facts = {
        "rows": 100, "passes": True, "rule": "better, passes", "champion": "v000001",
        "fair": True, "known": True,
    }  # fmt: skip
    return Evidence(**(facts | options))


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({}, "approved"),
        ({"passes": False}, "rejected"),
        ({"fair": False}, "approved"),  # it won although its rival had an advantage
        ({"fair": False, "passes": False}, "waiting"),
        ({"known": False}, "waiting"),
        ({"known": False, "passes": False}, "rejected"),
        ({"known": False, "champion": None}, "approved"),
        ({"known": False, "champion": None, "passes": False}, "rejected"),
        ({"rows": 0}, "waiting"),
    ],
)
def test_it_serves_by_itself_only_where_that_is_proved(options, status):
    found, reason = decide(evidence(**options), automatic=True)
    assert found == status
    assert reason


@pytest.mark.parametrize("options", [{}, {"fair": False}, {"champion": None}])
def test_by_hand_whatever_passes_waits(options):
    assert decide(evidence(**options), automatic=False)[0] == "waiting"
