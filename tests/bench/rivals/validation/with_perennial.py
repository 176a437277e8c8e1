"""Perennial, as `ingest` judges a file whose bytes it has read."""

import sys
from collections.abc import Iterable
from pathlib import Path

from subject import report

from perennial.domain.definitions.definition import parse
from perennial.domain.judging.validation import judge_bytes

DEFINITION = parse(Path(sys.argv[2]).read_text())


def judge(path: Path) -> Iterable[int]:
    judgement = judge_bytes(DEFINITION, path.name, path.read_bytes())
    broken = [finding for finding in judgement.findings if finding.severity == "reject"]
    return (line for finding in broken for line in finding.row_numbers)


report(judge)
