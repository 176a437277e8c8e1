"""Object resources: what is stored, and what every answer shows."""

import json
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from localdev.storage.checksums import Checksums
from localdev.storage.documents import Resource, dump, entity_tag, quoted, timestamp
from localdev.storage.errors import BadRequest, NotFound

MAX_NAME_BYTES = 1024

_WRITABLE = (
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "contentType",
    "customTime",
    "eventBasedHold",
    "metadata",
    "storageClass",
    "temporaryHold",
)
_HEADERS = frozenset(
    ("cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "contentType")
)
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
_DEFAULTS = {"contentType": "application/octet-stream", "storageClass": "STANDARD"}


@dataclass(frozen=True)
class StoredObject:
    """One generation of an object, as its row keeps it.

    Attributes:
        text: The resource in JSON, all but its links, which depend on the server's address.
    """

    bucket: str
    name: str
    generation: int
    text: str

    @cached_property
    def resource(self) -> Resource:
        """The parsed resource; not to be changed."""
        parsed: Resource = json.loads(self.text)
        return parsed

    @property
    def metageneration(self) -> int:
        """How often its metadata has been written."""
        return int(self.resource["metageneration"])

    @property
    def size(self) -> int:
        """Bytes, as stored."""
        return int(self.resource["size"])

    def shown(self, origin: str) -> str:
        """The resource with its links.

        Args:
            origin: Scheme and authority under which the client knows the server.
        """
        return with_links(origin, self.bucket, self.name, self.generation, self.text)


@dataclass(frozen=True, slots=True)
class Content:
    """What is known of the bytes of a new generation."""

    size: int
    checksums: Checksums
    components: int | None = None


def with_links(origin: str, bucket: str, name: str, generation: int, text: str) -> str:
    """A stored resource, opened up to let its links in.

    This runs for every row of a listing, so it pastes text instead of parsing it.
    """
    path = f"/storage/v1/b/{bucket}/o/{quoted(name)}"
    return (
        f'{{"kind":"storage#object","selfLink":"{origin}{path}",'
        f'"mediaLink":"{origin}/download{path}?generation={generation}&alt=media",{text[1:]}'
    )


def describe(
    bucket: str, name: str, generation: int, now: int, content: Content, metadata: Resource
) -> StoredObject:
    """A new generation of an object.

    Args:
        bucket: Its bucket.
        name: Its name.
        generation: Its generation.
        now: Microseconds since 1970.
        content: Size and checksums of its bytes.
        metadata: What the request wants it to say; only writable fields count.
    """
    time = timestamp(now)
    resource: Resource = {
        "id": f"{bucket}/{name}/{generation}",
        "name": name,
        "bucket": bucket,
        "generation": str(generation),
        "metageneration": "1",
        **_DEFAULTS,
        **writable(metadata),
        "size": str(content.size),
        "timeCreated": time,
        "updated": time,
        "timeStorageClassUpdated": time,
        "etag": entity_tag(generation, 1),
    }
    if content.checksums.crc32c is not None:
        resource["crc32c"] = content.checksums.crc32c
    if content.checksums.md5 is not None:
        resource["md5Hash"] = content.checksums.md5
    if content.components is not None:
        resource["componentCount"] = content.components
    return StoredObject(bucket, name, generation, dump(resource))


def amended(found: StoredObject, changes: Resource, now: int, *, replace: bool) -> StoredObject:
    """The same generation with other metadata.

    Args:
        found: The object as it is.
        changes: Writable fields; None deletes one, and so does None within ``metadata``.
        now: Microseconds since 1970.
        replace: Whether fields that are not mentioned go back to their defaults.
    """
    resource = dict(found.resource)
    if replace:
        resource = {key: value for key, value in resource.items() if key not in _WRITABLE}
    for key in _WRITABLE:
        if key not in changes:
            continue
        value = changes[key]
        if key == "metadata" and value is not None:
            value = _merged(resource.get("metadata", {}), value)
        resource[key] = _checked(key, value)
    resource = _DEFAULTS | {key: value for key, value in resource.items() if value is not None}
    metageneration = found.metageneration + 1
    resource["metageneration"] = str(metageneration)
    resource["updated"] = timestamp(now)
    resource["etag"] = entity_tag(found.generation, metageneration)
    return StoredObject(found.bucket, found.name, found.generation, dump(resource))


def superseded(found: StoredObject, now: int) -> StoredObject:
    """The same generation once it is no longer live."""
    resource = found.resource | {"timeDeleted": timestamp(now)}
    return StoredObject(found.bucket, found.name, found.generation, dump(resource))


def writable(metadata: Resource) -> Resource:
    """The fields of a request's metadata that a client may set.

    Raises:
        BadRequest: Custom metadata is not a mapping, or a field cannot become a header.
    """
    fields = {
        key: _checked(key, metadata[key]) for key in _WRITABLE if metadata.get(key) is not None
    }
    if "metadata" in fields:
        fields["metadata"] = _merged({}, fields["metadata"])
    return fields


def find(
    connection: sqlite3.Connection, bucket: str, name: str, generation: int | None = None
) -> StoredObject | None:
    """Look an object up: its live generation, or the one that is asked for."""
    if generation is None:
        row = connection.execute(
            "SELECT generation, resource FROM objects WHERE bucket = ? AND name = ? AND live",
            (bucket, name),
        ).fetchone()
    else:
        row = connection.execute(
            "SELECT generation, resource FROM objects"
            " WHERE bucket = ? AND name = ? AND generation = ?",
            (bucket, name, generation),
        ).fetchone()
    return StoredObject(bucket, name, row[0], row[1]) if row else None


def get(
    connection: sqlite3.Connection, bucket: str, name: str, generation: int | None = None
) -> StoredObject:
    """Look up an object that must exist.

    Raises:
        NotFound: It does not, or not in that generation.
    """
    found = find(connection, bucket, name, generation)
    if found is None:
        which = "" if generation is None else f"#{generation}"
        raise NotFound(f"No such object: {bucket}/{name}{which}")
    return found


def named(metadata: Resource, query: Mapping[str, str]) -> Resource:
    """An upload's metadata together with what its query says: the name and the encoding.

    Raises:
        BadRequest: The name is missing, or is none that an object may have.
    """
    name = query.get("name") or metadata.get("name") or ""
    encoding = query.get("contentEncoding") or metadata.get("contentEncoding")
    return {**metadata, "name": require_name(str(name)), "contentEncoding": encoding}


def require_name(name: str) -> str:
    """Check an object's name against the limits of the service.

    Raises:
        BadRequest: It is empty, longer than 1,024 bytes, or of a form that no URL can carry.
    """
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise BadRequest("The name of an object must be valid Unicode.") from None
    if not name:
        raise BadRequest("Required object name: expected a name, found none.")
    if size > MAX_NAME_BYTES:
        raise BadRequest(f"The name of an object may have {MAX_NAME_BYTES} bytes; found {size}.")
    if name in {".", ".."} or "\r" in name or "\n" in name:
        raise BadRequest(f"Invalid object name: {name!r}")
    return name


def _checked(key: str, value: object) -> object:
    """A field's value, if downloads can show it where they show it in a header."""
    if key not in _HEADERS or value is None:
        return value
    if not isinstance(value, str) or _CONTROL_CHARACTER.search(value):
        raise BadRequest(f"{key}: expected printable text, found {value!r}.")
    return value


def _merged(current: Mapping[str, str], changes: object) -> dict[str, str]:
    if not isinstance(changes, dict):
        raise BadRequest(f"metadata: expected an object, found {changes!r}.")
    merged: dict[str, Any] = {**current, **changes}
    return {key: str(value) for key, value in merged.items() if value is not None}
