"""The four conditions on generation and metageneration that a request may carry."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from localdev.storage.errors import BadRequest, NotModified, PreconditionFailed


class Numbered(Protocol):
    """What conditions speak about."""

    @property
    def generation(self) -> int:
        """Which content."""
        ...

    @property
    def metageneration(self) -> int:
        """Which state of its metadata."""
        ...


@dataclass(frozen=True, slots=True)
class Preconditions:
    """Conditions on an object; an object that does not exist counts as generation 0."""

    generation_match: int | None = None
    generation_not_match: int | None = None
    metageneration_match: int | None = None
    metageneration_not_match: int | None = None

    @classmethod
    def parse(cls, parameters: Mapping[str, object], prefix: str = "if") -> "Preconditions":
        """Read conditions from query parameters, or from the body of a compose request.

        Args:
            parameters: Where to look for ``{prefix}GenerationMatch`` and its three siblings.
            prefix: ``if``, or ``ifSource`` for the source of a copy.

        Raises:
            BadRequest: A value is not an integer.
        """
        return cls(
            integer(parameters, f"{prefix}GenerationMatch"),
            integer(parameters, f"{prefix}GenerationNotMatch"),
            integer(parameters, f"{prefix}MetagenerationMatch"),
            integer(parameters, f"{prefix}MetagenerationNotMatch"),
        )

    def check(self, found: Numbered | None, *, reading: bool = False) -> None:
        """Compare the conditions with what is there.

        Args:
            found: The object that the request addresses, None if there is none.
            reading: Whether the request only reads; then a "not match" that matches is no failure.

        Raises:
            PreconditionFailed: A condition does not hold.
            NotModified: While reading, a "not match" condition does not hold.
        """
        generation = found.generation if found else 0
        metageneration = found.metageneration if found else 0
        _require_match("ifGenerationMatch", self.generation_match, generation)
        _require_match("ifMetagenerationMatch", self.metageneration_match, metageneration)
        refusal = NotModified if reading else PreconditionFailed
        for label, unwanted, actual in (
            ("ifGenerationNotMatch", self.generation_not_match, generation),
            ("ifMetagenerationNotMatch", self.metageneration_not_match, metageneration),
        ):
            if unwanted == actual:
                raise refusal(f"{label}: expected anything but {unwanted}, found just that.")


def integer(parameters: Mapping[str, object], key: str) -> int | None:
    """An integer parameter, which JSON may write as a string.

    Raises:
        BadRequest: The value is not an integer.
    """
    value = parameters.get(key)
    if value is None:
        return None
    try:
        return int(str(value))
    except ValueError:
        raise BadRequest(f"{key}: expected an integer, found {value!r}.") from None


def _require_match(label: str, expected: int | None, actual: int) -> None:
    if expected is not None and expected != actual:
        raise PreconditionFailed(f"{label}: expected {expected}, found {actual}.")
