"""A mutation: one guard taken out of the sources by one edit, and the tests that must notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class GuardMoved(Exception):
    """A mutation's text is not where the table says."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """One guard less.

    Attributes:
        name: what is taken away.
        file: in which file, from the repository's root.
        old: the guard; it stands there exactly once.
        new: what stands there instead.
        tests: those that must notice: node ids or files.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def mutated(self, root: Path = ROOT) -> str:
        """The file without the guard.

        Args:
            root: of the tree.

        Raises:
            GuardMoved: when the guard is not there exactly once.
        """
        source = (root / self.file).read_text(encoding="utf-8")
        found = source.count(self.old)
        if found != 1:
            raise GuardMoved(
                f"{self.name}: the guard moved: expected its text once in {self.file}, found it "
                f"{found} times: update the table in tests/mutation/"
            )
        return source.replace(self.old, self.new)
