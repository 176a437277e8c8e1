"""The `perennial` command: every command by name, and what a failure looks like."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version

import click

from perennial.cli.failures import EXPECTED, explain

COMMANDS = {
    "up": "up",
    "down": "up",
    "demo": "demo",
    "init": "init",
    "apply": "apply",
    "drop": "drop",
    "status": "status",
    "versions": "versions",
    "approve": "decisions",
    "reject": "decisions",
    "rollback": "decisions",
    "unpin": "decisions",
    "quarantine": "quarantine",
    "predict": "predict",
    "retrain": "retrain",
    "sweep": "sweep",
}
"""Each command and the module that holds it, in the order of the help page."""


class _Commands(click.Group):
    """Imports a command's module when it is called: most need libraries that others do not."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"perennial.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--project", metavar="ID", help="Google Cloud project to work in.")
@click.version_option(version("perennial"))
@click.pass_context
def perennial(context: click.Context, project: str | None) -> None:
    """Continuous training for tabular data: drop a file, get a better model served.

    Commands speak to the local cloud that runs in PERENNIAL_LOCAL or ./.perennial, or to a
    deployment: name its project with --project, or set the PERENNIAL_… variables.
    """
    context.obj = project


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code. A failure is one clear line on standard error."""
    try:
        result = perennial.main(arguments, prog_name="perennial", standalone_mode=False)
    except BrokenPipeError:
        # Whoever reads has seen enough; without this, Python complains when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except EXPECTED as error:
        failure = explain(error)
        click.echo(f"perennial: {failure.message}", err=True)
        return failure.code
    except (click.Abort, KeyboardInterrupt):
        return 130
    return result if isinstance(result, int) else 0
