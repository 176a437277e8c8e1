"""What is told of a change, to a log or to a webhook."""

from __future__ import annotations

from typing import Any

from perennial.domain.monitoring.report import Change
from perennial.domain.words import printable

_LONGEST = 1500  # characters: chats cut or refuse more


def sentence(pipeline: str, change: Change) -> str:
    """One line for people."""
    finding = change.finding
    subject = f" of {finding.subject}" if finding.subject else ""
    what = f"{pipeline}: {finding.kind.replace('_', ' ')}{subject}"
    if change.what == "closed":
        return _short(f"{what} is over, since {finding.opened:%Y-%m-%d %H:%M}: {finding.summary}")
    worse = " got worse" * (change.what == "worsened")
    return _short(f"{what}{worse}: {finding.summary}")


def document(pipeline: str, change: Change) -> dict[str, Any]:
    """The same for machines: `text` is what chats show, all else names its parts."""
    finding = change.finding
    return {
        "text": sentence(pipeline, change),
        "pipeline": pipeline,
        "change": change.what,
        "kind": finding.kind,
        "subject": finding.subject,
        "severity": finding.severity,
        "summary": _short(finding.summary),
        "advice": _short(finding.advice),
        "opened": finding.opened.isoformat(),
        "closed": finding.closed and finding.closed.isoformat(),
    }


def _short(text: str) -> str:
    """In one line and bounded: names in it come from users."""
    line = printable(text, " ")
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
