"""Repairing a file that is held back: corrected bytes are decided about in the place of its own.

They are kept in the data bucket, under their digest, before anything is decided, so that whoever
finds the decision finds the bytes. The decision is the file's next, as with every way out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from perennial.domain import names
from perennial.domain.judging.repairs import Fixed, fix
from perennial.domain.judging.validation import Judgement
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict
from perennial.domain.versioning.recalling import recalled
from perennial.errors import NotFoundError, RefusedError
from perennial.workflows.originals import decided_bytes, original_bytes
from perennial.workflows.quarantine import Hospital
from perennial.workflows.verdicts import list_in_force, verdict_in_force
from perennial.workflows.writing import create_once


def find(hospital: Hospital, text: str) -> FileId:
    """The file that a person means, as the hospital finds it; else one that has left it.

    Raises:
        NotFoundError: naming files that are held back.
    """
    try:
        return hospital.find(text)
    except NotFoundError:
        known = list_in_force(hospital.buckets.data, hospital.pipeline)
        left = [s.file for s in known if s.file.answers_to(text, hospital.pipeline)]
        if not left:
            raise
        return left[-1]


class StillBroken(RefusedError):
    """Corrected bytes break a rule, too.

    Args:
        file: which.
        judgement: what was found.
    """

    def __init__(self, file: FileId, judgement: Judgement) -> None:
        first = judgement.rejections[0].message
        super().__init__(f"the corrected bytes of {file.name} break a rule: {first}")
        self.judgement = judgement


def fixed(hospital: Hospital, file: FileId, kinds: Sequence[str]) -> Fixed:
    """What built-in repairs make of a file that is held back; nothing is decided.

    Of one that was repaired already they make the same again, so that repeating them is harmless.

    Raises:
        NotFoundError: when the file or its pipeline does not exist.
        RefusedError: when it is not in quarantine any more, or the repairs do not fit it.
    """
    hospital.require_pipeline(file)
    desk = hospital.desk()
    buckets, pipeline = hospital.buckets, hospital.pipeline
    found = verdict_in_force(buckets.data, pipeline, file)
    if found is not None and _has_left_repaired(found):
        data = original_bytes(buckets, pipeline, file)
    else:
        data = decided_bytes(buckets, hospital.held(file))
    return fix(
        desk.definition, file.name, data, kinds, arrived=file.arrived, covered=desk.covered(found)
    )


def assess(hospital: Hospital, file: FileId, data: bytes) -> Judgement:
    """What the definition in force says of corrected bytes; nothing is decided.

    Raises:
        NotFoundError: when the pipeline does not exist.
        RefusedError: when the file belongs to none.
    """
    hospital.require_pipeline(file)
    found = verdict_in_force(hospital.buckets.data, hospital.pipeline, file)
    desk = hospital.desk()
    return desk.judge(file, data, desk.covered(found))


def repair(hospital: Hospital, file: FileId, data: bytes, *, how: str, by: str) -> Verdict:
    """Accept a file by its corrected bytes; where they break a rule nothing changes.

    Doing it again with the same bytes finds the same decision.

    Args:
        hospital: where the file is.
        file: which.
        data: its corrected bytes.
        how: what was done to them, and perhaps why.
        by: who says so.

    Returns:
        The new decision: accepted, or duplicate where another file has these very bytes.

    Raises:
        NotFoundError: when the file or its pipeline does not exist.
        StillBroken: when these bytes break a rule.
        RefusedError: when it is not in quarantine any more, or when these bytes are the file's own,
            or were recalled.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    while True:
        done = verdict_in_force(hospital.buckets.data, hospital.pipeline, file)
        if done is not None and _has_left_repaired(done) and done.sha256 == sha256:
            return hospital.learn(done)
        hospital.require_pipeline(file)
        held, desk = hospital.held(file), hospital.desk()
        parent = _parent(hospital, held, sha256)
        covered = desk.covered(held)
        judgement = desk.judge(file, data, covered)
        if not judgement.accepted:
            raise StillBroken(file, judgement)
        create_once(hospital.buckets.data, names.repaired_bytes(hospital.pipeline, sha256), data)
        blank = replace(
            hospital.next(held, by, f"repaired by {by}: {how}"),
            parent=parent,
            repair=how,
            covered=covered,
        )
        verdict = desk.repair(blank, data, judgement)
        if verdict.sha256 == sha256:
            return hospital.learn(verdict)
        # Somebody else's decision came first: the file may not be held back any more.


def _has_left_repaired(verdict: Verdict) -> bool:
    """Whether a file left the hospital by corrected bytes."""
    return verdict.repaired and verdict.decision in ("accepted", "duplicate", "to_score")


def _parent(hospital: Hospital, held: Verdict, sha256: str) -> str:
    """The digest of the original bytes, which corrected ones must differ from."""
    name = held.file.name
    if held.repaired and recalled(held):
        raise RefusedError(
            f"{name} was repaired, and recalled afterwards: drop the corrected file anew"
        )
    own = held.sha256 or hashlib.sha256(decided_bytes(hospital.buckets, held)).hexdigest()
    if sha256 in (own, held.parent):
        raise RefusedError(
            f"expected corrected bytes, found those of {name} itself: `perennial quarantine retry` "
            "judges them again"
        )
    return held.parent or own
