"""Where workflows write: every place in the source, and those that a process came by.

A scenario covers a place when its undisturbed run wrote there: what it does is looked at, and not
what its name says.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import perennial.workflows

FOLDER = Path(next(iter(perennial.workflows.__path__)))
WRITES = frozenset({"create", "overwrite", "replace", "copy_from", "delete"})
"""Methods of a store that write."""

CALLS = WRITES | {"create_once", "commit"}
"""What is called to write, by its last name."""

Site = tuple[str, int, int]
"""File below the workflows' folder, first and last line of a call."""


class Sites(set[tuple[str, int]]):
    """Places, as file and line."""

    def covers(self, site: Site) -> bool:
        """Whether any of them lies in a call."""
        name, first, last = site
        return any((name, line) in self for line in range(first, last + 1))


def writing_frames(method: str) -> Iterator[tuple[str, int]]:
    """Where the caller's workflows stand, if it is about to write."""
    if method not in WRITES:
        return
    frame = sys._getframe(1)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(FOLDER):
            yield path.relative_to(FOLDER).as_posix(), frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]


def writing_sites() -> list[Site]:
    """Every call in the workflows that may write into a bucket."""
    found: list[Site] = []
    for path in sorted(FOLDER.rglob("*.py")):
        name = path.relative_to(FOLDER).as_posix()
        calls = (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call))
        found += [(name, n.lineno, n.end_lineno or n.lineno) for n in calls if _writes(n)]
    return found


def _writes(call: ast.Call) -> bool:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id in CALLS - WRITES
    if not isinstance(function, ast.Attribute) or function.attr not in CALLS:
        return False
    if isinstance(function.value, ast.Name) and function.value.id == "names":
        return False  # only says where a commit lies
    # `datetime.replace` and `str.replace` share the name of compare-and-swap, which is given this.
    return function.attr != "replace" or any(one.arg == "generation" for one in call.keywords)
