"""The story on a terminal: each event as a line or two; plain text where there is no terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import singledispatchmethod

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from localdev.demo.comparison import COIN_TOSS
from localdev.demo.events import (
    Chapter,
    Closed,
    Command,
    Curled,
    Diagnosed,
    Event,
    Month,
    Opened,
    Scored,
    Served,
    Trained,
    Week,
)

_BAR = 32
"""Characters for a loss of 1."""
_PARENTHESIS = re.compile(r" \([^)]*\)")
_OUTCOMES = {"waiting_approval": "waits for approval", "nothing_new": "nothing new"}
_VERDICT_STYLES = {"accepted": "green", "quarantined": "red"}
_MISHAPS = {
    "html": "an error page, saved as .csv",
    "cents": "amounts in cents, not euros",
    "truncated": "an upload that broke off",
}

YOUR_OWN = """\
  perennial up --detach
  perennial init mine --sample data/first.csv --label COLUMN --event-time COLUMN -o mine.yaml
  perennial apply mine.yaml
  perennial drop mine data/ --backfill --wait
  perennial predict mine --file rows.csv
"""


class Teller:
    """Prints events as they come, with a spinner while a command works.

    Args:
        console: where to print.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._chapter = 0
        self._directory = ""
        self._in_chart = False
        self._working: Status | None = None

    def tell(self, event: Event) -> None:
        """Print one event."""
        self.rest()
        self._tell(event)

    def rest(self) -> None:
        """Take the spinner away."""
        if self._working:
            self._working.stop()
            self._working = None

    @singledispatchmethod
    def _tell(self, event: Event) -> None:
        raise TypeError(f"no words for {type(event).__name__}")

    @_tell.register
    def _(self, event: Chapter) -> None:
        self._chapter += 1
        self._line(f"\n[bold]{self._chapter}  {event.title}[/]")
        if event.text:
            self._line(f"   [dim]{event.text}[/]")

    @_tell.register
    def _(self, event: Command) -> None:
        self._line(f"   [cyan]$ {escape(event.line)}[/]")
        if self._console.is_terminal:
            self._working = self._console.status("", spinner="dots")
            self._working.start()

    @_tell.register
    def _(self, event: Opened) -> None:
        self._directory = event.directory
        for name in ("storage", "predict"):
            self._line(f"     {name:<9}{event.endpoints[name]}")

    @_tell.register
    def _(self, event: Week) -> None:
        style = _VERDICT_STYLES.get(event.verdict, "yellow")
        note = _MISHAPS[event.mishap] if event.mishap else "sent again" if event.again else ""
        facts = f"{event.week:%d %b %Y}  {event.visits} visits  [{style}]{event.verdict}[/]"
        self._line(f"     {facts}  [dim]{note}[/]" if note else f"     {facts}")

    @_tell.register
    def _(self, event: Diagnosed) -> None:
        for finding in event.findings:
            self._line(f"     [red]{finding.rule}[/]: {escape(finding.message)}")

    @_tell.register
    def _(self, event: Trained) -> None:
        made = f"[bold]{event.version}[/] " if event.version else ""
        reason = _PARENTHESIS.sub("", event.reason)  # intervals and tolerances: `versions` has them
        self._line(f"     → {made}{_OUTCOMES.get(event.outcome, event.outcome)}")
        self._line(f"       {escape(reason)}")
        if event.scored:
            self._line(f"       [dim]{_proof(event.scored)}[/]")

    @_tell.register
    def _(self, event: Month) -> None:
        if not self._in_chart:
            self._in_chart = True
            toss = " " * (23 + round(COIN_TOSS * _BAR))
            self._line(f"\n{toss}[dim]┌ a coin toss: {COIN_TOSS:.3f}[/]")
        self._line(f"     {event.month}  static   {_bar(event.static, 'red')}")
        self._line(f"              dynamic  {_bar(event.dynamic, 'green')}")

    @_tell.register
    def _(self, event: Served) -> None:
        after = "" if event.seconds is None else f" {event.seconds:.1f} s later"
        self._line(
            f"     the answer comes from [bold]{event.version}[/]{after}: "
            f"roses and a card on 13 February are bought with {event.bought:.1%}"
        )

    @_tell.register
    def _(self, event: Curled) -> None:
        self._line(f"     {escape(json.dumps(event.answer))}")

    @_tell.register
    def _(self, event: Closed) -> None:
        down = f"perennial down --dir {self._directory}"
        what = f"the cloud stays up until [cyan]{down}[/]" if event.stays else "everything is down"
        self._line(f"     {what}; told in {event.seconds:.0f} s")
        self._line("\n[bold]The same with your own data[/]")
        self._console.print(YOUR_OWN, markup=False, highlight=False, soft_wrap=True)

    def _line(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)


def _proof(scored: Sequence[Scored]) -> str:
    """How the champions had done on the files that a run brought, before anything learned them."""
    loss = sum(score.loss * score.rows for score in scored) / sum(score.rows for score in scored)
    versions = " and ".join(sorted({score.version for score in scored}))
    return f"{versions} had predicted these weeks unseen, at a loss of {loss:.3f} per visit"


def _bar(loss: float, style: str) -> str:
    """A bar with a mark where a coin toss is."""
    cells = ["█"] * round(loss * _BAR)
    cells += [" "] * (round(COIN_TOSS * _BAR) + 1 - len(cells))
    cells[round(COIN_TOSS * _BAR)] = "┊"
    return f"[{style}]{''.join(cells)}[/] {loss:.3f}"
