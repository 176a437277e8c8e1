"""``multipart/related`` uploads: metadata first, then the bytes, split while they arrive."""

import re

from localdev.storage.documents import Resource, parse
from localdev.storage.errors import BadRequest

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_MAX_HEAD = 1 << 20


class RelatedParts:
    """Separates the two parts of an upload.

    Args:
        content_type: The request's header, which names the boundary.

    Attributes:
        metadata: The first part, once it has arrived.
        content_type: The type that the second part declares.
        complete: Whether the closing boundary has arrived.

    Raises:
        BadRequest: There is no boundary.
    """

    def __init__(self, content_type: str) -> None:
        boundary = _BOUNDARY.search(content_type)
        if boundary is None:
            raise BadRequest(f"Expected multipart/related with a boundary, found {content_type!r}.")
        self._delimiter = b"\r\n--" + boundary[1].encode()
        self._held = b"\r\n"  # lets the first boundary look like the others
        self.metadata: Resource | None = None
        self.content_type: str | None = None
        self.complete = False

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes of the body; give those that surely belong to the object.

        Raises:
            BadRequest: The first part is not JSON, or too long to be metadata.
        """
        if self.complete:
            return b""
        self._held += data
        if self.metadata is None and not self._read_head():
            return b""
        end = self._held.find(self._delimiter)
        if end >= 0:
            self.complete = True
        else:
            # The last bytes may be the beginning of the closing boundary.
            end = max(0, len(self._held) - len(self._delimiter) + 1)
        media, self._held = self._held[:end], self._held[end:]
        return media

    def _read_head(self) -> bool:
        parts = self._held.split(self._delimiter, 2)
        header, blank, media = parts[-1].partition(b"\r\n\r\n")
        if len(parts) < 3 or not blank:
            if len(self._held) > _MAX_HEAD:
                raise BadRequest("Multipart upload: found no second part within the first MiB.")
            return False
        self.metadata = parse(parts[1].partition(b"\r\n\r\n")[2])
        self.content_type = _content_type(header)
        self._held = media
        return True


def _content_type(header: bytes) -> str | None:
    for line in header.decode("latin-1").split("\r\n"):
        key, _, value = line.partition(":")
        if key.strip().lower() == "content-type":
            return value.strip()
    return None
