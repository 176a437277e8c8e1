"""Try a bucket: does it honour what the design relies on? It writes, and cleans up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from perennial.domain.doctoring.findings import Finding, ok, problem, unknown
from perennial.errors import ObjectNotFound, PermissionDenied, StoreError, StoreUnavailable
from perennial.ports import Clock, ObjectInfo, ObjectStore
from perennial.workflows.doctoring.promises.catalogue import PROMISES
from perennial.workflows.doctoring.promises.room import Broken, Promise, Room

FOLDER = "perennial-probe/"
"""Everything that a probe writes lies in a folder of its own below this one."""

ROLE = "roles/storage.objectAdmin"
_UNFIT = "do not use this bucket with Perennial: what it relies on would go wrong there, unseen"
_AT_ONCE = 16
_SHOWN = 3
_TRIES = 2


def probe(
    store: ObjectStore,
    clock: Clock,
    run: str,
    *,
    versioned: bool,
    corrupt: Callable[[str, bytes], None] | None = None,
    promises: Sequence[Promise] = PROMISES,
) -> Iterator[Finding]:
    """Try each promise in a bucket, then delete what that left.

    Args:
        store: the bucket; no function may be called for what is written into it.
        clock: the time on this machine.
        run: of this probe alone: names its folder.
        versioned: whether the bucket keeps what is replaced.
        corrupt: sends an object with a wrong checksum; None where no bytes travel.
        promises: those to try.
    """
    folder = f"{FOLDER}{run}/"
    apart = {"": True, "travel": corrupt is not None, "versions": versioned,
             "no versions": not versioned}  # fmt: skip
    try:
        for number, promise in enumerate(promises):
            if apart[promise.needs]:
                place = f"{folder}{number:02d}-"
                rooms = [Room(store, f"{place}{n}/", clock, corrupt) for n in range(_TRIES)]
                yield _try(promise, rooms)
    finally:  # also where whoever asked is interrupted
        left = _clean_up(store, folder)
    yield left


def _try(promise: Promise, rooms: Sequence[Room]) -> Finding:
    """Try a promise, and again elsewhere where a retried request may have met its own success."""
    expected, found = "that it can be tried", ""
    for room in rooms:
        try:
            promise.check(room)
        except Broken as broken:
            return problem(promise.name, broken.expected, broken.found, _UNFIT)
        except PermissionDenied as error:
            return unknown(promise.name, expected, str(error), f"ask for the role {ROLE}")
        except StoreUnavailable as error:
            return unknown(promise.name, expected, str(error), "try again")
        except StoreError as error:
            found = f"{type(error).__name__}: {error}"
        else:
            return ok(promise.name, "kept")
    return problem(promise.name, "that it is kept", found, _UNFIT)


def _clean_up(store: ObjectStore, folder: str) -> Finding:
    """Delete every generation below a folder, and see that none is left."""
    check = "clean-up"
    errors: list[StoreError] = []

    def delete(info: ObjectInfo) -> None:
        try:
            store.delete(info.name, generation=info.generation)
        except ObjectNotFound:
            pass  # an answer was lost
        except StoreError as error:
            errors.append(error)

    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(delete, store.list(folder, versions=True)))
        left = [info.name for info in store.list(folder, versions=True)]
    except StoreError as error:
        errors.append(error)
        left = []
    if not left and not errors:
        return ok(check, "nothing is left")
    some = f": {', '.join(left[:_SHOWN])}, …" if left else ""
    why = f" ({errors[0]})" if errors else ""
    return problem(
        check,
        "nothing of the probe to be left",
        f"{len(left)} generations in gs://{store.bucket}/{folder}{some}{why}"
        if left
        else f"it is not known what is left in gs://{store.bucket}/{folder}{why}",
        f"delete that folder with all its versions: `gcloud storage rm --recursive --all-versions "
        f"gs://{store.bucket}/{folder}`",
    )
