"""A small definition, to be varied."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perennial.domain.definitions.definition import Definition

Define = Callable[..., Definition]


@pytest.fixture
def define() -> Define:
    """Makes a regression on one number x with the label y; keywords replace its parts."""

    def make(task: str = "regression", label: dict | None = None, **parts: object) -> Definition:
        types = {"regression": "number", "binary": "boolean", "multiclass": "category"}
        columns = parts.pop("columns", {"x": {"type": "number"}})
        label = {"type": types[task], "role": "label", **(label or {})}
        return Definition.model_validate(
            {"name": "shop", "task": task, "columns": {**columns, "y": label}, **parts}
        )

    return make
