"""`python -m localdev.jobs`: run jobs behind the Cloud Run Admin API v2."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from localdev.clock import Clock
from localdev.jobs.app import JobsApi
from localdev.jobs.ledger import Ledger
from localdev.jobs.runner import Runner
from localdev.jobs.specification import read_jobs
from localdev.service import log_to_stderr, serve
from localdev.settings import PROJECT, REGION


async def run(options: argparse.Namespace) -> None:
    """Serve the API and run executions until stopped."""
    runner = Runner(
        read_jobs(options.jobs),
        Ledger(options.database),
        logs=options.logs,
        concurrency=options.concurrency,
        clock=Clock(options.clock_scale),
    )
    runner.recover()
    api = JobsApi(runner, options.project, options.region)
    await serve(api.application(), options.port, runner.run())


def main(arguments: list[str] | None = None) -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="python -m localdev.jobs", description=__doc__)
    parser.add_argument("--jobs", type=Path, required=True, help="JSON: what is deployed")
    parser.add_argument("--database", type=Path, required=True, help="SQLite: what was executed")
    parser.add_argument("--logs", type=Path, required=True, help="a folder, a file each")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--concurrency", type=int, default=2, help="executions at the same time")
    parser.add_argument("--clock-scale", type=float, default=1.0, metavar="S")
    parser.add_argument("--project", default=PROJECT)
    parser.add_argument("--region", default=REGION)
    options = parser.parse_args(arguments)
    log_to_stderr()
    asyncio.run(run(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
