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
from dataclasses import asdict, dataclass, replace
from typing import Self

from perennial.domain import names
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict
from perennial.domain.versioning.recalling import recalled
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
        parent, repair: where the content is a repair of the file's bytes, what its decision says,
            so that whoever completes it says the same.
        cleared: whether a person releases the file, so that whoever completes that does, too.
        by, reason: of a person's decision: who made it, and why.
    """

    generation: int
    name: str
    decision: int
    parent: str = ""
    repair: str = ""
    by: str = ""
    reason: str = ""
    cleared: bool = False
    format: int = 1

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        """An entry for this decision, which may still be open."""
        entry = cls(verdict.file.generation, verdict.file.name, verdict.number)
        if not (verdict.repaired or verdict.cleared):
            return entry
        return replace(
            entry,
            parent=verdict.parent,
            repair=verdict.repair,
            by=verdict.decided_by,
            reason=verdict.reason,
            cleared=verdict.cleared,
        )

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form."""
        return cls(**json.loads(data))

    def to_json(self) -> bytes:
        """The stored form: equal entries have equal bytes, so that whoever wrote one owns it."""
        said = ("parent", "repair", "by", "reason", "cleared")
        # What nobody said is left out, as before it could be, so that entries stay equal.
        facts = {name: fact for name, fact in asdict(self).items() if fact or name not in said}
        return json.dumps(facts).encode()

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
) -> Verdict | None:
    """Try to become the owner of some bytes.

    Args:
        data: the data bucket.
        pipeline: content is compared within a pipeline.
        sha256: of the bytes.
        wish: who wants to own them; a release does whatever was said of them before.
        settle: makes the decision that an earlier owner's entry is about, because its handler may
            have crashed.

    Returns:
        None when an entry about the wished decision is in the chain, also where it is another way
        to make it: that may then be written, create-only, whatever happens meanwhile, because
        whoever comes next makes that decision first. Else the decision in force about the file
        that owns these bytes: accepted, suspect, or recalled.
    """
    number = last_number(data, names.content(pipeline, sha256)) or 1
    while True:
        entry = create_once(data, names.content(pipeline, sha256, number), wish.to_json())
        owner = wish if entry.mine else Owner.from_json(entry.data)
        if (owner.file, owner.decision) == (wish.file, wish.decision):
            return None
        verdict = verdict_in_force(data, pipeline, owner.file)
        if verdict is None or verdict.number < owner.decision:
            settle(owner)
        elif _stays(verdict, sha256, wish):
            return verdict
        else:
            number += 1


def _stays(verdict: Verdict, sha256: str, wish: Owner) -> bool:
    """Whether the decision in force about an owner keeps another from taking its place.

    It does not where it is about other bytes: those of a repair that another decision overtook.
    The original bytes of a repaired file stay its own.
    """
    if sha256 not in (verdict.sha256, verdict.parent):
        return False
    if verdict.decision == "suspect":
        return verdict.file != wish.file  # of which this very decision is the next
    return verdict.decision == "accepted" or (not wish.cleared and recalled(verdict) is not None)
