"""What was measured, as a table for people and as JSON for programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Column:
    """One figure for each subject."""

    title: str
    figures: Mapping[str, float]
    digits: int = 2


@dataclass(frozen=True, slots=True)
class Section:
    """Figures that belong together; every column has the same subjects."""

    title: str
    columns: Sequence[Column]

    def __str__(self) -> str:
        """The section as an aligned table."""
        subjects = list(self.columns[0].figures)
        rows = [["", *(column.title for column in self.columns)]]
        rows += [
            [subject, *(f"{c.figures[subject]:,.{c.digits}f}" for c in self.columns)]
            for subject in subjects
        ]
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
            for row in rows
        ]
        return "\n".join([self.title, *(f"  {line}" for line in lines)])


@dataclass(frozen=True, slots=True)
class Promise:
    """What DESIGN (section 10) says of a figure: at most so much."""

    what: str
    most: float
    found: float

    @property
    def met(self) -> bool:
        """Whether it is so."""
        return self.found <= self.most

    def __str__(self) -> str:
        """One line."""
        kept = "met" if self.met else "not met"
        return f"{self.what}: at most {self.most:.2f}, found {self.found:.2f}: {kept}"


@dataclass(frozen=True, slots=True)
class Floor:
    """What DESIGN (section 10) says of a figure: at least so much."""

    what: str
    least: float
    found: float

    @property
    def met(self) -> bool:
        """Whether it is so."""
        return self.found >= self.least

    def __str__(self) -> str:
        """One line."""
        kept = "met" if self.met else "not met"
        return f"{self.what}: at least {self.least:.2f}, found {self.found:.2f}: {kept}"


def as_document(
    sections: Sequence[Section], promises: Sequence[Promise | Floor] = ()
) -> dict[str, object]:
    """All of it, for JSON."""
    document: dict[str, object] = {"machine": machine()}
    document["sections"] = [asdict(section) for section in sections]
    if promises:
        document["promises"] = [{**asdict(one), "met": one.met} for one in promises]
    return document


def machine() -> str:
    """The processor, its cores, the system and Python."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    python = f"Python {platform.python_version()}"
    return f"{_processor()}, {cores} cores, {platform.system()} {platform.release()}, {python}"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
