"""One Cloud Storage bucket, through Google's client."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import google.auth
import requests
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError
from google.auth.transport.requests import AuthorizedSession
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.adapters import HTTPAdapter

from perennial.adapters.storage_errors import translated
from perennial.config import Config
from perennial.errors import (
    ConfigError,
    ObjectNotFound,
    PermissionDenied,
    PreconditionFailed,
    StoreError,
)
from perennial.ports import ObjectInfo, ObjectStore, StoredObject

CONNECTIONS = 32
TIMEOUT = (5.0, 60.0)
"""Seconds to connect, and between two signs of life."""
RETRY = DEFAULT_RETRY.with_delay(initial=0.2, maximum=5.0, multiplier=2.0).with_timeout(30.0)
"""For every request, writes included: a 412 that is one's own success is for callers to see."""

UPLOAD_CHUNK = 16 * 1024 * 1024
"""What a large upload sends, and holds in memory, at a time; a multiple of 256 KiB."""

_LISTED = "items(name,generation,size,timeCreated,timeDeleted,metadata),nextPageToken"
_CREATING = "storage.objects.create"
_DELETING = "storage.objects.delete"  # which replacing takes


def connect(config: Config) -> Client:
    """A client for the configured Cloud Storage, with connections enough for many threads.

    Raises:
        ConfigError: when there are no Google credentials to be found.
    """
    client = _local_client(config) if config.storage_endpoint else _google_client(config)
    # It serves traces that nobody asked for, with a request per bucket behind our back (3.17).
    client._bucket_metadata_cache = None
    return client


def _local_client(config: Config) -> Client:
    session = requests.Session()
    session.trust_env = False  # an emulator knows no proxy and no password
    if config.storage_token:
        session.headers["Authorization"] = f"Bearer {config.storage_token}"
    session.mount("http://", HTTPAdapter(pool_maxsize=CONNECTIONS))
    return Client(
        project=config.project,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]  # google.auth has no types
        client_options={"api_endpoint": config.storage_endpoint},
        _http=session,
    )


def _google_client(config: Config) -> Client:
    try:
        credentials, _ = google.auth.default(scopes=Client.SCOPE)
    except DefaultCredentialsError as error:
        raise ConfigError(
            f"no Google credentials: run `gcloud auth application-default login` ({error})"
        ) from error
    session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]  # google.auth has no types
    session.mount("https://", HTTPAdapter(pool_maxsize=CONNECTIONS))
    return Client(project=config.project, credentials=credentials, _http=session)


class CloudStorageStore:
    """One bucket. Safe for use by many threads.

    Args:
        client: from `connect`; stores share it, and its connections.
        bucket: its name.
    """

    def __init__(self, client: Client, bucket: str) -> None:
        self._client = client
        self._bucket = client.bucket(bucket)

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return str(self._bucket.name)

    def stat(self, name: str, *, generation: int | None = None) -> ObjectInfo:
        """Facts of the live object, or of one generation. Raises `ObjectNotFound`."""
        blob = self._bucket.blob(name, generation=generation)
        with translated("look at", self.bucket, name, not_found=ObjectNotFound):
            blob.reload(timeout=TIMEOUT, retry=RETRY)
        return self._info(blob)

    def read(self, name: str, *, generation: int | None = None) -> StoredObject:
        """Bytes and facts of one and the same generation. Raises `ObjectNotFound`."""
        buffer = io.BytesIO()
        info = self._fetch(name, buffer, generation, at_once=True)
        return StoredObject(info, buffer.getvalue())

    def download(self, name: str, file: BinaryIO, *, generation: int | None = None) -> ObjectInfo:
        """Stream the bytes into `file`, in bounded memory. Raises `ObjectNotFound`."""
        return self._fetch(name, file, generation, at_once=False)

    def _fetch(
        self, name: str, file: BinaryIO, generation: int | None, *, at_once: bool
    ) -> ObjectInfo:
        """One request that carries bytes and generation, begun anew when it breaks.

        The client's own retry would resume in the middle, and then verifies no checksum.
        """
        beginning = file.tell()

        def attempt() -> Any:
            blob = self._bucket.blob(name, generation=generation)
            file.seek(beginning)
            file.truncate()
            try:
                blob.download_to_file(
                    file,
                    raw_download=True,  # the bytes as they are stored, also where encoded
                    checksum="crc32c",
                    single_shot_download=at_once,
                    timeout=TIMEOUT,
                    retry=None,
                )
            except DataCorruption as error:
                raise ConnectionError(str(error)) from error  # which is retried
            return blob

        with translated("read", self.bucket, name, not_found=ObjectNotFound):
            blob = RETRY(attempt)()
        return ObjectInfo.of_bytes(self.bucket, name, blob.generation, file.tell() - beginning)

    def create(
        self,
        name: str,
        data: bytes | BinaryIO,
        *,
        metadata: Mapping[str, str] | None = None,
        content_type: str = "application/octet-stream",
    ) -> ObjectInfo:
        """Write once. Raises `PreconditionFailed` where the object exists."""
        try:
            return self._upload(name, data, metadata, content_type, if_generation_match=0)
        except PermissionDenied as error:
            raise self._judged(error, name) from error

    def overwrite(
        self, name: str, data: bytes | BinaryIO, *, metadata: Mapping[str, str] | None = None
    ) -> ObjectInfo:
        """Write without a condition: users' uploads, nothing with authority.

        Raises `PermissionDenied`, also where the identity may create and the object exists.
        """
        try:
            return self._upload(name, data, metadata)
        except PermissionDenied as error:
            if not self._is_there(error, name):
                raise
            raise PermissionDenied(
                f"gs://{self.bucket}/{name} exists already and this identity may not replace it: "
                "drop it under another name",
                bucket=self.bucket,
                name=name,
            ) from error

    def replace(
        self, name: str, data: bytes, *, generation: int, metadata: Mapping[str, str] | None = None
    ) -> ObjectInfo:
        """Compare-and-swap. Raises `PreconditionFailed` unless `generation` is the live one."""
        return self._upload(name, data, metadata, if_generation_match=generation)

    def _upload(
        self,
        name: str,
        data: bytes | BinaryIO,
        metadata: Mapping[str, str] | None,
        content_type: str = "application/octet-stream",
        *,
        if_generation_match: int | None = None,
    ) -> ObjectInfo:
        file = io.BytesIO(data) if isinstance(data, bytes) else data
        blob = self._bucket.blob(name, chunk_size=UPLOAD_CHUNK)
        blob.metadata = dict(metadata or {})
        with translated("write", self.bucket, name):
            blob.upload_from_file(
                file,
                rewind=True,
                size=file.seek(0, io.SEEK_END),
                content_type=content_type,
                if_generation_match=if_generation_match,
                checksum="crc32c",
                timeout=TIMEOUT,
                retry=RETRY,
            )
        return self._info(blob)

    def copy_from(self, source: ObjectStore, name: str, to: str, *, generation: int) -> ObjectInfo:
        """Copy one generation of `name` in `source` to the new object `to` here, server-side.

        Raises:
            TypeError: when `source` is not in Cloud Storage.
            ObjectNotFound: when that generation is gone.
            PreconditionFailed: when `to` exists.
        """
        if not isinstance(source, CloudStorageStore):
            raise TypeError(f"cannot copy from a {type(source).__name__} on the server's side")
        original = source._bucket.blob(name, generation=generation)
        blob = self._bucket.blob(to)
        token = None
        try:
            action = f"copy gs://{source.bucket}/{name} to"
            with translated(action, self.bucket, to, not_found=ObjectNotFound):
                while True:
                    token, _, _ = blob.rewrite(
                        original, token, if_generation_match=0, timeout=TIMEOUT, retry=RETRY
                    )
                    if token is None:
                        return self._info(blob)
        except PermissionDenied as error:
            raise self._judged(error, to) from error

    def delete(self, name: str, *, generation: int | None = None) -> None:
        """Remove the live object, or make it noncurrent. Raises `ObjectNotFound`."""
        blob = self._bucket.blob(name, generation=generation)
        with translated("delete", self.bucket, name, not_found=ObjectNotFound):
            blob.delete(timeout=TIMEOUT, retry=RETRY)

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
        if limit == 0:
            return  # the service would take it for no limit
        with translated("list", self.bucket):
            for blob in self._bucket.list_blobs(
                prefix=prefix or None,
                start_offset=start,
                end_offset=end,
                versions=versions or None,
                max_results=limit,
                fields=_LISTED,
                timeout=TIMEOUT,
                retry=RETRY,
            ):
                yield self._info(blob)

    def _judged(self, error: PermissionDenied, name: str) -> StoreError:
        """What a 403 after a create means.

        An identity that may create and not overwrite is told 403, not 412, where somebody was
        there first.
        """
        if not self._exists(name):
            return error
        return PreconditionFailed(f"{error} (it exists)", bucket=self.bucket, name=name)

    def _is_there(self, error: PermissionDenied, name: str) -> bool:
        """Whether an upload was refused because it would have replaced something.

        The service names the right that is missing; whoever may only create may not look.
        """
        return _DELETING in str(error) or (_CREATING not in str(error) and self._exists(name))

    def _exists(self, name: str) -> bool:
        """Whether the object is known to exist."""
        try:
            self.stat(name)
        except (ObjectNotFound, PermissionDenied):
            return False
        return True

    def _info(self, blob: Any) -> ObjectInfo:
        return ObjectInfo(
            bucket=self.bucket,
            name=blob.name,
            generation=blob.generation,
            size=blob.size,
            created=blob.time_created,
            deleted=blob.time_deleted,
            metadata=blob.metadata or {},
        )
