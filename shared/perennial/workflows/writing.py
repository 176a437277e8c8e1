"""Writing an object once, when answers may be lost on their way back.

A write can land and still answer an error, and a retry of it then answers that somebody was there
first. Only the bytes that lie there tell whose success it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from perennial.errors import ObjectNotFound, PreconditionFailed, StoreUnavailable
from perennial.ports import ObjectInfo, ObjectStore

ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Written:
    """What an object holds after an attempt to create it.

    Attributes:
        info: the facts of the generation that is there.
        data: its bytes.
        mine: whether these are the bytes that were to be written, whoever wrote them.
    """

    info: ObjectInfo
    data: bytes
    mine: bool


def create_once(
    store: ObjectStore,
    name: str,
    data: bytes,
    *,
    metadata: Mapping[str, str] | None = None,
    content_type: str = "application/octet-stream",
) -> Written:
    """Create an object, or learn what lies there instead.

    The bytes should hold something of their writer's own (a run's id, a generation) wherever it
    matters who wrote them.

    Raises:
        StoreUnavailable: when the outcome stays unknown.
    """
    for _ in range(ATTEMPTS):
        try:
            info = store.create(name, data, metadata=metadata, content_type=content_type)
        except (PreconditionFailed, StoreUnavailable):
            try:
                found = store.read(name)
            except ObjectNotFound:
                continue  # the write never landed, or what stood in its way is gone
            return Written(found.info, found.data, mine=found.data == data)
        return Written(info, data, mine=True)
    raise StoreUnavailable(
        f"gs://{store.bucket}/{name} could not be created in {ATTEMPTS} attempts",
        bucket=store.bucket,
        name=name,
    )
