"""Visits to a shop: a small definition, and a short way to judge files by it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perennial.domain.definitions.definition import parse
from perennial.domain.judging.validation import Judgement, judge_bytes

Judge = Callable[..., Judgement]

VISITS = """
name: visits
task: binary
columns:
  when: {type: timestamp, role: event_time}
  visit: {type: category, role: key}
  people: {type: integer}
  amount: {type: number, nullable: true}
  member: {type: boolean, nullable: true}
  channel: {type: category, nullable: true}
  note: {type: text, role: ignore, nullable: true}
  bought: {type: boolean, role: label}
"""


@pytest.fixture
def judge() -> Judge:
    """Judge text or bytes as a file of visits, after an edit of the definition's text if given."""

    def judge(
        content: str | bytes, *edits: tuple[str, str], name: str = "visits/x.csv"
    ) -> Judgement:
        text = VISITS
        for old, new in edits:
            assert old in text, f"{old!r} is not in the definition"
            text = text.replace(old, new)
        data = content.encode() if isinstance(content, str) else content
        return judge_bytes(parse(text), name, data)

    return judge
