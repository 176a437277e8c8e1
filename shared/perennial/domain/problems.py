"""Answers that are errors, as RFC 9457 writes them (`application/problem+json`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from perennial.domain.instances import Reading
from perennial.errors import PerennialError

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5

MAX_PIPELINES = 20
"""Names of other pipelines that an answer lists."""

_TYPE = "urn:perennial:problem:"
_TITLES: Mapping[str, tuple[int, str]] = {
    "malformed": (400, "The request is not what this route reads"),
    "unknown-route": (404, "There is no such route"),
    "unknown-pipeline": (404, "There is no such pipeline"),
    "unknown-version": (404, "There is no such approved version"),
    "method-not-allowed": (405, "This route does not answer that method"),
    "too-large": (413, "The request is too large"),
    "unsupported-media-type": (415, "The request is not JSON"),
    "invalid-instances": (422, "Some values cannot be read"),
    "failed": (500, "The prediction failed"),
    "not-ready": (503, "There is no model to answer with"),
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
    def document(self) -> dict[str, object]:
        """The body of the answer."""
        return {
            "type": f"{_TYPE}{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": str(self),
            **self._members,
        }


def invalid_instances(reading: Reading, ignored: Sequence[str] = ()) -> Problem:
    """A problem that names every value that could not be read.

    Args:
        reading: one with errors.
        ignored: fields that mean nothing to the model; a misspelt one is why another is missing.
    """
    first = reading.errors[0]
    where = f"instance {first.instance}" + (f", field {first.field!r}" if first.field else "")
    detail = f"{where}: expected {first.expected}, found {first.found}"
    if reading.error_count > 1:
        detail += f"; {reading.error_count} errors in all"
    members: dict[str, object] = {
        "errors": [asdict(e) for e in reading.errors],
        "error_count": reading.error_count,
    }
    if ignored:
        members["ignored"] = list(ignored)
    return Problem("invalid-instances", detail, members=members)


def unknown_pipeline(name: str, known: Sequence[str]) -> Problem:
    """A problem that names the pipelines that do exist, the nearest first."""
    from difflib import get_close_matches  # takes its time at a cold start, which needs it seldom

    longest = max(map(len, known), default=0)
    nearest = get_close_matches(name[: longest + 1], known, n=MAX_PIPELINES, cutoff=0.0)
    there = ", ".join(nearest) + (", …" if len(known) > len(nearest) else "")
    advice = f"pipelines are {there}" if nearest else "there is no pipeline yet"
    return Problem("unknown-pipeline", f"no pipeline {name!r}; {advice}")


def not_ready(detail: str) -> Problem:
    """A problem that passes with time."""
    return Problem("not-ready", detail, headers={"Retry-After": str(RETRY_SECONDS)})
