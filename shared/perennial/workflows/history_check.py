"""What a definition says of files that were accepted under another; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from perennial.domain.definitions.definition import Definition
from perennial.domain.judging.lateness import advanced, covered_before
from perennial.domain.judging.validation import judge_bytes
from perennial.domain.names import FileId
from perennial.domain.verdict import Finding
from perennial.domain.versioning.registry import Watermark
from perennial.errors import ObjectNotFound
from perennial.ports import ObjectStore
from perennial.workflows.originals import learned_bytes
from perennial.workflows.queue import accepted_files


@dataclass(frozen=True, slots=True)
class Reconsidered:
    """What a definition says of one accepted file.

    Attributes:
        outcome: `accepted` or `quarantined` if it were dropped now; `gone` where its original is
            in landing no more.
        findings: every rule that it breaks, warnings included.
    """

    file: FileId
    outcome: Literal["accepted", "quarantined", "gone"]
    findings: tuple[Finding, ...] = ()

    @property
    def reason(self) -> str:
        """The first rule that rejects it; empty where none does."""
        return next((f.message for f in self.findings if f.severity == "reject"), "")


def reconsider(
    landing: ObjectStore, data: ObjectStore, pipeline: str, definition: Definition
) -> Iterator[Reconsidered]:
    """Judge the bytes of all accepted files by a definition, in the order of their drops.

    Those that were repaired are judged as they were repaired. Decisions stay as they are: a
    definition speaks of the files that come after it. A file is held late against all that were
    dropped before it, as if each had been learned at once.
    """
    watermark: Watermark | None = None
    for accepted in accepted_files(data, pipeline):
        file = accepted.file
        covered = covered_before(watermark, file)
        watermark = advanced(watermark, accepted)
        try:
            original = learned_bytes(landing, data, pipeline, accepted)
        except ObjectNotFound:
            yield Reconsidered(file, "gone")
            continue
        judgement = judge_bytes(
            definition, file.name, original, arrived=file.arrived, covered=covered
        )
        yield Reconsidered(
            file, "accepted" if judgement.accepted else "quarantined", judgement.findings
        )
