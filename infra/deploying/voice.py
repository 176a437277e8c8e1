"""What a deployment says while it works, and what it asks."""

from __future__ import annotations

import sys
from typing import TextIO

from infra.deploying.errors import DeployError


class Voice:
    """Progress and questions.

    Args:
        stream: where sentences go; standard error by default.
        answers: where answers come from; standard input by default.
        yes: whether every question is answered already.
    """

    def __init__(
        self, stream: TextIO | None = None, answers: TextIO | None = None, *, yes: bool = False
    ) -> None:
        self._stream = stream or sys.stderr
        self._answers = answers or sys.stdin
        self._yes = yes

    def step(self, title: str) -> None:
        """Begin a part of the work."""
        self._write(f"\n==> {title}\n")

    def say(self, text: str) -> None:
        """Say something about it, indented below its title."""
        self._write("".join(f"    {line}\n" for line in text.splitlines()))

    def quote(self, text: str) -> None:
        """Show another program's words as they are."""
        self._write(text if text.endswith("\n") else f"{text}\n")

    def confirm(self, question: str, expected: str = "yes") -> None:
        """Go on only after this very word was typed.

        Raises:
            DeployError: when another was, or when nobody can be asked.
        """
        if self._yes:
            return
        if not self._answers.isatty():
            raise DeployError(
                "there is no terminal to ask on: look at what would change with --plan (PLAN=1), "
                "then pass --yes (YES=1)."
            )
        self._write(f"\n{question} Type {expected!r} to go on: ")
        if self._answers.readline().strip() != expected:
            raise DeployError("nothing was changed by this step: it was not approved.")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
