"""Definitions whose gates are tried."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perennial.domain.definitions.definition import Definition

Define = Callable[..., Definition]


@pytest.fixture
def define() -> Define:
    """Makes a definition of a task, with these settings of promotion and of training."""

    def make(
        task: str = "binary", training: dict[str, object] | None = None, **promotion: object
    ) -> Definition:
        label = {"binary": "boolean", "multiclass": "category", "regression": "number"}[task]
        return Definition.model_validate({
            "name": "shop",
            "task": task,
            "columns": {"x": {"type": "number"}, "y": {"type": label, "role": "label"}},
            "training": training or {},
            "promotion": promotion,
        })  # fmt: skip

    return make
