"""What Terraform would change, read from a saved plan, and how it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MANAGED = "managed"
_KINDS = {
    ("create",): "create",
    ("update",): "update",
    ("delete",): "delete",
    ("forget",): "forget",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
}
_SIGNS = {"create": "+", "update": "~", "replace": "!", "delete": "-", "forget": "."}
_FULL_LISTS = ("update", "replace", "delete", "forget")  # what exists is named one by one
_EXAMPLES = 4


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that would change.

    Attributes:
        address: as Terraform names it.
        type: of the resource.
        kind: create, update, replace, delete or forget.
        before: its attributes as they are; empty when it is not there yet.
    """

    address: str
    type: str
    kind: str
    before: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A saved plan.

    Attributes:
        path: the file, for `terraform apply` and `terraform show`.
        changes: of resources.
        outputs: how many outputs would change.
    """

    path: Path
    changes: tuple[Change, ...]
    outputs: int = 0

    def __bool__(self) -> bool:
        """Whether there is anything to apply."""
        return bool(self.changes or self.outputs)


def read_plan(path: Path, document: Mapping[str, Any]) -> Plan:
    """From what `terraform show -json` says of a plan."""
    changes = []
    for resource in document.get("resource_changes", []):
        kind = _KINDS.get(tuple(resource["change"]["actions"]))
        if kind and resource.get("mode", MANAGED) == MANAGED:
            before = resource["change"].get("before") or {}
            changes.append(Change(resource["address"], resource["type"], kind, before))
    outputs = document.get("output_changes", {}).values()
    return Plan(path, tuple(changes), sum(output["actions"] != ["no-op"] for output in outputs))


def covers(approved: Plan, again: Plan) -> bool:
    """Whether a plan made after a failed apply changes nothing that was not approved.

    What the first apply made and could not finish may have to be replaced: that is covered when its
    making was.
    """
    kinds = {change.address: change.kind for change in approved.changes}
    return all(
        change.kind == kinds.get(change.address)
        or (kinds.get(change.address) in ("create", "replace"))
        for change in again.changes
    )


def summary(plan: Plan) -> str:
    """The plan in a few lines: what is new by type, what exists one by one."""
    if not plan:
        return "Nothing would change."
    lines = []
    for kind in _SIGNS:
        addresses = [change.address for change in plan.changes if change.kind == kind]
        if kind in _FULL_LISTS:
            lines += [f"{_SIGNS[kind]} {kind} {address}" for address in addresses]
        elif addresses:
            lines += _by_type(kind, [change for change in plan.changes if change.kind == kind])
    counts = Counter(change.kind for change in plan.changes)
    total = ", ".join(f"{counts[kind]} to {kind}" for kind in _SIGNS if counts[kind])
    return "\n".join([*lines, f"Plan: {total or 'outputs only'}."])


def _by_type(kind: str, changes: Iterable[Change]) -> list[str]:
    grouped: dict[str, list[str]] = {}
    for change in changes:
        grouped.setdefault(change.type, []).append(change.address.partition(f"{change.type}.")[2])
    lines = []
    for type_, names in grouped.items():
        more = f" and {len(names) - _EXAMPLES} more" if len(names) > _EXAMPLES else ""
        lines.append(f"{_SIGNS[kind]} {kind} {type_}: {', '.join(names[:_EXAMPLES])}{more}")
    return lines
