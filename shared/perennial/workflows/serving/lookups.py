"""Find the prediction for a row of a file that was scored, by the row's key."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from perennial.domain import names
from perennial.domain.serving.lookups import LISTED, Entry, key_name, latest, list_from, told
from perennial.domain.versioning.registry import Head
from perennial.errors import ObjectNotFound, StoreError, StoreUnavailable
from perennial.ports import Clock, ObjectReader
from perennial.workflows.serving.lookup import Lookup

log = logging.getLogger(__name__)

_AT_ONCE = 5
"""Shards read at a time, the latest file's alone first: most keys are asked for soon."""
_PAGES = 40
"""Of a listing at most: two for each file, where each was scored by a hundred versions."""


@dataclass(frozen=True, slots=True)
class Found:
    """A prediction that was made for a file.

    Attributes:
        entry: whose it is: file, version.
        row: the row's number in the file, from 1.
        prediction: as an answer of the version has it.
    """

    entry: Entry
    row: int
    prediction: object


class Lookups:
    """The look-ups of all pipelines.

    Args:
        models: the models bucket.
        clock: decides when a listing is old.
        interval: seconds during which a listing is as good as a new one, and so is its failure.
        patience: seconds that an answer waits for a listing.
    """

    def __init__(
        self, models: ObjectReader, clock: Clock, interval: float = 1.0, patience: float = 10.0
    ) -> None:
        self._models = models
        self._clock = clock
        self._interval = interval
        self._patience = patience
        self._listings: dict[str, _Listing] = {}

    async def entries(self, head: Head) -> list[Entry]:
        """Those in which a key is looked for, the latest drop first: one bounded listing.

        Args:
            head: of the pipeline; says whose predictions are told.

        Raises:
            StoreError: when the store does not answer.
        """
        listing = self._listings.get(head.pipeline)
        if listing is None:
            listing = _Listing(self._models, head.pipeline, self._clock, self._interval)
            self._listings[head.pipeline] = listing
        return await listing.latest(told(head), self._patience)

    async def find(self, entries: Sequence[Entry], key: Sequence[str]) -> Found | None:
        """The prediction for a key, of the first of these that has it.

        Raises:
            StoreError: when the store does not answer.
        """
        fitting = [entry for entry in entries if len(entry.keys) == len(key)]
        batches = [fitting[:1]]
        batches += [fitting[at : at + _AT_ONCE] for at in range(1, len(fitting), _AT_ONCE)]
        for batch in batches:
            found = await asyncio.gather(
                *(asyncio.to_thread(self._look, entry, key) for entry in batch)
            )
            for one in found:
                if one is not None:
                    return one
        return None

    def _look(self, entry: Entry, key: Sequence[str]) -> Found | None:
        try:
            shard = json.loads(self._models.read(entry.shard(key)).data)
        except ObjectNotFound:  # no row of the file has a key of this shard
            return None
        row = shard.get(key_name(key))
        return None if row is None else Found(entry, row["row"], row["prediction"])


class _Listing:
    """The entries of one pipeline, as last listed."""

    def __init__(self, models: ObjectReader, pipeline: str, clock: Clock, interval: float) -> None:
        self._models = models
        self._pipeline = pipeline
        self._versions: tuple[str, ...] = ()
        self._entries: list[Entry] = []
        self._error: StoreError | None = None
        self._lookup = Lookup(self._look, clock, interval)

    async def latest(self, versions: tuple[str, ...], patience: float) -> list[Entry]:
        """The entries to look into; arguments and errors as those of `Lookups`."""
        self._versions = versions
        await self._lookup.fresh(patience)
        if self._lookup.under_way:
            raise StoreUnavailable(
                f"the store has not listed what was predicted for {self._pipeline} yet",
                bucket=self._models.bucket,
            )
        if self._error is not None:
            raise self._error.with_traceback(None)
        return latest(self._entries, versions)

    async def _look(self, _: datetime) -> None:
        try:
            self._entries = await asyncio.to_thread(self._list, self._versions)
        except StoreError as error:
            self._error = error
        except Exception as error:  # whatever it is, it must not go unseen with the task
            log.exception("%s: what was predicted cannot be listed", self._pipeline)
            self._error = StoreError(f"{self._pipeline}: what was predicted cannot be listed")
            self._error.__cause__ = error
        else:
            self._error = None

    def _list(self, versions: tuple[str, ...]) -> list[Entry]:
        entries: list[Entry] = []
        start: str | None = None
        for _ in range(_PAGES):
            found = [
                Entry.from_metadata(self._pipeline, info.name, info.metadata)
                for info in self._models.list(
                    names.lookup_entries(self._pipeline), start=start, limit=LISTED
                )
            ]
            entries += found
            if len(found) < LISTED or (start := list_from(entries, versions)) is None:
                break
        return entries
