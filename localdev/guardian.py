"""Outlives the supervisor by a moment: when it is gone, however it went, so is its session.

Standard input is a pipe that only the supervisor holds open; the kernel closes it even on
`kill -9`. This works where parent-death signals do not exist, and reaches grandchildren too.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from localdev.journal import note
from localdev.processes import kill_session


def main(arguments: list[str] | None = None) -> int:
    """Wait for the end of standard input, then kill the rest of the session."""
    parser = argparse.ArgumentParser(prog="python -m localdev.guardian", description=__doc__)
    parser.add_argument("session", type=int, help="its id: the supervisor's process id")
    parser.add_argument("dir", type=Path, help="the cloud's DIR, where the end is noted")
    options = parser.parse_args(arguments)
    session = options.session
    # A polite request to stop is meant for the others; the end of the pipe comes last.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdin.buffer.read()
    # A supervisor that stops in good order ends this process first.
    note(options.dir, f"the supervisor (process {session}) is gone without a word: killed?")
    kill_session(session, spare={os.getpid()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
