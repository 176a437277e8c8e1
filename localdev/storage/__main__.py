"""``python -m localdev.storage``: run the emulator on a directory of state."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from localdev.clock import Clock
from localdev.storage import buckets
from localdev.storage.access import NOBODY, Access
from localdev.storage.engine import Engine, Transaction
from localdev.storage.server import listen, serve


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and serve; the first line on stdout is the server's URL."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit)
    if options.until_stdin_closes:
        threading.Thread(target=_outlive_stdin, daemon=True).start()
    access = Access.read(options.access) if options.access else NOBODY
    engine = Engine(options.dir, Clock(options.clock_scale, options.clock_origin))
    try:
        engine.transact(lambda transaction: _prepare(transaction, options.bucket, options.notify))
        listener = listen(options.host, options.port)
        listener.listen()
        host, port = listener.getsockname()
        sys.stdout.write(f"http://{host}:{port}\n")
        sys.stdout.flush()
        serve(engine, listener, access)
    finally:
        engine.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localdev.storage", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="where all state is kept")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0: any free one")
    parser.add_argument(
        "--bucket",
        action="extend",
        nargs="+",
        default=[],
        metavar="NAME[:versioned]",
        help="create this bucket if it is absent",
    )
    parser.add_argument(
        "--notify",
        action="extend",
        nargs="+",
        default=[],
        metavar="BUCKET",
        help="record an event for every new object of this bucket (and of no bucket not named)",
    )
    parser.add_argument(
        "--access", type=Path, help="who has which token, and may do what; others may do everything"
    )
    parser.add_argument("--clock-scale", type=float, default=1.0, help="how fast time passes")
    parser.add_argument(
        "--clock-origin",
        type=float,
        metavar="SECONDS",
        help="moment since 1970 at which virtual and real time are equal; default: the start",
    )
    parser.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="end when stdin does, so that a parent that is killed leaves nothing running",
    )
    return parser


def _exit(*_: object) -> None:
    """End by way of every ``finally``; uvicorn repeats the signal once it has shut down."""
    sys.exit(0)


def _outlive_stdin() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _prepare(transaction: Transaction, specifications: list[str], notify: list[str]) -> None:
    for specification in [*specifications, *notify]:
        name, _, mode = specification.partition(":")
        if mode not in ("", "versioned"):
            raise SystemExit(f"--bucket: expected NAME or NAME:versioned, found {specification!r}")
        buckets.ensure(transaction, name, versioned=mode == "versioned")
    buckets.notify_only(transaction, notify)


if __name__ == "__main__":
    main()
