"""A deployment in memory for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from perennial.domain.definitions.definition import Definition
from perennial.domain.gating.cases import GateTest
from perennial.workflows import gate_test
from tests.integration.ingest.world import World


@pytest.fixture(scope="package", autouse=True)
def each_gate_is_tried_once() -> Iterator[None]:
    """A gate's test decides the same of the same definition, and these worlds are hundreds."""
    tried: dict[str, GateTest] = {}
    try_it = gate_test.require_honest_gate

    def once(definition: Definition) -> GateTest:
        key = repr(definition)
        if key not in tried:
            tried[key] = try_it(definition)
        return tried[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate_test, "require_honest_gate", once)
        yield


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
