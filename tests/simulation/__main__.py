"""Run many seeds: ``python -m tests.simulation --seeds N [--from K] [--trace]``.

Each seed is a deployment in memory, in which ingest, training, promotion, operators, the sweep and
predict take turns, while calls to storage fail, hang, lose their answers or end the process. At
rest every invariant is checked. The same seed does the same wherever it runs; one that fails is
made as small as it can be, and printed for `tests/simulation/kept/`.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.simulation.minimising import minimised
from tests.simulation.plan import FAULTS, Plan
from tests.simulation.running import Outcome, run

KEPT = Path(__file__).with_name("kept")


def main() -> int:
    """Run what was asked for; 1 when anything does not hold."""
    parser = argparse.ArgumentParser(prog="tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, metavar="N", help="how many")
    parser.add_argument("--from", type=int, default=0, metavar="K", dest="first", help="the first")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="at a time")
    parser.add_argument("--plan", type=Path, metavar="FILE", help="run this plan instead")
    parser.add_argument("--trace", action="store_true", help="print every call of one seed")
    options = parser.parse_args()
    logging.disable()
    if options.plan or options.trace:
        plan = (
            Plan.from_json(options.plan.read_text()) if options.plan else Plan.draw(options.first)
        )
        return _one(plan, traced=options.trace)
    began = time.monotonic()
    counts: Counter[str] = Counter()
    failed: list[Outcome] = []
    for outcome in _outcomes(options.first, options.seeds, options.processes):
        counts.update(outcome.counts)
        counts["seeds"] += 1
        if outcome.broken:
            failed.append(outcome)
            print(f"seed {outcome.plan.seed}: {outcome.broken[0]}", flush=True)
    print(_told(counts, time.monotonic() - began))
    if failed:
        print("the first, made as small as it can be:")
        _one(minimised(failed[0].plan, lambda plan: bool(run(plan).broken)), traced=True)
    print(f"{len(failed)} seeds failed")
    return bool(failed)


def _outcomes(first: int, seeds: int, processes: int) -> Iterator[Outcome]:
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(draw_and_run, range(first, first + seeds), chunksize=10)


def draw_and_run(seed: int) -> Outcome:
    """One seed, as a process of its own runs it."""
    logging.disable()
    return run(Plan.draw(seed))


def _one(plan: Plan, *, traced: bool) -> int:
    outcome = run(plan, traced=traced)
    print(*outcome.lines, sep="\n")
    print(plan.to_json())
    print(*(outcome.broken or ["all is well"]), f"trace {outcome.trace[:16]}", sep="\n")
    return bool(outcome.broken)


def _told(counts: Counter[str], seconds: float) -> str:
    befallen = ", ".join(f"{counts[kind]:,} {kind}" for kind in FAULTS)
    return (
        f"{counts['seeds']:,} seeds in {seconds:.0f} s: {counts['calls']:,} calls to the outside; "
        f"{sum(counts[kind] for kind in FAULTS):,} faults ({befallen}); "
        f"{counts['deaths']:,} processes died\n"
        f"{counts['uploads']:,} files uploaded, {counts['events delivered']:,} events delivered "
        f"({counts['events doubled']:,} doubled, {counts['events lost']:,} lost); "
        f"{counts['jobs']:,} jobs, {counts['commits']:,} commits, {counts['champions']:,} "
        f"champions, {counts['predictions']:,} predictions"
    )


if __name__ == "__main__":
    sys.exit(main())
