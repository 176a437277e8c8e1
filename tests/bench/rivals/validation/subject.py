"""What every subject of tests.bench.validation shares: the rules as plain data, and its report.

Standard library only: each subject runs in the environment that it needs.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
INTEGERS = ("quantity", "visits", "age")
NUMBERS = ("price", "discount", "weight", "distance", "amount")
NULLABLE = ("channel", "age", "discount")
RANGES = {
    "quantity": (1, 100),
    "visits": (0, 1000),
    "age": (0, 120),
    "price": (0, 10_000),
    "discount": (0, 1),
    "weight": (0, 500),
    "distance": (0, 20_000),
    "amount": (0, None),
}
ALLOWED = {"region": ("north", "east", "south", "west"), "channel": ("web", "shop", "phone")}
PATTERNS = {"sku": "[A-Z]{2}-[0-9]{4}"}
KEY = "order"
COLUMNS = (
    "order", "at", "region", "sku", "channel", "quantity", "visits", "age", "price", "discount",
    "weight", "distance", "member", "amount",
)  # fmt: skip


def report(judge: Callable[[Path], Iterable[int]]) -> None:
    """Judge the file that the command line names, once, and print what it took as JSON.

    Args:
        judge: gives the lines of the rows that fail; the header is line 1.
    """
    began = time.perf_counter()
    lines = sorted(set(judge(Path(sys.argv[1]))))
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "peak_mib": _peak_mib(), "lines": lines}))


def _peak_mib() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        # Not ru_maxrss, which on Linux begins with what the parent process had resident.
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
