"""Take out every guard, one at a time, and see a test fail: ``python -m tests.mutation``.

Exit code 0 when each mutant is killed by an assertion; 1 when one survives, breaks or hangs; 2 when
the tests fail without any mutation, or the table does not fit the sources.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutation.mutations import GuardMoved, Mutation
from tests.mutation.table import MUTATIONS
from tests.mutation.trial import Outcome, Tree


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="TEXT", help="those with any of it in the name"
    )
    parser.add_argument("--at-once", type=int, default=1, metavar="N", help="trees; 1 by default")
    parser.add_argument("--list", action="store_true", help="name the mutations and end")
    arguments = parser.parse_args()
    chosen = [one for one in MUTATIONS if any(text in one.name for text in arguments.only)]
    if arguments.list:
        print("\n".join(one.name for one in chosen))
        return 0
    try:
        for one in chosen:
            one.mutated()
    except GuardMoved as error:
        print(error, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="perennial-mutation-") as folder:
        return _run(chosen, Path(folder), arguments.at_once)


def _run(chosen: Sequence[Mutation], folder: Path, at_once: int) -> int:
    started = time.monotonic()
    trees: SimpleQueue[Tree] = SimpleQueue()
    for number in range(at_once):
        trees.put(Tree.copied(folder / str(number)))
    if not _passes(chosen, trees):
        return 2

    def try_out(mutation: Mutation) -> Outcome:
        tree = trees.get()
        try:
            return tree.try_out(mutation)
        finally:
            trees.put(tree)

    outcomes = []
    with ThreadPoolExecutor(at_once) as pool:
        for outcome in pool.map(try_out, chosen):
            outcomes.append(outcome)
            print(_line(outcome), flush=True)
    alive = [one for one in outcomes if one.verdict != "killed"]
    print(
        f"{len(outcomes)} mutants: {len(outcomes) - len(alive)} killed, {len(alive)} not, "
        f"in {time.monotonic() - started:.0f} s"
    )
    return 1 if alive else 0


def _passes(chosen: Sequence[Mutation], trees: SimpleQueue[Tree]) -> bool:
    """Whether every test passes while no guard is missing: else it proves nothing."""
    tree = trees.get()
    tests = list(dict.fromkeys(test for one in chosen for test in one.tests))
    started = time.monotonic()
    code, failures = tree.test(tests)
    trees.put(tree)
    if code != 0:
        first = f"{failures[0]['test']} {failures[0]['said']}" if failures else f"code {code}"
        print(f"the tests fail without any mutation: {first}", file=sys.stderr)
        return False
    print(f"without a mutation all pass ({time.monotonic() - started:.0f} s)", flush=True)
    return True


def _line(outcome: Outcome) -> str:
    by = outcome.by.rpartition("/")[2] or outcome.said
    mark = outcome.verdict if outcome.verdict == "killed" else outcome.verdict.upper()
    told = "" if outcome.verdict == "killed" or not outcome.by else f" ({outcome.said[:120]})"
    return f"{mark:<9}{outcome.seconds:5.1f} s  {outcome.mutation.name:<64} {by}{told}"


if __name__ == "__main__":
    sys.exit(main())
