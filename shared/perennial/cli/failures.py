"""What a failed command says: which kind of failure, one clear line, the exit code."""

from __future__ import annotations

import os
from dataclasses import dataclass

import click

from perennial.cli.local import LocalCloudError
from perennial.cli.output import INSTEAD, Shortfall
from perennial.domain.words import printable
from perennial.errors import InvariantBroken, PerennialError

EXPECTED = (click.ClickException, PerennialError, OSError, UnicodeError)
"""What a command may fail with; anything else is a mistake of ours and shows where it happened."""

_ADVICE: dict[type[OSError], str] = {
    FileNotFoundError: "check the path, and make its folder first if that is missing",
    NotADirectoryError: "check the path",
    IsADirectoryError: "give a file, not a folder",
    PermissionError: "change its permissions, or choose another place",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed command.

    Attributes:
        type: what kind of failure, as --json tells it: the name of an error in
            `perennial.errors`, else UsageError, OSError or UnicodeError.
        message: one line: what was expected, what was found, what to do.
        code: the exit code: 2 where the command line is wrong, else 1 unless the command says more.
        told: whether the command has printed its document already.
    """

    type: str
    message: str
    code: int = 1
    told: bool = False


def shows_help(error: Exception) -> bool:
    """Whether a group of commands was called without any, and this is its help and no mistake."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    return context is not None and str(error) == context.get_help()


def explain(error: Exception) -> Failure:
    """Say what went wrong, from one of the errors in `EXPECTED`."""
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "perennial"
        message = f"{error.format_message()} See `{path} --help`."
        return Failure("UsageError", _line(message), error.exit_code)
    if isinstance(error, Shortfall):
        return Failure("Shortfall", _line(str(error)), error.code, told=True)
    if isinstance(error, LocalCloudError):
        return Failure("LocalCloudError", _line(str(error)), error.code)
    if isinstance(error, click.ClickException):
        return Failure(type(error).__name__, _line(error.format_message()), error.exit_code)
    if isinstance(error, InvariantBroken):
        return Failure("InvariantBroken", _line(f"what must never happen did: {error}"))
    if isinstance(error, PerennialError):
        return Failure(type(error).__name__, _line(str(error)))
    if isinstance(error, UnicodeError):
        return Failure("UnicodeError", _line(_about_text(error)))
    if isinstance(error, OSError):
        return Failure("OSError", _line(_about_file(error)))
    raise TypeError("not one of the errors that commands are expected to fail with") from error


def _about_file(error: OSError) -> str:
    if error.filename is None or error.errno is None:
        return f"no answer from the system or the network: {error}"
    place = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename
    said = os.strerror(error.errno)
    advice = next((words for kind, words in _ADVICE.items() if isinstance(error, kind)), "")
    return f"{place}: {said[:1].lower()}{said[1:]}{f': {advice}' if advice else ''}"


def _about_text(error: UnicodeError) -> str:
    if isinstance(error, UnicodeEncodeError):
        character = error.object[error.start]
        return (
            f"{character!a} cannot be written as {error.encoding}: "
            "set PYTHONUTF8=1, or rename what has it in its name"
        )
    if isinstance(error, UnicodeDecodeError):
        return f"expected {error.encoding} text, found the byte 0x{error.object[error.start]:02X}"
    return str(error)


def _line(message: str) -> str:
    """All of it on one line, since scripts read lines, and fit for any of them to print."""
    whole = "; ".join(line.strip() for line in message.splitlines() if line.strip())
    whole = whole.encode("utf-8", "backslashreplace").decode()
    return printable(whole, INSTEAD)
