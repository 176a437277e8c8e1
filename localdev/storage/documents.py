"""Small things that every resource needs: compact JSON, timestamps, entity tags, links."""

import base64
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from localdev.storage.errors import BadRequest

Resource = dict[str, Any]
"""A bucket or an object as the JSON API writes it; int64 values are strings."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def dump(document: object) -> str:
    """Compact JSON.

    Raises:
        BadRequest: A string holds half a surrogate pair, which is no Unicode text.
    """
    text = _encode(document)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadRequest("A string in the request is not valid Unicode.") from None
    return text


def parse(body: bytes) -> Resource:
    """The JSON object in a request's body; an empty body counts as an empty object.

    Raises:
        BadRequest: The body is not a JSON object.
    """
    if not body:
        return {}
    try:
        document = json.loads(body)
    except ValueError as error:
        raise BadRequest(f"Parse error: the body is not JSON: {error}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise BadRequest("Parse error: expected a JSON object.")
    return document


def timestamp(micros: int) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    seconds, rest = divmod(micros, 1_000_000)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest // 1000:03d}Z"


def entity_tag(generation: int, metageneration: int) -> str:
    """An opaque tag that changes whenever content or metadata do."""
    packed = generation.to_bytes(8, "big") + metageneration.to_bytes(4, "big")
    return base64.b64encode(packed).decode("ascii")


def quoted(name: str) -> str:
    """A name as one segment of a URL's path."""
    return quote(name, safe="")
