"""What happens in the story, as plain facts: `story` yields them, `telling` prints them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from localdev.demo.shop import Mishap


@dataclass(frozen=True, slots=True)
class Chapter:
    """A new part of the story begins."""

    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A public command or request is about to be made, as a person would type it."""

    line: str


@dataclass(frozen=True, slots=True)
class Opened:
    """The local cloud is up; `endpoints` are its URLs by name."""

    directory: str
    endpoints: dict[str, str]


@dataclass(frozen=True, slots=True)
class Week:
    """A week's file has its verdict.

    Attributes:
        week: its first day.
        name: the object's name in the landing bucket.
        visits: how many visits the shop had.
        verdict: accepted, quarantined, …
        mishap: what the shop had done wrong; None for a good file.
        again: whether this is the second attempt at the week.
    """

    week: date
    name: str
    visits: int
    verdict: str
    mishap: Mishap | None
    again: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a quarantined file broke, as its report says."""

    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """A quarantined file's report was read."""

    name: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """A week's progressive score: predicted by the champion of the time, then learned.

    Attributes:
        week: its first day.
        version: that champion.
        rows: rows predicted.
        loss: mean log loss over them.
    """

    week: date
    version: str
    rows: int
    loss: float


@dataclass(frozen=True, slots=True)
class Trained:
    """A training run ended.

    Attributes:
        run: its id.
        outcome: promoted, rejected, …
        reason: why, in one sentence.
        version: what it made, if it made something.
        champion: which version serves after it.
        scored: the progressive scores that it brought.
    """

    run: str
    outcome: str
    reason: str
    version: str | None
    champion: str | None
    scored: tuple[Scored, ...]


@dataclass(frozen=True, slots=True)
class Month:
    """Static against dynamic over the weeks that began in a month.

    Attributes:
        month: such as `2026-02`.
        visits: rows in those weeks.
        static: mean log loss of the version that was trained once, asked over HTTP.
        dynamic: mean log loss of whichever version was champion when a week came.
    """

    month: str
    visits: int
    static: float
    dynamic: float


@dataclass(frozen=True, slots=True)
class Served:
    """An answer of the predict function for one visitor.

    Attributes:
        version: the version that answered, from the X-Model-Version header.
        bought: the predicted probability of a sale.
        seconds: from the end of the command that moved the champion; None where none did.
    """

    version: str
    bought: float
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Curled:
    """A prediction by `curl`: the line to type, and the answer as it came."""

    line: str
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Closed:
    """The story is over; unless it `stays`, the local cloud is down."""

    seconds: float
    stays: bool


Event = Chapter | Command | Opened | Week | Diagnosed | Trained | Month | Served | Curled | Closed

_ONCE: dict[type[Event], str] = {Opened: "opened", Curled: "prediction", Closed: "closed"}
_OFTEN: dict[type[Event], str] = {
    Week: "weeks",
    Diagnosed: "quarantined",
    Trained: "runs",
    Month: "months",
    Served: "served",
}


def document(story: Iterable[Event]) -> dict[str, Any]:
    """The story's facts as one JSON-like document: a list for each thing that happens often."""
    facts: dict[str, Any] = {key: [] for key in _OFTEN.values()}
    for event in story:
        kind = type(event)
        if key := _ONCE.get(kind):
            facts[key] = asdict(event)
        elif key := _OFTEN.get(kind):
            facts[key].append(asdict(event))
    return facts
