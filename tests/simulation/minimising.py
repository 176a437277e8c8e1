"""The smallest plan that still fails: operations and faults are left out while it does."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.plan import Plan


def minimised(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    """Leave out halves, then quarters, down to single elements, until none can be spared.

    Args:
        plan: one that fails.
        fails: whether another one does.

    Source: Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input (2002).
    """
    size = max(len(plan.elements) // 2, 1)
    while True:
        spared = False
        start = 0
        while start < len(plan.elements):
            smaller = plan.without(plan.elements[start : start + size])
            if fails(smaller):
                plan, spared = smaller, True
            else:
                start += size
        if size == 1 and not spared:
            return plan
        size = max(size // 2, 1)
