"""Validating one large CSV beside named rivals: ``python -m tests.bench.validation``.

The subjects take turns, round after round, each turn in a process of its own, which is timed from
the file on disk to the lines of its failing rows, its imports left out. Rivals have an environment
of their own, which is made when it is missing; one that does not run is named, not measured.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import orders, rival_environments
from tests.bench.report import Column, Promise, Section, as_document, machine

FAULTY = 50
RIVALS = rival_environments.folder("validation")
ARROW, PERENNIAL = "bare Arrow read", "Perennial"
SUBJECTS = {
    ARROW: "with_arrow.py",
    PERENNIAL: "with_perennial.py",
    "DuckDB": "with_duckdb.py",
    "pandera on polars": "with_pandera_polars.py",
    "pandera on pandas": "with_pandera_pandas.py",
    "Great Expectations": "with_great_expectations.py",
}
MOST = 1.5
"""Times a bare Arrow read (DESIGN, section 10)."""

_SCRIPTS = Path(__file__).parent / "rivals" / "validation"
_PATIENCE = 900.0  # seconds for one turn
_SLOW = 30.0  # seconds; a rival that takes longer takes one turn, which tells enough


class NotMeasured(Exception):
    """A subject does not run here; its text says why."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a subject made of a file.

    Attributes:
        seconds: from the file on disk to its answer.
        peak_mib: most resident memory, interpreter and libraries included.
        lines: of the rows that fail, increasing.
    """

    seconds: float
    peak_mib: float
    lines: Sequence[int]


def take_turn(subject: str, file: Path, definition: Path) -> Turn:
    """Let a subject judge a file in a fresh process.

    Raises:
        NotMeasured: when it does not run.
    """
    python = sys.executable if subject in (ARROW, PERENNIAL) else str(RIVALS / "bin" / "python")
    try:
        done = subprocess.run(
            [python, str(_SCRIPTS / SUBJECTS[subject]), str(file), str(definition)],
            env={**os.environ, "DO_NOT_TRACK": "1", "GX_ANALYTICS_ENABLED": "false"},
            capture_output=True, text=True, check=False, timeout=_PATIENCE,
        )  # fmt: skip
    except FileNotFoundError:
        raise NotMeasured("its environment is not installed") from None
    except subprocess.TimeoutExpired:
        raise NotMeasured(f"no answer within {_PATIENCE:.0f} s") from None
    if done.returncode:
        raise NotMeasured((done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1])
    return Turn(**json.loads(done.stdout.splitlines()[-1]))


def measure(
    file: Path, definition: Path, expected: Sequence[int], rounds: int, title: str
) -> tuple[Section, dict[str, str]]:
    """Let all subjects judge a file, in turns.

    Args:
        file: a CSV.
        definition: what it must look like, for Perennial; the rivals' scripts say the same.
        expected: the lines of its failing rows.
        rounds: turns of each subject; a very slow rival takes one.
        title: of the section.

    Returns:
        The figures, and why subjects are not among them.

    Raises:
        SystemExit: when Perennial, or the read beside it, does not run or is wrong.
    """
    turns: dict[str, list[Turn]] = {subject: [] for subject in SUBJECTS}
    absent: dict[str, str] = {}
    for number in range(rounds):
        for subject in SUBJECTS:
            if subject in absent or any(turn.seconds > _SLOW for turn in turns[subject]):
                continue
            try:
                turn = _checked_turn(subject, file, definition, expected)
            except NotMeasured as error:
                if subject in (ARROW, PERENNIAL):
                    raise SystemExit(f"{subject}: {error}") from None
                absent[subject] = str(error)
                del turns[subject]
                continue
            turns[subject].append(turn)
            told = f"round {number + 1}: {subject} {turn.seconds:.2f} s, {turn.peak_mib:.0f} MiB"
            print(told, file=sys.stderr, flush=True)
    seconds = {s: statistics.median(t.seconds for t in of) for s, of in turns.items()}
    columns = [
        Column("median s", seconds),
        Column("times Arrow", {s: value / seconds[ARROW] for s, value in seconds.items()}),
        Column("peak MiB", {s: max(t.peak_mib for t in of) for s, of in turns.items()}, 0),
        Column("turns", {s: float(len(of)) for s, of in turns.items()}, 0),
        Column("rows named", {s: float(len(of[-1].lines)) for s, of in turns.items()}, 0),
    ]
    return Section(title, columns), absent


def _checked_turn(subject: str, file: Path, definition: Path, expected: Sequence[int]) -> Turn:
    """A turn, only if the subject names the very rows; a bare read names none."""
    turn = take_turn(subject, file, definition)
    if subject != ARROW and list(turn.lines) != list(expected):
        raise NotMeasured(f"it names {len(turn.lines)} rows, not the {len(expected)} that fail")
    return turn


def run(directory: Path, rows: int, rounds: int) -> tuple[list[Section], dict[str, str]]:
    """Measure a file that is all good, and one with a few failing rows; see `measure`."""
    missing = rival_environments.install("validation")
    if missing:
        print(f"the rivals cannot be installed: {missing}", file=sys.stderr, flush=True)
    definition = directory / "orders.yaml"
    definition.write_text(orders.DEFINITION)
    sections: list[Section] = []
    absent: dict[str, str] = {}
    for faulty, what in ((0, "all good"), (FAULTY, f"{FAULTY} failing rows, all to be named")):
        file = directory / f"orders-{faulty}.csv"
        expected = orders.write(file, rows, faulty)
        size = file.stat().st_size / 2**20
        title = (
            f"validation: {rows:,} rows, 14 columns, {size:.0f} MiB of CSV, {what}, {rounds} rounds"
        )
        section, without = measure(file, definition, expected, rounds, title)
        sections.append(section)
        absent |= without
        file.unlink()
    return sections, absent


def promises(sections: Sequence[Section]) -> list[Promise]:
    """What DESIGN says of these sections."""
    figures: list[Mapping[str, float]] = [s.columns[1].figures for s in sections]
    return [
        Promise(f"{what}, times a bare Arrow read", MOST, times[PERENNIAL])
        for what, times in zip(("all good", "failing rows named"), figures, strict=True)
    ]


def main() -> None:
    """Measure, and print tables or a JSON document."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.validation", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument("--rows", type=int, default=1_000_000, metavar="N", help="of the file")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="turns for each subject")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="perennial-bench-") as directory:
        sections, absent = run(Path(directory), options.rows, options.rounds)
    kept = promises(sections)
    if options.json:
        document = {**as_document(sections, kept), "not_measured": absent}
        print(json.dumps(document, indent=1))
        return
    print(machine(), *sections, "\n".join(map(str, kept)), sep="\n\n")
    for subject, why in absent.items():
        print(f"not measured: {subject}: {why}")


if __name__ == "__main__":
    main()
