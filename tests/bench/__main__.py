"""`python -m tests.bench`: measure against named rivals, in one run."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

from tests.bench import serving
from tests.bench.report import as_document, machine


def main() -> None:
    """Measure, and print a table or a JSON document."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="turns for each subject")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    with tempfile.TemporaryDirectory(prefix="perennial-bench-") as directory:
        sections, absent = serving.run(Path(directory), options.rounds)
    kept = serving.promises(sections)
    if options.json:
        print(json.dumps({**as_document(sections, kept), "not_measured": absent}, indent=1))
        return
    print(machine(), *sections, "\n".join(map(str, kept)), sep="\n\n")
    for subject, why in absent.items():
        print(f"not measured: {subject}: {why}")


if __name__ == "__main__":
    main()
