"""A version that was trained again, compared with the one on record.

Standard library only, because the command line reads it where nothing that trains is installed.

A manifest's `environment` says what else than rows, definition and seed decides a model:

- `python`, and the libraries by their names: versions;
- `code`: digest of the sources that turn rows into a graph;
- `dependencies`: digest of the names and versions of everything that is installed;
- `threads`: how many train;
- `platform`: system, machine, C library, and the kernels that linear algebra chose;
- `package NAME`: for a model of one's own, the digest of each package that lay beside the job, its
  own package and those that it may have imported.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from perennial.domain.words import counted

Outcome = Literal["equal", "different", "impossible"]
"""`equal`: bit for bit, graph and answers. `different`: either is not. `impossible`: what it was
made from is gone or no longer gives a model; the reason says what."""

CODE, DEPENDENCIES, THREADS, PLATFORM, PYTHON = (
    "code", "dependencies", "threads", "platform", "python",
)  # fmt: skip
ROWS = "rows"
PACKAGE = "package "
"""What keys of packages begin with."""

ALL = "all"
"""Stands for every version where one can be named."""

_SHORT = 12  # characters of a digest that people are shown
_ORDER = (PYTHON, CODE, THREADS, PLATFORM, DEPENDENCIES)


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not now what it was when the version was made.

    Attributes:
        what: a key of the environment, or `rows`.
        recorded: what it was; of rows the digest, empty where something is new.
        present: what it is; empty where something is gone.
        file: of rows, the file's name.
    """

    what: str
    recorded: str
    present: str
    file: str = ""

    def __str__(self) -> str:
        """What a person reads."""
        if self.what == ROWS:
            return f"the typed rows of {self.file} are stored in other bytes than it learned"
        if self.what in (CODE, DEPENDENCIES):
            name = "code that trains" if self.what == CODE else "set of installed packages"
            return f"another {name}: {self.present[:_SHORT]}, was {self.recorded[:_SHORT]}"
        if self.what == THREADS:
            return f"threads: {self.present}, was {self.recorded}"
        if self.what.startswith(PACKAGE) and self.present:
            return f"another {self.what}: {self.present[:_SHORT]}, was {self.recorded[:_SHORT]}"
        if not self.present:
            return f"{self.what} is not there, was {self.recorded}"
        return f"{self.what} {self.present}, was {self.recorded}"


def environment_differences(
    recorded: Mapping[str, str], present: Mapping[str, str]
) -> tuple[Difference, ...]:
    """What differs of all that was recorded: Python and the code first, then the libraries."""
    names = [name for name in _ORDER if name in recorded]
    names[1:1] = sorted(recorded.keys() - set(_ORDER))
    return tuple(
        Difference(name, recorded[name], present.get(name, ""))
        for name in names
        if recorded[name] != present.get(name)
    )


def environment_of(package: str, environment: Mapping[str, str]) -> dict[str, str]:
    """What of a process's environment decides a version that is made in it.

    Args:
        package: that holds the version's model; empty for a built-in one, which no package decides.
        environment: the process's.
    """
    return {
        name: value
        for name, value in environment.items()
        if package or not name.startswith(PACKAGE)
    }


@dataclass(frozen=True, slots=True)
class Change:
    """How far two models' answers to the same rows lie apart.

    Attributes:
        instances: rows.
        changed: rows that are answered otherwise, in whichever bit.
        largest, mean: of the absolute differences of all numbers in the answers.
        labels: rows whose likeliest class is another; 0 for a regression.
    """

    instances: int
    changed: int
    largest: float
    mean: float
    labels: int

    @classmethod
    def between(cls, before: Sequence[Any], after: Sequence[Any]) -> Self:
        """Compare answers: for each row a number, or the list of the classes' probabilities."""
        pairs = [(_numbers(a), _numbers(b)) for a, b in zip(before, after, strict=True)]
        apart = [abs(x - y) for a, b in pairs for x, y in zip(a, b, strict=True)]
        return cls(
            instances=len(pairs),
            changed=sum(a != b for a, b in pairs),
            largest=max(apart, default=0.0),
            mean=math.fsum(apart) / len(apart) if apart else 0.0,
            labels=sum(a.index(max(a)) != b.index(max(b)) for a, b in pairs),
        )

    def __str__(self) -> str:
        """What a person reads."""
        rows = counted(self.instances, "recorded instance")
        if not self.changed:
            return f"the answers to {rows} are the same"
        labels = f"; {self.labels} get another label" if self.labels else ""
        return (
            f"the answers to {self.changed} of {rows} differ, by {self.largest:.3g} at most and "
            f"{self.mean:.3g} in the mean{labels}"
        )


def _numbers(answer: Any) -> list[float]:
    return list(answer) if isinstance(answer, list | tuple) else [answer]


@dataclass(frozen=True, slots=True)
class Rebuild:
    """What came of training a version again.

    Attributes:
        outcome: whether the result is the same.
        reason: one sentence.
        recorded, rebuilt: digests of the graphs; `rebuilt` is empty when it was impossible.
        predictions: the rebuilt graph's answers against the stored one's, both given now.
        serving: what the stored graph answers now against what it answered when it was made, where
            that is on record: what another onnxruntime changes, without any training.
        differences: what is not what it was.
        unrecorded: keys of the environment that the version, made by an earlier release, lacks.
        missing: objects that are gone, or no longer give these rows, by file.
        rows, files: what it learned again.
        seconds: by step.
        execution: the platform's name of the process that did it.
        ended: when (UTC).
    """

    pipeline: str
    version: str
    outcome: Outcome
    reason: str
    recorded: str
    ended: datetime
    rebuilt: str = ""
    predictions: Change | None = None
    serving: Change | None = None
    differences: tuple[Difference, ...] = ()
    unrecorded: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    files: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    execution: str = ""
    format: int = 1

    def document(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self) | {"ended": self.ended.isoformat()}

    def to_json(self) -> bytes:
        """The stored form."""
        return json.dumps(self.document(), indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form."""
        document: dict[str, Any] = json.loads(data)
        document["ended"] = datetime.fromisoformat(document["ended"])
        for name in ("predictions", "serving"):
            document[name] = document[name] and Change(**document[name])
        document["differences"] = tuple(Difference(**one) for one in document["differences"])
        document["unrecorded"] = tuple(document["unrecorded"])
        return cls(**document)


def conclude(
    recorded: str, rebuilt: str, predictions: Change, serving: Change | None
) -> tuple[Outcome, str]:
    """Whether the rebuilt version is the recorded one, and a sentence.

    Args:
        recorded: digest of the graph on record.
        rebuilt: digest of the other.
        predictions: see `Rebuild`.
        serving: see `Rebuild`.
    """
    same = recorded == rebuilt
    if same and not predictions.changed and not (serving and serving.changed):
        return "equal", f"equal bit for bit: graph {recorded[:_SHORT]}, and {predictions}"
    return "different", "; ".join(_sentences(recorded, rebuilt, predictions, serving))


def _sentences(
    recorded: str, rebuilt: str, predictions: Change, serving: Change | None
) -> Iterator[str]:
    if recorded == rebuilt:
        yield f"the graph is the same ({recorded[:_SHORT]})"
    else:
        yield f"another graph: {rebuilt[:_SHORT]}, was {recorded[:_SHORT]}"
        yield str(predictions)
    if serving and serving.changed:
        yield f"the very graph on record is run otherwise than when it was made: {serving}"
