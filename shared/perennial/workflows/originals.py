"""Where the bytes lie that a decision is about.

A file's own are in landing. What is put into quarantine has a copy in that bucket, whose lifecycle
deletes copies in the end. Bytes that repaired a file were never in landing: they lie in the data
bucket, where nothing is deleted, because versions learn from them.
"""

from __future__ import annotations

from typing import BinaryIO

from perennial.domain import names
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict, VerdictSummary
from perennial.errors import ObjectNotFound
from perennial.ports import Buckets, ObjectStore


def decided_bytes(buckets: Buckets, verdict: Verdict) -> bytes:
    """What a decision is about: the original bytes, or those that repaired them.

    Raises:
        ObjectNotFound: when they are gone.
    """
    if verdict.repaired or verdict.decision != "quarantined":
        return learned_bytes(buckets.landing, buckets.data, verdict.pipeline, verdict)
    return original_bytes(buckets, verdict.pipeline, verdict.file)


def learned_bytes(
    landing: ObjectStore, data: ObjectStore, pipeline: str, verdict: Verdict | VerdictSummary
) -> bytes:
    """The bytes from which a file's rows were read.

    Raises:
        ObjectNotFound: when they are gone.
    """
    if verdict.repaired:
        return data.read(names.repaired_bytes(pipeline, verdict.sha256)).data
    return landing.read(verdict.file.name, generation=verdict.file.generation).data


def original_bytes(buckets: Buckets, pipeline: str, file: FileId) -> bytes:
    """The bytes that were dropped: the copy in quarantine, or what it is a copy of.

    Raises:
        ObjectNotFound: when both are gone.
    """
    try:
        return buckets.quarantine.read(names.quarantined_bytes(pipeline, file)).data
    except ObjectNotFound:
        return buckets.landing.read(file.name, generation=file.generation).data


def download_original(buckets: Buckets, pipeline: str, file: FileId, to: BinaryIO) -> None:
    """Write the bytes that were dropped, never holding them as a whole.

    Raises:
        ObjectNotFound: when they are gone.
    """
    try:
        buckets.quarantine.download(names.quarantined_bytes(pipeline, file), to)
    except ObjectNotFound:
        buckets.landing.download(file.name, to, generation=file.generation)
