"""Each promise that `perennial doctor --probe` tries is kept by every store."""

from __future__ import annotations

from functools import partial

import pytest

from perennial.adapters.clock import SystemClock
from perennial.adapters.cloud_storage import CloudStorageStore
from perennial.adapters.storage_corruption import send_corrupted
from perennial.ports import ObjectStore
from perennial.workflows.doctoring.promises.catalogue import PROMISES
from perennial.workflows.doctoring.promises.room import Promise, Room


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name)
@pytest.mark.parametrize("versions", [False, True], ids=["plain", "versioned"])
def test_is_kept(
    stores: tuple[ObjectStore, ObjectStore], room: str, promise: Promise, versions: bool
) -> None:
    if promise.needs == ("no versions" if versions else "versions"):
        pytest.skip(f"needs {promise.needs}")
    store = stores[versions]
    corrupt = None
    if isinstance(store, CloudStorageStore):
        corrupt = partial(send_corrupted, store._client, store.bucket)
    elif promise.needs == "travel":
        pytest.skip("no bytes travel")

    promise.check(Room(store, room, SystemClock(), corrupt))
