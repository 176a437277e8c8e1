"""`make fuzz`: judge thousands of spoiled real files, and look at every verdict.

Never an error, never a verdict without a reason, never an accepted row that breaks the definition:
the rows are checked by pandas, which shares no code with the rules.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from perennial.domain.definitions.definition import Definition, parse
from perennial.domain.definitions.inference import infer_definition
from perennial.domain.judging.validation import Judgement, judge_bytes, to_parquet
from tests.conftest import REAL_DATA
from tests.corpus.mutations import spoil
from tests.corpus.tables import Sheet

ARRIVED = datetime(2026, 11, 27, tzinfo=UTC)
LABELS = {"bike": "cnt", "ytspam": "spam"}


def fuzz(stream: str, files: Sequence[Path], cases: int, seed: int) -> Counter[str]:
    """Judge spoiled files of one stream, without and with a row policy.

    Returns:
        How many there were of each verdict or first rule, and of those from which the policy set
        rows aside.

    Raises:
        AssertionError: naming the seed of the first file that is judged as none may be.
    """
    samples = [(file.name, file.read_bytes()) for file in files[:6]]
    definition = parse(infer_definition(stream, samples, LABELS[stream]))
    lenient = definition.bearing(0.2)
    sheets = [Sheet.of(file) for file in files[6:12]]
    found: Counter[str] = Counter()
    for number in range(seed, seed + cases):
        name, data = spoil(sheets[number % len(sheets)], number)
        try:
            judgement = judge_bytes(definition, name, data, arrived=ARRIVED)
            examine(definition, judgement)
            borne = judge_bytes(lenient, name, data, arrived=ARRIVED)
            examine(lenient, borne)
            assert borne.accepted or not judgement.accepted, "a policy that turns a file away"
        except Exception as error:
            raise AssertionError(f"{stream}, seed {number}: {error!r}") from error
        rejecting = [f.rule for f in judgement.findings if f.severity == "reject"]
        found[rejecting[0] if rejecting else "accepted"] += 1
        found.update({"rows set aside": 1} if borne.set_aside else {})
    return found


def examine(definition: Definition, judgement: Judgement) -> None:
    """What holds of every verdict, and of every row that was accepted."""
    assert all(finding.message for finding in judgement.findings), "a finding without a sentence"
    if not judgement.accepted:
        assert any(f.severity == "reject" for f in judgement.findings), "rejected without a reason"
        return
    frame = judgement.frame
    assert frame is not None, "accepted without rows"
    assert frame.height > 0, "accepted without rows"
    assert pl.read_parquet(to_parquet(frame)).equals(frame), "rows differ once stored"
    assert frame.height + judgement.set_aside == judgement.rows, "rows that nobody knows of"
    assert bool(judgement.set_aside) == bool(judgement.bad_rows), "rows that are lost"
    rows = frame.to_pandas()
    for name, column in definition.stored_columns.items():
        values = rows[name]
        assert column.nullable or not values.isna().any(), f"{name} has empty cells"
        present = values.dropna()
        if column.classes is not None:
            assert set(present) <= set(column.classes), f"{name} has other classes"
        for rule in column.rules:
            if rule.range is not None and rule.severity != "warn":
                low, high = rule.range
                assert low is None or not (present < low).any(), f"{name} is below {low}"
                assert high is None or not (present > high).any(), f"{name} is above {high}"
    if definition.event_time is not None:
        latest = rows[definition.event_time].max()
        assert (latest - ARRIVED).days <= 1, f"a row from the future: {latest}"


def main() -> None:
    """Fuzz both streams, and print what the verdicts were."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    options = parser.parse_args()
    for stream in LABELS:
        files = sorted((REAL_DATA / stream / "files").glob("*.csv"))
        if not files:
            sys.exit(f"the real stream {stream} is not at {REAL_DATA}")
        found = fuzz(stream, files, options.cases // len(LABELS), options.seed)
        told = ", ".join(f"{rule} {number}" for rule, number in found.most_common())
        print(f"{stream}: {options.cases // len(LABELS)} files: {told}")


if __name__ == "__main__":
    main()
