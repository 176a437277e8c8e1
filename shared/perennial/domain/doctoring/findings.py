"""The words of a diagnosis: what was looked at, what was expected, what was found, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["ok", "problem", "unknown"]

DEPLOY = "run `make deploy`, which sets it"
"""What mends most of what drifted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a diagnosis.

    Attributes:
        check: what was looked at.
        state: `unknown` where it could not be looked at; then `fix` says what would help.
        expected: empty when all is well and nothing more is to be said.
        found: what is there instead, or a summary of what is well.
        fix: what to do about it; empty when all is well.
    """

    check: str
    state: State
    expected: str = ""
    found: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What came of looking at one thing: looking may fail, and a diagnosis goes on.

    Attributes:
        kind: `found`; `absent`, it does not exist; `forbidden`, the identity lacks a role;
            `disabled`, the project has not enabled the API; `silent`, no answer or an error.
        document: what was found.
        said: what came back otherwise.
        status: of the HTTP answer; 0 when there was none.
    """

    kind: Literal["found", "absent", "forbidden", "disabled", "silent"]
    document: Mapping[str, Any] = field(default_factory=dict)
    said: str = ""
    status: int = 0


def ok(check: str, found: str = "") -> Finding:
    """All is well."""
    return Finding(check, "ok", found=found)


def problem(check: str, expected: str, found: str, fix: str) -> Finding:
    """Something is not as it must be."""
    return Finding(check, "problem", expected, found, fix)


def unknown(check: str, expected: str, found: str, fix: str) -> Finding:
    """Nobody can say, for lack of a role or of an answer."""
    return Finding(check, "unknown", expected, found, fix)


def unseen(check: str, look: Look, *, role: str, absent: str = DEPLOY) -> list[Finding]:
    """What to say when a look found nothing; empty when it did.

    Args:
        check: what was looked at.
        look: what came of it.
        role: the least role that allows such a look.
        absent: what to do if it does not exist.
    """
    match look.kind:
        case "found":
            return []
        case "absent":
            return [problem(check, "that it exists", "it does not", absent)]
        case "forbidden":
            return [unknown(check, "a look at it", look.said, f"ask for the role {role}")]
        case "disabled":
            fix = "run `make deploy`, which enables it"
            return [problem(check, "its API to be enabled", look.said, fix)]
        case "silent":
            return [unknown(check, "an answer", look.said, "try again")]


def compared(
    check: str,
    expected: Mapping[str, object],
    found: Mapping[str, object],
    *,
    fix: str = DEPLOY,
    noted: str = "",
) -> list[Finding]:
    """One problem for each value that differs, or one `ok` that sums them up.

    Args:
        check: what the values belong to.
        expected: by name; every one of them must be as it is here.
        found: by the same names; what is missing counts as not set.
        fix: what to do about any difference.
        noted: what else the summary is to say.
    """
    differing = [name for name, value in expected.items() if found.get(name) != value]
    if not differing:
        summary = [f"{name} {shown(value)}" for name, value in expected.items()]
        return [ok(check, ", ".join([*summary, *([noted] if noted else [])]))]
    return [
        problem(f"{check}: {name}", shown(expected[name]), shown(found.get(name)), fix)
        for name in differing
    ]


def shown(value: object) -> str:
    """A value as a sentence shows it."""
    if value is None or value == "":
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def dig(document: object, *path: str | int) -> Any:
    """What lies at a path of keys and indices; None where any of them is missing."""
    for step in path:
        if isinstance(step, str) and isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(step, int) and isinstance(document, list) and step < len(document):
            document = document[step]
        else:
            return None
    return document
