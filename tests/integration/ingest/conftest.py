"""A deployment in memory for each test."""

from __future__ import annotations

import pytest

from tests.integration.ingest.world import World


@pytest.fixture
def world() -> World:
    """A deployment with the pipeline `shop`, and nothing launched yet."""
    world = World()
    world.apply()
    world.calls.made.clear()
    return world


@pytest.fixture
def bare() -> World:
    """A deployment without any pipeline."""
    return World()
