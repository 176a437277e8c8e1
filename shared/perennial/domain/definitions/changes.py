"""What one definition changes against another, key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from perennial.domain.definitions.definition import Column, Definition


@dataclass(frozen=True, slots=True)
class Change:
    """One key that differs.

    Attributes:
        key: its path, such as `columns.petals.rules` or `training.window`; `columns` alone stands
            for their order.
        change: whether it is new, gone or has another value. Settings that a definition leaves out
            have their defaults, so only columns and parameters are ever added or removed.
        before: as in JSON; null where it was added.
        after: as in JSON; null where it was removed.
    """

    key: str
    change: Literal["added", "removed", "changed"]
    before: Any
    after: Any

    def to_json(self) -> dict[str, Any]:
        """For documents that commands print."""
        return asdict(self)


def changes(before: Definition, after: Definition) -> list[Change]:
    """What `after` does otherwise than `before`: columns in their order, then settings.

    Comments, layout and the order of keys make no difference; the order of columns does.
    """
    return [
        *_between("", {"task": before.task}, {"task": after.task}),
        *_columns(before.columns, after.columns),
        *_between("", _settings(before), _settings(after)),
    ]


def _columns(before: Mapping[str, Column], after: Mapping[str, Column]) -> Iterator[Change]:
    for name, column in {**before, **after}.items():
        key = f"columns.{name}"
        if name not in after:
            yield Change(key, "removed", _short(column), None)
        elif name not in before:
            yield Change(key, "added", None, _short(column))
        else:
            yield from _between(f"{key}.", _facts(before[name]), _facts(column))
    kept = [name for name in before if name in after]
    moved = [name for name in after if name in before]
    if kept != moved:
        yield Change("columns", "changed", kept, moved)


def _between(prefix: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for key in dict.fromkeys((*before, *after)):
        if key not in after:
            yield Change(prefix + key, "removed", before[key], None)
        elif key not in before:
            yield Change(prefix + key, "added", None, after[key])
        elif before[key] != after[key]:
            yield Change(prefix + key, "changed", before[key], after[key])


def _short(column: Column) -> dict[str, Any]:
    """A column as people write it, without what goes without saying."""
    return column.model_dump(mode="json", exclude_defaults=True)


def _facts(column: Column) -> dict[str, Any]:
    """Everything about a column; its rules as people write them."""
    return column.model_dump(mode="json") | {"rules": _short(column).get("rules", [])}


def _settings(definition: Definition) -> dict[str, Any]:
    """Every setting by its path, defaults included."""
    settings: dict[str, Any] = {}
    for part in ("files", "training", "promotion", "serving"):
        for key, value in getattr(definition, part).model_dump(mode="json").items():
            if key == "parameters":
                settings |= {f"{part}.{key}.{name}": given for name, given in value.items()}
            elif isinstance(value, dict):  # one of several forms: what is not given is not meant
                settings[f"{part}.{key}"] = {k: v for k, v in value.items() if v is not None}
            else:
                settings[f"{part}.{key}"] = value
    return settings
