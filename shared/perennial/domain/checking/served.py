"""What a predict function says, as tests hear it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Served:
    """What the predict function says of a pipeline.

    Attributes:
        version, digest: what it serves.
        looked_up: seconds since it last asked the registry; None where it does not say.
        error: what keeps it from serving the champion; empty where nothing does.
    """

    version: str | None
    digest: str | None
    looked_up: float | None
    error: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What the predict function answered.

    Attributes:
        version: of the `X-Model-Version` header.
        predictions: as its document has them.
    """

    version: str | None
    predictions: Sequence[Any]
