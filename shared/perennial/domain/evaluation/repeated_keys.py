"""Keys of a new file that an accepted one had before, as runs and versions keep them on record.

Standard library only, because every function that reads run records ships with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from perennial.domain.words import counted


@dataclass(frozen=True, slots=True)
class Example:
    """A key that came again: as text, and the first file that brought it."""

    key: str
    file: str


@dataclass(frozen=True, slots=True)
class RepeatedKeys:
    """Keys of a new file that were accepted in an earlier one.

    Attributes:
        stem: the file, as in its verdict's name.
        name: its name in landing.
        rows: how many of its labelled rows bring such a key.
        of: how many labelled rows it has.
        examples: the first few; of many files, the first few files only have some.
    """

    stem: str
    name: str
    rows: int
    of: int
    examples: tuple[Example, ...] = ()

    @property
    def sentence(self) -> str:
        """What it means, with an example."""
        such = "".join(f", such as {one.key} in {one.file}" for one in self.examples[:1])
        return (
            f"{self.name}: {self.rows:,} of {counted(self.of, 'row')} bring keys that were "
            f"accepted before{such}; they prove nothing"
        )

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read the stored form, parsed."""
        examples = tuple(Example(**one) for one in document["examples"])
        return cls(**{**document, "examples": examples})
