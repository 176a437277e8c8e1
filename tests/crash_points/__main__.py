"""Runs every scenario to the end: `python -m tests.crash_points [--only WORDS] [--share PART]`."""

from __future__ import annotations

import argparse
import sys
import time

from tests.crash_points.scenarios import SCENARIOS


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.crash_points", description=__doc__)
    parser.add_argument("--only", default="", help="scenarios whose names hold these words")
    parser.add_argument("--share", type=float, default=1.0, help="of the points of dear scenarios")
    parser.add_argument("--seconds", action="store_true", help="how long each took")
    parser.add_argument("--show", type=int, default=5, help="of what is wrong, so many lines")
    options = parser.parse_args()
    total, broken = [0, 0, 0], 0
    print(f"{'scenario':<45}{'storage calls':>14}{'crash points':>14}  same end state")
    for scenario in SCENARIOS:
        if options.only not in scenario.name:
            continue
        began = time.monotonic()
        calls, _ = scenario.calm
        points = scenario.points(options.share)
        wrong = list(scenario.crashes(points))
        bad = len({one.split(": ")[0] for one in wrong})
        took = f"  {time.monotonic() - began:.1f} s" if options.seconds else ""
        said = "yes" if not bad else f"no, after {bad}"
        print(f"{scenario.name:<45}{calls:>14}{len(points):>14}  {said}{took}", flush=True)
        for one in wrong[: options.show]:
            print(f"    {one}", file=sys.stderr, flush=True)
        total = [total[0] + 1, total[1] + calls, total[2] + len(points)]
        broken += bad
    said = "all" if not broken else f"all but {broken}"
    print(f"{f'{total[0]} scenarios':<45}{total[1]:>14}{total[2]:>14}  {said}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
