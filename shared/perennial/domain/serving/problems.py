"""Answers that are errors, as RFC 9457 writes them (`application/problem+json`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from perennial.domain.serving.instance_values import shortened
from perennial.domain.serving.instances import FieldError, Reading
from perennial.errors import PerennialError

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5

MAX_PIPELINES = 20
"""Names of other pipelines that an answer lists."""

MAX_PARAMETER = 80
"""Characters of an unknown parameter that are compared with those there are."""

_TYPE = "urn:perennial:problem:"
_TITLES: Mapping[str, tuple[int, str]] = {
    "malformed": (400, "The request is not what this route reads"),
    "unknown-route": (404, "There is no such route"),
    "unknown-pipeline": (404, "There is no such pipeline"),
    "unknown-version": (404, "There is no such approved version"),
    "unknown-key": (404, "There is no prediction for that key"),
    "method-not-allowed": (405, "This route does not answer that method"),
    "too-large": (413, "The request is too large"),
    "unsupported-media-type": (415, "The request is in no form that this route reads"),
    "invalid-instances": (422, "Some values cannot be read"),
    "failed": (500, "The prediction failed"),
    "not-ready": (503, "There is no model to answer with"),
    "look-up-failed": (503, "What was predicted cannot be looked up"),
}
"""Every problem that `predict` answers: the end of its type, its status, its title."""

TYPES = tuple(_TYPE + slug for slug in _TITLES)


class Problem(PerennialError):
    """An answer that is an error.

    Args:
        slug: a key of the table above.
        detail: what was expected, what was found, what to do.
        headers: what the answer must carry.
        members: further members of the document.
    """

    def __init__(
        self,
        slug: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.slug = slug
        self.status, self.title = _TITLES[slug]
        self.headers = dict(headers or {})
        self._members = dict(members or {})

    @property
    def type(self) -> str:
        """What kind of problem it is, as a URI."""
        return f"{_TYPE}{self.slug}"

    @property
    def document(self) -> dict[str, object]:
        """The body of the answer."""
        return {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": str(self),
            **self._members,
        }


class InvalidInstances(Problem):
    """A problem that names every value that could not be read.

    Args:
        reading: one with errors.
        ignored: fields that mean nothing to the model; a misspelt one is why another is missing.
        lines: of CSV, the line of each instance.
    """

    def __init__(
        self, reading: Reading, ignored: Sequence[str] = (), lines: Sequence[int] = ()
    ) -> None:
        errors = [_located(error, lines) for error in reading.errors]
        detail = _sentence(errors[0])
        if reading.error_count > 1:
            detail += f"; {reading.error_count} errors in all"
        members: dict[str, object] = {"errors": errors, "error_count": reading.error_count}
        if ignored:
            members["ignored"] = list(ignored)
        super().__init__("invalid-instances", detail, members=members)
        self._reading, self._ignored = reading, ignored

    @property
    def error_count(self) -> int:
        """How many values could not be read."""
        return self._reading.error_count

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns of the listed ones, each once."""
        return tuple(dict.fromkeys(one.field for one in self._reading.errors if one.field))

    def in_lines(self, lines: Sequence[int]) -> InvalidInstances:
        """The same, for someone who sent lines of CSV; of JSON there are none."""
        return InvalidInstances(self._reading, self._ignored, lines)


def invalid_instances(reading: Reading, ignored: Sequence[str] = ()) -> InvalidInstances:
    """See `InvalidInstances`."""
    return InvalidInstances(reading, ignored)


def _located(error: FieldError, lines: Sequence[int]) -> dict[str, object]:
    found: dict[str, object] = asdict(error)
    if lines:
        found["line"] = lines[error.instance]
        if error.found == "null":  # which no cell can be: one with this word has quotes here
            found["found"] = "an empty cell"
    return found


def _sentence(error: Mapping[str, object]) -> str:
    if "line" in error:
        where = f"line {error['line']}, column {error['field']!r}"
    else:
        where = f"instance {error['instance']}"
        where += f", field {error['field']!r}" if error["field"] else ""
    return f"{where}: expected {error['expected']}, found {error['found']}"


def unknown_pipeline(name: str, known: Sequence[str]) -> Problem:
    """A problem that names the pipelines that do exist, the nearest first."""
    from difflib import get_close_matches  # takes its time at a cold start, which needs it seldom

    longest = max(map(len, known), default=0)
    nearest = get_close_matches(name[: longest + 1], known, n=MAX_PIPELINES, cutoff=0.0)
    there = ", ".join(nearest) + (", …" if len(known) > len(nearest) else "")
    advice = f"pipelines are {there}" if nearest else "there is no pipeline yet"
    return Problem("unknown-pipeline", f"no pipeline {shortened(name)!r}; {advice}")


def unknown_parameter(name: str, known: Sequence[str]) -> Problem:
    """A problem of the query, which names the nearest parameter that there is."""
    from difflib import get_close_matches  # as above

    nearest = get_close_matches(name[:MAX_PARAMETER], known, n=1, cutoff=0.0)
    there = f"did you mean {nearest[0]}?" if nearest else "this route has none"
    return Problem("malformed", f"no query parameter {shortened(name)!r}; {there}")


def not_ready(detail: str) -> Problem:
    """A problem that passes with time."""
    return Problem("not-ready", detail, headers={"Retry-After": str(RETRY_SECONDS)})


def look_up_failed(detail: str) -> Problem:
    """A problem of the store, which passes with time."""
    return Problem("look-up-failed", detail, headers={"Retry-After": str(RETRY_SECONDS)})
