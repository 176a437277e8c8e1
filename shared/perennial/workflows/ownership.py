"""Who owns some bytes: of several files with the same content, one at most is accepted.

The owners of a content are a create-only chain in the data bucket. An entry names a file and the
number of the decision about it that may accept these bytes. The next entry is only created once
that decision is made, and while the file it is about is not accepted. So a file that was accepted
stays the only one, however many handlers meet, and the last entry alone tells whether there is one.

A suspect file goes on owning its content: it may be accepted after all. So does a recalled one,
which keeps the same bytes out under any name until a person releases them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Self

from perennial.domain import names
from perennial.domain.names import FileId
from perennial.domain.recalling import recalled
from perennial.domain.verdict import Verdict
from perennial.ports import ObjectStore
from perennial.workflows.chains import last_number
from perennial.workflows.verdicts import verdict_in_force
from perennial.workflows.writing import create_once


@dataclass(frozen=True, slots=True)
class Owner:
    """A file that owns a content, and which decision about it may accept the content.

    Attributes:
        generation, name: the file.
        decision: the number of that decision.
    """

    generation: int
    name: str
    decision: int
    format: int = 1

    @classmethod
    def of(cls, file: FileId, decision: int) -> Self:
        """An entry for this decision about this file."""
        return cls(file.generation, file.name, decision)

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form."""
        return cls(**json.loads(data))

    def to_json(self) -> bytes:
        """The stored form: equal entries have equal bytes, so that whoever wrote one owns it."""
        return json.dumps(asdict(self)).encode()

    @property
    def file(self) -> FileId:
        """The file."""
        return FileId(self.generation, self.name)


def own(
    data: ObjectStore,
    pipeline: str,
    sha256: str,
    wish: Owner,
    settle: Callable[[Owner], None],
    *,
    released: bool = False,
) -> Verdict | None:
    """Try to become the owner of some bytes.

    Args:
        data: the data bucket.
        pipeline: content is compared within a pipeline.
        sha256: of the bytes.
        wish: who wants to own them.
        settle: makes the decision that an earlier owner's entry is about, because its handler may
            have crashed.
        released: whether a person lets these bytes in, whatever was said of them before.

    Returns:
        None when the wished entry is in the chain: the decision it names may then be written,
        create-only, whatever happens meanwhile, because whoever comes next makes that decision
        first. Else the decision in force about the file that owns these bytes: accepted, suspect,
        or recalled.
    """
    number = last_number(data, names.content(pipeline, sha256)) or 1
    while True:
        entry = create_once(data, names.content(pipeline, sha256, number), wish.to_json())
        if entry.mine:
            return None
        owner = Owner.from_json(entry.data)
        verdict = verdict_in_force(data, pipeline, owner.file)
        if verdict is None or verdict.number < owner.decision:
            settle(owner)
        elif _stays(verdict, wish, released=released):
            return verdict
        else:
            number += 1


def _stays(verdict: Verdict, wish: Owner, *, released: bool) -> bool:
    """Whether the decision in force about an owner keeps another from taking its place."""
    if verdict.decision == "suspect":
        return verdict.file != wish.file  # of which this very decision is the next
    return verdict.decision == "accepted" or (not released and recalled(verdict) is not None)
