"""Predictions for files, laid out so that one is found by the key of its row.

Rows are spread over shards by a hash of their key; each shard is one JSON object. An entry, written
after its shards, tells of them in its metadata. Entries sort the latest drop first, and of a drop
the newest version.

Standard library only, because `predict` ships with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from perennial.domain import names
from perennial.domain.names import FileId
from perennial.domain.versioning.registry import Head

SHARD_ROWS = 1000
"""About so many rows share a shard, which is some 100 KB, until there are `MOST_SHARDS`."""

MOST_SHARDS = 256

LATEST = 20
"""Files in which a key is looked for: the latest to be dropped, of those that were scored."""

LISTED = 100
"""Entries that are listed at a time; a file has one for each version that scored it."""

_SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Entry:
    """The look-up of what one version made of one file.

    Attributes:
        stem: the file's.
        file: its name; empty where it is too long for metadata.
        keys: the key columns, in order.
        shards: how many there are.
        rows: how many were predicted.
    """

    pipeline: str
    stem: str
    version: str
    file: str
    keys: tuple[str, ...]
    shards: int
    rows: int
    format: int = 1

    @classmethod
    def of(cls, pipeline: str, file: FileId, version: str, keys: Sequence[str], rows: int) -> Self:
        """The entry for a file of so many rows."""
        shards = min(max(-(-rows // SHARD_ROWS), 1), MOST_SHARDS)
        return cls(pipeline, file.stem, version, file.listed_name, tuple(keys), shards, rows)

    @property
    def name(self) -> str:
        """Of its object, in the models bucket."""
        return names.lookup_entry(self.pipeline, self.stem, self.version)

    def shard(self, key: Sequence[str]) -> str:
        """Name of the shard that has a key, if any has."""
        digest = hashlib.sha256(key_name(key).encode("utf-8", "surrogatepass")).digest()
        place = int.from_bytes(digest[:8], "big") % self.shards
        return names.lookup_shard(self.pipeline, self.stem, self.version, place)

    @property
    def metadata(self) -> dict[str, str]:
        """All of it, so that a listing is enough (well below 8 KiB, or else no look-up is made)."""
        facts = {"file": self.file, "keys": self.keys, "shards": self.shards, "rows": self.rows}
        return {_SUMMARY: json.dumps(facts | {"format": self.format})}

    @classmethod
    def from_metadata(cls, pipeline: str, name: str, metadata: Mapping[str, str]) -> Self:
        """Read what `metadata` wrote, of the object `name`."""
        facts = json.loads(metadata[_SUMMARY])
        facts["keys"] = tuple(facts["keys"])
        stem, version = names.parse_lookup_entry(name)
        return cls(pipeline, stem, version, **facts)


def key_name(key: Sequence[str]) -> str:
    """A key as shards name it."""
    return json.dumps(list(key), ensure_ascii=False)


def key_text(value: object) -> str | None:
    """A key column's value as a path names it; None where it is missing, and cannot be named."""
    if value is None:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value)


def told(head: Head) -> tuple[str, ...]:
    """The versions whose predictions are told, the preferred one first.

    That is the champion, then earlier champions that are approved still, the newest first. A
    rollback leaves a version approved, but it is no earlier champion any more.
    """
    earlier = head.approved.intersection(head.predecessors)
    champion = (head.champion,) if head.champion else ()
    return champion + tuple(sorted(earlier.difference(champion), reverse=True))


def latest(entries: Sequence[Entry], versions: Sequence[str]) -> list[Entry]:
    """Of entries in the order of their names, those to look into, the latest drop first.

    Args:
        entries: of any files and versions.
        versions: as of `told`; of a file the one counts that comes first in them.
    """
    preferred = {version: place for place, version in enumerate(versions)}
    by_file: dict[str, Entry] = {}
    for entry in entries:
        if (place := preferred.get(entry.version)) is None:
            continue
        other = by_file.get(entry.stem)
        if other is None or place < preferred[other.version]:
            by_file[entry.stem] = entry
    return list(by_file.values())[:LATEST]


def list_from(entries: Sequence[Entry], versions: Sequence[str]) -> str | None:
    """Name from which a listing goes on that has found these entries, and may have more.

    Args:
        entries: at least one, in the order of their names.
        versions: as of `told`.

    Returns:
        None when those that `latest` chooses are among them already.
    """
    last = entries[-1]
    settled = any(one.stem == last.stem and one.version in versions[:1] for one in entries)
    whole = entries if settled else [one for one in entries if one.stem != last.stem]
    if len(latest(whole, versions)) == LATEST:
        return None
    if settled:
        return names.lookup_entries_after(last.pipeline, last.stem)
    return last.name + "\0"  # the next possible name


def shards_of(
    entry: Entry, keys: Sequence[Sequence[object]], predictions: Sequence[object]
) -> dict[str, dict[str, Any]]:
    """What each shard holds, by its name: for a key the row's number and its prediction.

    Rows without a whole key are left out; of rows with the same key the last counts.
    """
    shards: dict[str, dict[str, Any]] = {}
    for row, (values, prediction) in enumerate(zip(keys, predictions, strict=True), start=1):
        key = [text for value in values if (text := key_text(value)) is not None]
        if len(key) == len(entry.keys):
            found = shards.setdefault(entry.shard(key), {})
            found[key_name(key)] = {"row": row, "prediction": prediction}
    return shards
