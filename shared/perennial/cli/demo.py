"""`perennial demo`: the main job on the built-in flower shop."""

from __future__ import annotations

import click

from perennial.cli.local import see_through, start
from perennial.cli.output import json_option


@click.command(context_settings={"ignore_unknown_options": True})
@json_option
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
def demo(as_json: bool, flags: tuple[str, ...]) -> None:
    """Tell the main job on a flower shop, week by week.

    A local cloud of its own is started and stopped again. Further FLAGS go to the story as they
    are: --dir DIR, --keep, --patience SECONDS.
    """
    see_through(start("localdev.demo", [*flags, *(["--json"] if as_json else [])]))
