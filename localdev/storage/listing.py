"""Pages of a bucket's objects, in the order of their names' UTF-8 bytes.

SQLite compares text byte by byte and Python by code point, which is the same order.
"""

import base64
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from localdev.storage import buckets
from localdev.storage.documents import dump
from localdev.storage.errors import BadRequest
from localdev.storage.globs import compile_glob
from localdev.storage.objects import with_links
from localdev.storage.preconditions import integer

MAX_PAGE_SIZE = 1000

_LIVE = """
    SELECT name, generation, resource FROM objects INDEXED BY live_objects
    WHERE bucket = :bucket AND live AND name >= :name AND (:end IS NULL OR name < :end)
    ORDER BY name LIMIT :limit
"""
_ALL = """
    SELECT name, generation, resource FROM objects
    WHERE bucket = :bucket AND (name, generation) >= (:name, :generation)
    AND (:end IS NULL OR name < :end)
    ORDER BY name, generation LIMIT :limit
"""

Row = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a scan (re)starts: at this name, or its first generation from this one on."""

    name: str
    generation: int = 0

    def token(self) -> str:
        """The position as a page token."""
        return base64.urlsafe_b64encode(dump([self.name, self.generation]).encode()).decode()

    @classmethod
    def from_token(cls, token: str) -> "Position":
        """Read a page token.

        Raises:
            BadRequest: It is not one of ours.
        """
        try:
            name, generation = json.loads(base64.urlsafe_b64decode(token))
            return cls(str(name), int(generation))
        except ValueError:
            raise BadRequest(f"Invalid pageToken: {token!r}") from None


@dataclass(frozen=True, slots=True)
class Query:
    """Which objects, and how they are shown."""

    start: Position
    end: str | None
    prefix: str = ""
    delimiter: str = ""
    trailing: bool = False
    glob: re.Pattern[str] | None = None
    versions: bool = False
    limit: int = MAX_PAGE_SIZE

    @classmethod
    def parse(cls, parameters: Mapping[str, str]) -> "Query":
        """Read the parameters of a list request.

        Raises:
            BadRequest: One of them cannot be understood.
        """
        prefix = parameters.get("prefix", "")
        start = Position(max(prefix, parameters.get("startOffset", "")))
        if token := parameters.get("pageToken"):
            start = max(start, Position.from_token(token), key=lambda at: (at.name, at.generation))
        ends = [end for end in (after_prefix(prefix), parameters.get("endOffset")) if end]
        limit = integer(parameters, "maxResults") or MAX_PAGE_SIZE
        if limit < 0:
            raise BadRequest(f"maxResults: expected a positive integer, found {limit}.")
        glob = parameters.get("matchGlob")
        return cls(
            start=start,
            end=min(ends, default=None),
            prefix=prefix,
            delimiter=parameters.get("delimiter", ""),
            trailing=_flag(parameters, "includeTrailingDelimiter"),
            glob=compile_glob(glob) if glob else None,
            versions=_flag(parameters, "versions"),
            limit=min(limit, MAX_PAGE_SIZE),
        )

    def group(self, name: str) -> str | None:
        """The prefix under which the delimiter hides a name; None if it is shown itself."""
        if not self.delimiter:
            return None
        found = name.find(self.delimiter, len(self.prefix))
        return None if found < 0 else name[: found + len(self.delimiter)]


@dataclass(slots=True)
class Page:
    """Objects and prefixes of one answer."""

    bucket: str
    items: list[Row] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    following: Position | None = None

    def shown(self, origin: str) -> str:
        """The answer in JSON; stored resources are pasted together, not parsed."""
        parts = ['{"kind":"storage#objects"']
        if self.following:
            parts.append(f'"nextPageToken":"{self.following.token()}"')
        if self.prefixes:
            parts.append(f'"prefixes":{dump(self.prefixes)}')
        if self.items:
            shown = [with_links(origin, self.bucket, *row) for row in self.items]
            parts.append(f'"items":[{",".join(shown)}]')
        return ",".join(parts) + "}"


def page(connection: sqlite3.Connection, bucket: str, query: Query) -> Page:
    """One page of a listing.

    Raises:
        NotFound: There is no such bucket.
    """
    buckets.get(connection, bucket)
    result = Page(bucket)
    position: Position | None = query.start
    while position is not None:
        rows = _scan(connection, bucket, query, position)
        position = _fill(result, query, rows)
    return result


def _fill(result: Page, query: Query, rows: Iterator[Row]) -> Position | None:
    """Take rows until the page is full, or up to a prefix behind which the scan goes on.

    Returns:
        Where to restart the scan; None when the page is complete.
    """
    for row in rows:
        name, generation, _ = row
        if query.glob and not query.glob.fullmatch(name):
            continue
        group = query.group(name)
        is_new = group is not None and result.prefixes[-1:] != [group]
        is_item = group is None or (query.trailing and name == group)
        shown = len(result.items) + len(result.prefixes)
        if shown and shown + is_new + is_item > query.limit:
            result.following = Position(name, generation)
            return None
        if group is not None and is_new:
            result.prefixes.append(group)
        if is_item:
            result.items.append(row)
        elif group is not None:
            beyond = after_prefix(group)
            return None if beyond is None else Position(beyond)
    return None


def _scan(
    connection: sqlite3.Connection, bucket: str, query: Query, position: Position
) -> Iterator[Row]:
    # Without grouping or matching, every row is shown: one more tells whether a page follows.
    sifted = query.delimiter or query.glob
    parameters = {
        "bucket": bucket,
        "name": position.name,
        "generation": position.generation,
        "end": query.end,
        "limit": -1 if sifted else query.limit + 1,
    }
    cursor = connection.cursor()
    cursor.row_factory = None
    return cursor.execute(_ALL if query.versions else _LIVE, parameters)


def after_prefix(prefix: str) -> str | None:
    """The least string above every string with this prefix; None if there is none."""
    for index in range(len(prefix) - 1, -1, -1):
        successor = _successor(prefix[index])
        if successor is not None:
            return prefix[:index] + successor
    return None


def _successor(character: str) -> str | None:
    code = ord(character) + 1
    if code == 0xD800:  # surrogates are no text: UTF-8 goes on behind them
        code = 0xE000
    return chr(code) if code <= 0x10FFFF else None


def _flag(parameters: Mapping[str, str], key: str) -> bool:
    return parameters.get(key, "").lower() == "true"
