"""What the key index costs a run: ``python -m tests.bench.keys``.

One new file comes to a history of 10, 100 and 1,000 files, in memory, so that nothing but the work
counts. Beside it the same answer from all rows, read again and hashed again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from perennial.adapters.memory import MemoryStore
from perennial.domain import names
from perennial.domain.definitions.definition import Definition, parse
from perennial.domain.evaluation.repeats import row_hashes, seen_before
from perennial.domain.judging.keys import KeysBefore, keys_digest
from perennial.domain.judging.validation import to_parquet
from perennial.domain.names import FileId
from perennial.domain.verdict import VerdictSummary
from perennial.workflows.key_index import key_index
from perennial.workflows.rows import Rows
from tests.bench.report import Column, Section, as_document, machine

DEFINITION = """
name: visits
task: regression
columns:
  at: {type: timestamp, role: event_time}
  visit: {type: category, role: key}
  shop: {type: category}
  people: {type: integer}
  minutes: {type: number}
  spent: {type: number, role: label}
"""
START = datetime(2024, 1, 1, tzinfo=UTC)
OVERLAP = 0.05
HISTORIES = (10, 100, 1000)


@dataclass
class History:
    """Accepted files of a made-up shop; each brings a twentieth of the keys of the one before."""

    definition: Definition
    rows: int
    data: MemoryStore = field(default_factory=lambda: MemoryStore("data"))
    files: list[VerdictSummary] = field(default_factory=list)

    def grow(self) -> VerdictSummary:
        """Accept one more file."""
        number = len(self.files)
        first = round(number * self.rows * (1 - OVERLAP))
        chance = np.random.default_rng(number)
        at = START + timedelta(hours=number)
        frame = pl.DataFrame(
            {
                "at": pl.Series([at] * self.rows, dtype=pl.Datetime("us", "UTC")),
                "visit": [f"visit-{n:09d}" for n in range(first, first + self.rows)],
                "shop": chance.choice(["north", "south", "harbour"], self.rows),
                "people": chance.integers(1, 6, self.rows),
                "minutes": chance.gamma(2.0, 10.0, self.rows),
                "spent": chance.gamma(2.0, 20.0, self.rows),
            }
        )
        name = f"visits/rows/{number:06d}.parquet"
        self.data.create(name, to_parquet(frame))
        file = FileId(1_700_000_000_000_000 + number, f"visits/{number:06d}.csv")
        self.files.append(
            VerdictSummary(file, 1, "accepted", at, "", "", self.rows, name, at, at)
        )  # fmt: skip
        return self.files[-1]

    def by_index(self) -> int:
        """How many keys of the newest file came before, as a run finds it; the index grows."""
        rows = Rows(self.data, self.definition)
        new = self.files[-1]
        index = key_index(self.data, self.definition, self.files, rows, {new.file.stem})
        again = KeysBefore(self.definition, index, self.files).again(new)
        return again.rows if again else 0

    def by_rows(self) -> int:
        """The same from the rows of all files."""
        rows = Rows(self.data, self.definition)
        known = np.unique(row_hashes(self.definition, rows.of_all(self.files[:-1])))
        return int(seen_before(self.definition, rows.of(self.files[-1]), known).sum())

    def segments(self) -> list[str]:
        """The stored segments."""
        prefix = names.keys(self.definition.name, keys_digest(self.definition))
        return [info.name for info in self.data.list(prefix)]


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """Milliseconds of processor time, and the answer."""
    began = time.process_time()
    answer = work()
    return 1e3 * (time.process_time() - began), answer


def run(rows: int, rounds: int) -> Section:
    """Measure at each length of the history; each figure is a median."""
    history = History(parse(DEFINITION), rows)
    index: dict[str, float] = {}
    whole: dict[str, float] = {}
    last: dict[str, float] = {}
    size: dict[str, float] = {}
    written: dict[str, float] = {}
    for length in HISTORIES:
        while len(history.files) < length:
            history.grow()
            history.by_index()
        subject = f"{length:,} files, {length * rows:,} rows"
        taken, plain = [], []
        for _ in range(rounds):
            history.grow()
            (milliseconds, found), (theirs, expected) = (
                timed(history.by_index),
                timed(history.by_rows),
            )
            if found != expected:
                raise SystemExit(f"the index finds {found} keys, the rows say {expected}")
            taken.append(milliseconds)
            plain.append(theirs)
        segments = history.segments()
        number, needed = len(segments), []
        while number:
            needed.append(number)
            number -= number & -number
        stored = [len(history.data.read(segments[n - 1]).data) for n in needed]
        index[subject], whole[subject] = statistics.median(taken), statistics.median(plain)
        last[subject] = float(len(needed))
        size[subject] = sum(stored) / (len(history.files) * rows)
        total = sum(len(history.data.read(name).data) for name in segments)
        written[subject] = total / (len(history.files) * rows)
    return Section(
        f"Keys of one new file of {rows:,} rows, against a history",
        (
            Column("index ms", index),
            Column("all rows ms", whole),
            Column("objects read", last, 0),
            Column("index bytes a row", size),
            Column("written bytes a row, ever", written),
        ),
    )


def main() -> None:
    """Measure, and print a table or a JSON document."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.keys", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument("--rows", type=int, default=1000, metavar="N", help="rows of a file")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="new files for each")
    options = parser.parse_args()
    section = run(options.rows, options.rounds)
    if options.json:
        print(json.dumps(as_document([section]), indent=1))
        return
    print(machine(), section, sep="\n\n")


if __name__ == "__main__":
    main()
