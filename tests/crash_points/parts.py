"""How much of the scenarios the tests run: all cheap ones whole, and a part of those that train."""

from __future__ import annotations

import os

from tests.crash_points.driver import Scenario

SHARE = float(os.environ.get("PERENNIAL_TEST_CRASH_POINTS", "0.06"))
"""Of the ends of a scenario that trains; `make crash-points` runs them all."""


def assert_same_end(scenario: Scenario) -> None:
    """Whatever follows a crash ends as what follows none."""
    found = list(scenario.crashes(scenario.pairs(SHARE)))
    assert found == [], "\n".join(found[:20])
