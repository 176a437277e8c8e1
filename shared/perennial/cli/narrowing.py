"""Which of the files in quarantine a command is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import click

from perennial.domain.verdict import STATES, VerdictSummary
from perennial.workflows.quarantine import Hospital

_OPTIONS = (
    click.option("--rule", help="Only the files that break this rule."),
    click.option(
        "--file", "pattern", metavar="GLOB", help="Only files with such a name in landing."
    ),
    click.option("--state", type=click.Choice(sorted(STATES)), help="Only files in this state."),
    click.option(
        "--since",
        type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
        metavar="DATE",
        help="Only files decided about since then (UTC).",
    ),
)


def narrowing(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that `Narrowed` is made of."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Conditions on files in the hospital; None leaves all of them.

    Attributes:
        rule: one that the file breaks.
        pattern: what its name in landing is like, with or without the pipeline's folder.
        state: quarantined, suspect or rows.
        since: when the decision in force was made, at the earliest (UTC).
    """

    rule: str | None = None
    pattern: str | None = None
    state: str | None = None
    since: datetime | None = None

    def of(self, hospital: Hospital) -> Iterator[VerdictSummary]:
        """The files that meet them, with the rules that they break."""
        since = self.since and self.since.replace(tzinfo=UTC)
        for held in hospital.list():
            short = held.file.name.removeprefix(f"{hospital.pipeline}/")
            if (
                self.state in (None, held.state)
                and (since is None or held.decided >= since)
                and (
                    self.pattern is None
                    or fnmatchcase(short, self.pattern)
                    or fnmatchcase(held.file.name, self.pattern)
                )
            ):
                # Last, because it may take a read.
                whole = hospital.with_rules(held)
                if self.rule in (None, *whole.rules):
                    yield whole
