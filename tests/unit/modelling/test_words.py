"""Sentences count in the singular and in the plural."""

from __future__ import annotations

import pytest

from perennial.domain.words import counted


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1234, "1,234 files")]
)
def test_a_number_agrees_with_its_noun(number: int, text: str) -> None:
    assert counted(number, "file") == text
