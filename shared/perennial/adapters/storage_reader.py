"""Reading a Cloud Storage bucket by its JSON API, with nothing but an HTTP client.

Google's client takes as long to import as all else that `predict` does before its first answer
(`python -m tests.bench`), and of what it can, `predict` needs four requests. They are the same that
the client sends: the generation pinned, checksums verified, retried, authenticated.
"""

from __future__ import annotations

import base64
import io
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

import certifi
import google_crc32c
import urllib3
from urllib3.response import BaseHTTPResponse

from perennial.adapters import storage_status
from perennial.adapters.access_token import DefaultTokens, FixedToken, MetadataTokens, Tokens
from perennial.adapters.google_errors import read_error
from perennial.config import Config
from perennial.errors import ObjectNotFound, PermissionDenied, StoreError, StoreUnavailable
from perennial.ports import ObjectInfo, StoredObject

T = TypeVar("T")


class _TokenRefused(PermissionDenied):
    """Another token may be taken: this one may have been revoked."""


_GOOGLE = "https://storage.googleapis.com"
_CONNECTIONS = 32
_TIMEOUT = urllib3.Timeout(connect=5.0, read=60.0)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0  # seconds
_PATIENCE = 30.0  # seconds, after which nothing is tried once more
_CHUNK = 1 << 20
_ERROR_BYTES = 1 << 16
_FACTS = "name,generation,size,timeCreated,timeDeleted,metadata"
_KINDS: dict[int, type[StoreError]] = {401: _TokenRefused, 404: ObjectNotFound}


class Connection:
    """The way to one Cloud Storage; readers of its buckets share it. Safe for many threads.

    Args:
        pool: its connections.
        tokens: who asks.
        url: where it is.
    """

    def __init__(self, pool: urllib3.PoolManager, tokens: Tokens, url: str = _GOOGLE) -> None:
        self._pool = pool
        self._tokens = tokens
        self._url = url.rstrip("/")

    def get(self, path: str, query: Mapping[str, str], read: Callable[[BaseHTTPResponse], T]) -> T:
        """Ask, and again after a while where no answer came or none that is final.

        Args:
            path: below the service's URL.
            query: parameters.
            read: what to do with an answer; called again for another when it breaks off.

        Raises:
            StoreError: of the kind that the last answer was; its text says what that was.
        """
        began = time.monotonic()
        longest = _FIRST_PAUSE
        refused = False
        while True:
            try:
                return self._once(path, query, read)
            except _TokenRefused as error:
                if refused:
                    raise PermissionDenied(str(error)) from error
                refused = True
                self._tokens.refused()
                continue
            except StoreUnavailable as error:
                pause = random.uniform(0, longest)  # noqa: S311 (no secret)
                if time.monotonic() + pause > began + _PATIENCE:
                    raise StoreUnavailable(
                        f"no success after every retry; at last: {error}"
                    ) from error
            time.sleep(pause)
            longest = min(2 * longest, _LONGEST_PAUSE)

    def _once(
        self, path: str, query: Mapping[str, str], read: Callable[[BaseHTTPResponse], T]
    ) -> T:
        # Bytes come as they are stored, also where they are packed.
        headers = {**self._tokens.headers(), "Accept-Encoding": "gzip", "User-Agent": "perennial"}
        try:
            response = self._pool.request(
                "GET",
                self._url + path,
                fields=dict(query),
                headers=headers,
                timeout=_TIMEOUT,
                retries=False,
                preload_content=False,
            )
            try:
                if response.status == 200:
                    return read(response)
                said = response.read(_ERROR_BYTES, decode_content=True)
                kind = _KINDS.get(response.status) or storage_status.kind(response.status)
                raise kind(str(read_error(response.status, response.reason, said)))
            finally:
                response.close()  # once read to its end, the connection is in the pool again
        except urllib3.exceptions.HTTPError as error:
            raise StoreUnavailable(f"{type(error).__name__}: {error}") from error


def connect(config: Config, variables: Mapping[str, str]) -> Connection:
    """The way to the configured Cloud Storage.

    Args:
        config: says where it is.
        variables: of the environment, which say whether this is Cloud Run.

    Raises:
        ConfigError: when there are no Google credentials to be found.
    """
    if config.storage_endpoint:
        return Connection(_pool(), FixedToken(config.storage_token), config.storage_endpoint)
    pool = _pool(ca_certs=certifi.where())
    if "K_SERVICE" in variables and "GOOGLE_APPLICATION_CREDENTIALS" not in variables:
        return Connection(pool, MetadataTokens(pool, variables.get("GCE_METADATA_HOST", "")))
    return Connection(pool, DefaultTokens(pool))


def _pool(**more: Any) -> urllib3.PoolManager:
    return urllib3.PoolManager(maxsize=_CONNECTIONS, **more)


class CloudStorageReader:
    """One bucket. Safe for use by many threads.

    Args:
        connection: from `connect`.
        bucket: its name.
    """

    def __init__(self, connection: Connection, bucket: str) -> None:
        self._connection = connection
        self._bucket = bucket
        self._objects = f"/storage/v1/b/{quote(bucket, safe='')}/o"

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._bucket

    def stat(self, name: str, *, generation: int | None = None) -> ObjectInfo:
        """Facts of the live object, or of one generation. Raises `ObjectNotFound`."""
        query = {"fields": _FACTS, **_pinned(generation)}
        return self._info(self._get("look at", name, self._path(name), query, _document))

    def read(self, name: str, *, generation: int | None = None) -> StoredObject:
        """Bytes and facts of one and the same generation. Raises `ObjectNotFound`."""
        buffer = io.BytesIO()
        info = self.download(name, buffer, generation=generation)
        return StoredObject(info, buffer.getvalue())

    def download(self, name: str, file: BinaryIO, *, generation: int | None = None) -> ObjectInfo:
        """Stream the bytes into `file`, in bounded memory. Raises `ObjectNotFound`."""
        beginning = file.tell()

        def fetched(response: BaseHTTPResponse) -> int:
            file.seek(beginning)
            file.truncate()
            found = 0
            for chunk in response.stream(_CHUNK, decode_content=False):
                found = google_crc32c.extend(found, chunk)
                file.write(chunk)
            stated = _crc32c(response)
            if stated not in (None, found):
                raise StoreUnavailable(
                    f"expected bytes with CRC32C {stated:08x}, found {found:08x}"
                )
            return int(response.headers["x-goog-generation"])

        query = {"alt": "media", **_pinned(generation)}
        path = f"/download{self._path(name)}"
        found = self._get("read", name, path, query, fetched)
        return ObjectInfo.of_bytes(self.bucket, name, found, file.tell() - beginning)

    def list(
        self,
        prefix: str = "",
        *,
        start: str | None = None,
        end: str | None = None,
        versions: bool = False,
        limit: int | None = None,
    ) -> Iterator[ObjectInfo]:
        """Objects in UTF-8 byte order of their names, `start` included, `end` excluded."""
        query = {"fields": f"items({_FACTS}),nextPageToken"}
        given = {"prefix": prefix, "startOffset": start, "endOffset": end}
        query |= {name: value for name, value in given.items() if value}
        if versions:
            query["versions"] = "true"
        left = limit
        while left is None or left > 0:
            if left is not None:
                query["maxResults"] = str(left)
            page = self._get("list", "", self._objects, query, _document)
            items = page.get("items", ())
            for item in items:
                yield self._info(item)
            if left is not None:
                left -= len(items)
            if "nextPageToken" not in page:
                return
            query["pageToken"] = page["nextPageToken"]

    def _path(self, name: str) -> str:
        return f"{self._objects}/{quote(name, safe='')}"

    def _get(
        self,
        action: str,
        name: str,
        path: str,
        query: Mapping[str, str],
        read: Callable[[BaseHTTPResponse], T],
    ) -> T:
        """Ask; errors say what was tried, and where."""
        try:
            return self._connection.get(path, query, read)
        except StoreError as error:
            # Where no object was asked for, it is the bucket that is missing.
            missing = not name and isinstance(error, ObjectNotFound)
            kind = StoreError if missing else type(error)
            place = f"gs://{self.bucket}/{name}" if name else f"gs://{self.bucket}"
            raise kind(f"{action} {place}: {error}", bucket=self.bucket, name=name) from error

    def _info(self, found: Mapping[str, Any]) -> ObjectInfo:
        deleted = found.get("timeDeleted")
        return ObjectInfo(
            bucket=self.bucket,
            name=found["name"],
            generation=int(found["generation"]),
            size=int(found["size"]),
            created=datetime.fromisoformat(found["timeCreated"]),
            deleted=datetime.fromisoformat(deleted) if deleted else None,
            metadata=found.get("metadata") or {},
        )


def _pinned(generation: int | None) -> dict[str, str]:
    return {} if generation is None else {"generation": str(generation)}


def _document(response: BaseHTTPResponse) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(response.read(decode_content=True))
    except ValueError as error:
        raise StoreUnavailable(f"expected JSON, found something else: {error}") from error
    return found


def _crc32c(response: BaseHTTPResponse) -> int | None:
    """The stated checksum; None where none is."""
    for stated in response.headers.get("x-goog-hash", "").split(","):
        kind, _, value = stated.strip().partition("=")
        if kind == "crc32c":
            return int.from_bytes(base64.b64decode(value), "big")
    return None
