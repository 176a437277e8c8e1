"""MD5 and CRC32C: computed while bytes pass, and compared with what was declared of them."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c

from localdev.storage.errors import BadRequest

_READ_SIZE = 1 << 20


@dataclass(frozen=True, slots=True)
class Checksums:
    """Checksums as the API writes them, in base64; None where one is not known."""

    crc32c: str | None = None
    md5: str | None = None

    def require(self, declared: "Checksums") -> None:
        """Check what an uploader declared against the bytes that arrived.

        Raises:
            BadRequest: A declared checksum differs.
        """
        for label, expected, found in (
            ("CRC32C", declared.crc32c, self.crc32c),
            ("MD5", declared.md5, self.md5),
        ):
            if expected is not None and expected != found:
                raise BadRequest(
                    f"Provided {label} {expected!r} doesn't match calculated {label} {found!r}."
                )


class Digest:
    """Size and checksums of a stream of bytes."""

    def __init__(self) -> None:
        self.size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._crc32c = 0

    def update(self, data: bytes) -> None:
        """Take in the next bytes."""
        self.size += len(data)
        self._md5.update(data)
        self._crc32c = google_crc32c.extend(self._crc32c, data)

    def checksums(self) -> Checksums:
        """The checksums of everything so far."""
        crc32c = self._crc32c.to_bytes(4, "big")
        return Checksums(crc32c=_base64(crc32c), md5=_base64(self._md5.digest()))

    @classmethod
    def of_file(cls, path: Path) -> "Digest":
        """The digest of a file's bytes."""
        digest = cls()
        with path.open("rb") as file:
            while data := file.read(_READ_SIZE):
                digest.update(data)
        return digest


def declared_checksums(metadata: Mapping[str, Any], hash_headers: Iterable[str]) -> Checksums:
    """What an uploader says of its bytes.

    Args:
        metadata: The object metadata of the request, in which ``crc32c`` and ``md5Hash`` count.
        hash_headers: Values of ``x-goog-hash`` headers, each ``crc32c=…`` or ``md5=…`` or both.
    """
    declared = {"crc32c": metadata.get("crc32c"), "md5": metadata.get("md5Hash")}
    for header in hash_headers:
        for entry in header.split(","):
            label, _, value = entry.strip().partition("=")
            if label in declared and value:
                declared[label] = value
    return Checksums(**declared)


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")
