"""Whether the recipe in force is the one that a version was made by."""

from __future__ import annotations

from dataclasses import replace

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.static import made_otherwise
from perennial.domain.versioning.registry import Head
from perennial.errors import DefinitionError
from perennial.workflows.registry import Registry


def recipe_changed(registry: Registry, head: Head, definition: Definition, made_by: str) -> bool:
    """Whether the definition of digest `made_by` made, or would make, other models."""
    if made_by == head.definition:
        return False
    try:
        before = registry.definition(replace(head, definition=made_by))
    except DefinitionError:  # of a release whose definitions cannot be read any more
        return True
    return made_otherwise(before, definition)
