"""`python -m localdev up|down`: the local cloud."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from localdev.cloud import CloudError, down, up
from localdev.endpoints import SERVICES
from localdev.journal import note
from localdev.options import Parser, add_arguments, check


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return its exit code."""
    parser = Parser(prog="python -m localdev", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    text = "start a local cloud; state in DIR survives a restart or a kill"
    starting = commands.add_parser("up", help=text, description=text)
    starting.add_argument("--detach", action="store_true", help="return when everything answers")
    add_arguments(starting)
    text = "stop the local cloud that runs in DIR"
    stopping = commands.add_parser("down", help=text, description=text)
    stopping.add_argument("--dir", type=Path, required=True, metavar="DIR")
    options = parser.parse_args(arguments)
    if options.command == "down":
        stopped = down(options.dir)
        _say(f"{'stopped' if stopped else 'nothing runs'} in {options.dir}")
        return 0
    try:
        check(options)
    except ValueError as error:
        starting.error(str(error))
    try:
        return _up(options)
    except CloudError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"{error.filename or options.dir}: {error.strerror or error}")
    except KeyboardInterrupt:
        return 130


def _up(options: argparse.Namespace) -> int:
    document, process = up(options)
    if process is None or options.detach:
        if process is None:
            _say(f"a cloud already runs in {options.dir}, with the options it was started with")
        _say_urls(document)
        return 0

    def pass_on(number: int, frame: FrameType | None) -> None:
        note(options.dir, f"told to stop: `up` (process {os.getpid()}) got SIGTERM")
        process.terminate()

    signal.signal(signal.SIGTERM, pass_on)
    try:
        _say_urls(document)
        _say("Ctrl-C stops it")
        return process.wait()
    except KeyboardInterrupt:
        note(
            options.dir, f"told to stop: `up` (process {os.getpid()}) was interrupted, as by Ctrl-C"
        )
        process.terminate()
        return process.wait()


def _say_urls(document: dict[str, Any]) -> None:
    for service in SERVICES:
        if service in document:
            _say(f"{service:<10}{document[service]}")


def _fail(complaint: str) -> int:
    sys.stderr.write(f"{complaint}\n")
    return 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
