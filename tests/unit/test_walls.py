"""What the import contracts cannot see: the domain has no clock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import perennial.domain

NOW = {"now", "utcnow", "today"}
"""Methods of dates and times that look at a clock."""

FILES = sorted(Path(perennial.domain.__file__).parent.rglob("*.py"))


def looks(source: str) -> list[str]:
    """The places in a module that could look at a clock."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [f"{node.lineno}: {name.name}" for name in node.names if name.name == "time"]
        elif isinstance(node, ast.ImportFrom) and node.module == "time" and not node.level:
            found.append(f"{node.lineno}: time")
        elif isinstance(node, ast.Attribute) and node.attr in NOW:
            found.append(f"{node.lineno}: {node.attr}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_domain_has_no_clock(path: Path) -> None:
    """Whoever calls it says what time it is, or nothing could be judged or trained again."""
    assert looks(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from time import monotonic",
        "from datetime import datetime\nwhen = datetime.now()",
        "import datetime as d\nwhen = d.datetime.utcnow",
        "from datetime import date\nwhen = date.today()",
    ],
)
def test_every_way_to_a_clock_is_seen(source: str) -> None:
    assert looks(source)
