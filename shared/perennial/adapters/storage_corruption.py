"""Send an object whose checksum is not that of its bytes, to see whether the store notices."""

from __future__ import annotations

from google.cloud.storage import Client

from perennial.adapters.cloud_storage import TIMEOUT
from perennial.adapters.storage_errors import translated

_WRONG = "AAAAAA=="
"""The CRC32C of no bytes."""


def send_corrupted(client: Client, bucket: str, name: str, data: bytes) -> None:
    """Create an object with a wrong checksum.

    Args:
        client: from `cloud_storage.connect`.
        bucket: its name.
        name: the object's.
        data: its bytes; not empty.

    Raises:
        StoreError: as it should.
    """
    blob = client.bucket(bucket).blob(name)
    blob.crc32c = _WRONG
    with translated("write", bucket, name):
        blob.upload_from_string(
            data, checksum=None, if_generation_match=0, timeout=TIMEOUT, retry=None
        )
