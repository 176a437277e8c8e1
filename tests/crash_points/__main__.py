"""Runs every scenario to the end: `python -m tests.crash_points [--only WORDS] [--share PART]`."""

from __future__ import annotations

import argparse
import sys
import time

from tests.crash_points.scenarios import SCENARIOS


def _line(name: str, calls: int, points: int, states: int, said: str) -> str:
    return f"{name:<40}{calls:>14,}{points:>14,}{states:>8,}  {said}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.crash_points", description=__doc__)
    parser.add_argument("--only", default="", help="scenarios whose names hold these words")
    parser.add_argument("--share", type=float, default=1.0, help="of the points of dear scenarios")
    parser.add_argument("--seconds", action="store_true", help="how long each took")
    parser.add_argument("--show", type=int, default=5, help="of what is wrong, so many lines")
    options = parser.parse_args()
    total, broken = [0, 0, 0, 0], 0
    print(f"{'scenario':<40}{'storage calls':>14}{'crash points':>14}{'states':>8}  same end state")
    for scenario in SCENARIOS:
        if options.only not in scenario.name:
            continue
        began = time.monotonic()
        pairs = scenario.pairs(options.share)
        wrong = list(scenario.crashes(pairs))
        bad = len({one.split(": ")[0] for one in wrong})
        took = f"  {time.monotonic() - began:.1f} s" if options.seconds else ""
        said = "yes" if not bad else f"no, after {bad}"
        figures = scenario.calm.calls, scenario.points, len(pairs)
        print(_line(scenario.name, *figures, said + took), flush=True)
        for one in wrong[: options.show]:
            print(f"    {one}", file=sys.stderr, flush=True)
        total = [before + now for before, now in zip(total, (1, *figures), strict=True)]
        broken += bad
    print(_line(f"{total[0]} scenarios", *total[1:], "all" if not broken else f"not {broken}"))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
