"""A crash at any storage call leaves nothing undone: versions."""

from __future__ import annotations

import pytest

from tests.crash_points.driver import Scenario
from tests.crash_points.parts import assert_same_end
from tests.crash_points.versions import VERSIONS


@pytest.mark.parametrize("scenario", VERSIONS, ids=lambda scenario: scenario.name)
def test_what_follows_a_crash_ends_as_what_follows_none(scenario: Scenario) -> None:
    assert_same_end(scenario)
