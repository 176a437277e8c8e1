"""The `perennial` command: every command by name, and what a failure looks like."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from keyword import iskeyword

import click

from perennial.cli.failures import EXPECTED, Failure, explain, shows_help
from perennial.cli.output import emit

COMMANDS = {
    "up": "up",
    "down": "up",
    "demo": "demo",
    "init": "init",
    "apply": "apply",
    "schema": "schema",
    "gate-test": "gate_test",
    "drop": "drop",
    "status": "status",
    "report": "report",
    "versions": "versions",
    "approve": "decisions",
    "reject": "decisions",
    "rollback": "decisions",
    "unpin": "decisions",
    "quarantine": "quarantine",
    "recall": "recall",
    "predict": "predict",
    "score": "score",
    "check": "check",
    "retrain": "retrain",
    "rebuild": "rebuild",
    "import": "importing",
    "export": "export",
    "replay": "replay",
    "ablate": "ablate",
    "sweep": "sweep",
    "monitor": "monitor",
    "doctor": "doctor",
}
"""Each command and the module that holds it, in the order of the help page."""


def _attribute(command: str) -> str:
    """What a command is called in its module."""
    return command.replace("-", "_") + "_" * iskeyword(command)


class _Commands(click.Group):
    """Imports a command's module when it is called: most need libraries that others do not."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"perennial.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, _attribute(cmd_name))
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
    """Run a command; return the exit code.

    A failure is one clear line on standard error, and with --json also the one document on standard
    output: `{"error": {"type": …, "message": …}}`.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        result = perennial.main(words, prog_name="perennial", standalone_mode=False)
    except BrokenPipeError:
        # Whoever reads has seen enough; without this, Python complains when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except EXPECTED as error:
        if shows_help(error):
            click.echo(error, err=True)
            return 2
        # Not from the parsed options: the mistake may lie in them.
        return _failed(explain(error), as_json="--json" in words)
    except (click.Abort, KeyboardInterrupt):
        return 130
    return result if isinstance(result, int) else 0


def _failed(failure: Failure, *, as_json: bool) -> int:
    if as_json and not failure.told:
        document = {"error": {"type": failure.type, "message": failure.message}}
        emit(document, (), as_json=True)
    click.echo(f"perennial: {failure.message}", err=True)
    return failure.code
