"""What a definition says to `predict`, in the form that `predict` reads.

Standard library only: the request path reads no YAML and validates no definition. `apply` writes
it beside the definition, whose digest names it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """How a pipeline's champion answers, and what is kept of it.

    The defaults are for a definition that says nothing of it, because an earlier release put it in
    force: predictions are logged, and nothing of the instances.

    Attributes:
        sample: the share of requests that the prediction log holds.
        features: the share of those whose features it holds too.
        keys: key columns that it holds.
        leave_out: columns that it never holds.
        shadow: whether the newest version that waits answers too, for the log alone.
        cors: origins whose pages may ask, and read the answers.
        holdout: the share of requests whose callers are told to do without the predictions.
    """

    sample: float = 1.0
    features: float = 0.0
    keys: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    shadow: bool = False
    cors: tuple[str, ...] = ()
    holdout: float = 0.0
    format: int = 1

    def to_json(self) -> bytes:
        """The stored form."""
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form; what a later release added means nothing here.

        Raises:
            ValueError: when it is not one.
        """
        document = json.loads(data)
        if not isinstance(document, dict):
            raise ValueError(f"expected a mapping, found {type(document).__name__}")  # noqa: TRY004
        known = {key: document[key] for key in cls.__dataclass_fields__ if key in document}
        for key in ("keys", "leave_out", "cors"):
            known[key] = tuple(known.get(key, ()))
        return cls(**known)
