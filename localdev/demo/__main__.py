"""`python -m localdev.demo`: the main job on the built-in flower shop, told week by week."""

from __future__ import annotations

import argparse
import io
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType

from rich.console import Console

from localdev.demo.events import Event, document
from localdev.demo.story import Story
from localdev.demo.telling import Teller
from localdev.demo.tools import StepFailed, Tools
from localdev.options import Parser


def main(arguments: list[str] | None = None) -> int:
    """Tell the story; return the exit code: 0 if it could be told to its end."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    temporary = None if options.dir else Path(tempfile.mkdtemp(prefix="perennial-demo-"))
    directory = temporary or options.dir.expanduser().absolute()
    story = Story(Tools(directory, patience=options.patience))
    try:
        _present(story.tell(stay=options.keep), as_json=options.json)
    except (StepFailed, KeyboardInterrupt) as error:
        if not options.keep:
            with suppress(StepFailed):
                story.close()
        if isinstance(error, KeyboardInterrupt):
            return 130
        sys.stderr.write(f"{error}\n")
        return 1  # a temporary folder stays, because the message names logs in it
    if temporary and not options.keep:
        shutil.rmtree(temporary, ignore_errors=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="perennial demo", description=__doc__)
    parser.add_argument(
        "--dir", type=Path, metavar="DIR", help="where the local cloud lives; temporary if absent"
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave the local cloud running, to look around in it"
    )
    parser.add_argument("--json", action="store_true", help="print the facts as one JSON document")
    parser.add_argument(
        "--patience",
        type=float,
        default=45.0,
        metavar="SECONDS",
        help="how long any one step may take (default: 45)",
    )
    return parser


def _present(story: Iterator[Event], *, as_json: bool) -> None:
    if as_json:
        json.dump(document(story), sys.stdout, indent=2, default=str)
        sys.stdout.write("\n")
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # bars and arrows, where only ASCII is known
    teller = Teller(Console())
    try:
        for event in story:
            teller.tell(event)
    finally:
        teller.rest()


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End the story as Ctrl-C does, so that the local cloud is taken down too."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
