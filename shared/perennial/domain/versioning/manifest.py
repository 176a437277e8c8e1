"""What a model version is made of: its inputs, its files with their digests, its lineage.

Standard library only, because `predict` ships with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, Self

InputType = Literal["integer", "number", "boolean", "category", "text", "timestamp"]


@dataclass(frozen=True, slots=True)
class Input:
    """One column that the model reads, and the graph's tensor that carries it.

    Each tensor has shape [rows, 1]:

    - integer, number, boolean: float32; a missing value is NaN;
    - category: string as it came; a missing value is "";
    - text: string, normalised by the function that the manifest names; a missing value is "";
    - timestamp: int64 seconds since 1970 (UTC); a missing value is the lowest int64.
    """

    name: str
    tensor: str
    type: InputType
    nullable: bool = False
    format: str | None = None


@dataclass(frozen=True, slots=True)
class FileDigest:
    """A file of the version: SHA-256 in hex, and bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A version, whole; written last, so that a version without one does not exist.

    The graph has one output: `prediction`, float32 [rows, 1], for regression; `probabilities`,
    float32 [rows, classes] in the order of `classes`, otherwise.

    Attributes:
        version: `v000012`.
        task: binary, multiclass or regression.
        label: the label column's name.
        classes: the classes in the order of the graph's probabilities, with their JSON types.
        inputs: the columns that the model reads.
        text: name of the text normalisation outside the graph; empty without text inputs.
        files: digest of every other file of the version, by name.
        run: the run that made it.
        champion: the version it was judged against; None for a first one.
        definition: digest of the definition.
        trained_rows: rows it learned from.
        trained_through: event time (or creation) of the newest row it learned (UTC).
        created: when (UTC).
        seed: of every random choice.
        environment: what else decides the result (see `perennial.domain.versioning.rebuilding`):
            versions of Python and the libraries, digests of the code and of all that is installed,
            threads, platform.
    """

    pipeline: str
    version: str
    task: Literal["binary", "multiclass", "regression"]
    label: str
    classes: tuple[bool | int | str, ...]
    inputs: tuple[Input, ...]
    text: str
    files: Mapping[str, FileDigest]
    run: str
    champion: str | None
    definition: str
    trained_rows: int
    trained_through: datetime
    created: datetime
    seed: int
    environment: Mapping[str, str] = field(default_factory=dict)
    format: int = 1

    def to_json(self) -> bytes:
        """The stored form."""
        return json.dumps(asdict(self), default=datetime.isoformat, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form; what a later release added means nothing here.

        But of an input nothing may be unknown: it would be read as another one.
        """
        stored = json.loads(data)
        document: dict[str, Any] = {
            item.name: stored[item.name] for item in fields(cls) if item.name in stored
        }
        for key in ("trained_through", "created"):
            document[key] = datetime.fromisoformat(document[key])
        document["classes"] = tuple(document["classes"])
        document["inputs"] = tuple(Input(**i) for i in document["inputs"])
        document["files"] = {n: FileDigest(**f) for n, f in document["files"].items()}
        return cls(**document)
