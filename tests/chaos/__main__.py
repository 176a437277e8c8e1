"""Real faults against a local cloud's processes: ``python -m tests.chaos --minutes M --seed S``.

Files are dropped and predictions asked all the time, while a seeded adversary kills and pauses
processes, fails storage, fills the disk, jumps the clock, and loses, doubles and shuffles events.
Then trouble stops, a sweep runs, and everything is accounted for from the buckets alone.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from tests.chaos.run import Plan, run
from tests.chaos.storm import Storm


def main() -> None:
    """Make trouble, print one table, and fail if anything was lost, doubled or wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description=__doc__.splitlines()[0]
    )
    parser.add_argument("what", nargs="?", choices=["faults", "storm"], default="faults")
    parser.add_argument("--files", type=int, default=10_000, metavar="N", help="of a storm")
    parser.add_argument("--minutes", type=float, default=15, metavar="M", help="of trouble")
    parser.add_argument("--deeds", type=int, default=10**9, metavar="N", help="at most")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--pace", type=float, default=2.0, metavar="S", help="between two deeds")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where state and logs stay")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    if options.what == "storm":
        weathered = Storm(options.files, options.seed).run()
        print(weathered.table())
        sys.exit(0 if weathered.findings.clean else "\n".join(weathered.findings.complaints()))
    plan = Plan(options.deeds, options.minutes * 60, options.seed, options.pace)
    with tempfile.TemporaryDirectory(prefix="perennial-chaos-") as temporary:
        directory = options.keep or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        outcome = run(directory, plan, lambda line: print(line, file=sys.stderr))
    print(outcome.table())
    if not outcome.clean:
        sys.exit("\n".join(outcome.complaints()))


if __name__ == "__main__":
    main()
