"""Requests to `predict` as nobody should send them, each from its seed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from perennial.domain.versioning.manifest import Input

PIPELINE = "shop"
PREDICT = f"/v1/models/{PIPELINE}:predict"
INPUTS = (
    Input("visits", "i0", "number"),
    Input("age", "i1", "integer", nullable=True),
    Input("member", "i2", "boolean", nullable=True),
    Input("channel", "i3", "category"),
    Input("region", "i4", "category", nullable=True),
    Input("note", "i5", "text", nullable=True),
    Input("at", "i6", "timestamp", nullable=True),
    Input("day", "i7", "timestamp", nullable=True, format="%d.%m.%Y"),
)
"""Every type, with and without missing values."""

_GOOD: Mapping[str, tuple[Any, ...]] = {
    "number": (0, 1.5, -3, "2.25", 1e30),
    "integer": (0, 7, 3.0, "12", -(2**24)),
    "boolean": (True, False, 0, 1, "true", "FALSE"),
    "category": ("web", "shop", "never seen", "märkt"),
    "text": ("", "Great FLOWERS!", "a\nb", 'quo"te, comma'),
    "timestamp": ("2025-02-14T12:00:00Z", "2025-02-14", "14.02.2025"),
}
_ODD: tuple[Any, ...] = (
    None, "", True, 0, -1, 1.5, 2**24 + 1, 2**53 + 1, 2**63, 2**64, 10**40, 1e39, -1e308, "1e999",
    "nan", "Infinity", "٣", "1_000", " 1", "0x10", "true", "yes", "\0", "\U0001f338", "x" * 300,
    "=1+2", "0001-01-01", "9999-12-31T23:59:59-14:00", "2025-02-30", "14.02.99999", "24:00", [], {},
    [1], {"a": {"b": [None]}}, "2025-02-14T12:00:00+99:99", "\u202e", "9" * 5000,
)  # fmt: skip
_RAW = (
    b"NaN", b"-Infinity", b"1e999", b"01", b"'x'", b"\xff", b'"\\ud800"', b"\x00", b"1" * 400,
    b"[" * 2000, b"{" * 50, b'"' * 3, b",", b"}", b'"visits":1,"visits":2', b"/*x*/",
    b"\xef\xbb\xbf",
)  # fmt: skip
_TYPES = (
    b"application/json", b"application/json; charset=utf-8", b"text/csv",
    b"text/csv; header=present", b"text/plain", b"", b"\xff\xfe", b";;;=",
    b"text/csv; header=absent", b"application/json; charset=utf-16",
    b"multipart/form-data; boundary=x", b"application/json, text/csv", b"x" * 3000,
)  # fmt: skip
_ACCEPTS = (
    b"*/*",
    b"text/csv",
    b"application/json",
    b"text/csv;q=zzz",
    b"\xff",
    b",;q=",
    b"image/*",
)
_OTHERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-encoding", b"gzip"), (b"content-encoding", b"\xff"), (b"host", b"[::"),
    (b"x-request-id", b"\xff\x00"), (b"x-request-id", b"a" * 500), (b"traceparent", b"00-zz"),
    (b"origin", b"https://evil.example"), (b"origin", b"\xff"), (b"expect", b"200-nothing"),
    (b"access-control-request-method", b"POST"), (b"range", b"bytes=0-1"), (b"if-match", b"*"),
    (b"cookie", b"=;=;"), (b"accept-encoding", b"gzip"), (b"transfer-encoding", b"x"),
)  # fmt: skip
_PATHS = (
    "/", "/openapi.json", "/v1/models", "/v1/models/", f"/v1/models/{PIPELINE}", PREDICT,
    f"/v1/models/{PIPELINE}:explain", "/v1/models/:predict", "/v1/models/a/b:predict",
    "/v1/models/..:predict", "/v1/models/\ufffd:predict", "/v1/models/\0:predict", f"/{PREDICT}",
    f"{PREDICT}/", "/v1/models/" + "x" * 4000, "/v1/models/shop'\"<script>:predict", "/%2e%2e",
    "/v1/models/Shop:predict", "/v1/models/empty:predict", "/v1/models/empty",
)  # fmt: skip
_QUERIES = (
    b"version=v000001", b"version=v000002", b"version=v999999", b"version=", b"version",
    b"version=v000001&version=v000001", b"version=%ff%00", b"version=../../x", b"&&&=;",
    b"\xff=\xfe",
    b"version=" + b"v" * 3000, b"other=1", b"Version=v000001",
)  # fmt: skip
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as a server hands it to an application.

    Attributes:
        path: decoded.
        ends_early: whether the client goes before its body has ended.
    """

    method: str = "POST"
    path: str = PREDICT
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = field(
        default=((b"content-type", b"application/json"),)
    )
    body: bytes = b""
    ends_early: bool = False


def request(seed: int) -> Sent:
    """The request of a seed: a good one, spoiled in none, one or several ways."""
    random = Random(seed)
    rows = [_row(random) for _ in range(random.choice((1, 1, 2, 3, 80)))]
    sent = _as_csv(rows) if random.random() < 0.3 else _as_json(rows)
    for spoil in random.choices(_SPOILERS, k=random.choice((0, 1, 1, 1, 2, 3))):
        sent = spoil(random, sent)
    return sent


def _row(random: Random) -> dict[str, Any]:
    row = {}
    odd = random.random() < 0.3
    for one in INPUTS:
        if one.nullable and random.random() < 0.3:
            if random.random() < 0.5:
                row[one.name] = None
            continue
        values = _ODD if odd and random.random() < 0.3 else _GOOD[one.type]
        row[one.name] = random.choice(values)
    if random.random() < 0.1:
        row[random.choice(("bought", "Visits", "", "x" * 200, "\u202e"))] = random.choice(_ODD)
    if random.random() < 0.05:
        row.pop(random.choice(list(row)))
    return row


def _as_json(rows: list[dict[str, Any]]) -> Sent:
    return Sent(body=json.dumps({"instances": rows}).encode())


def _as_csv(rows: list[dict[str, Any]]) -> Sent:
    text = io.StringIO(newline="")
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(rows)
    return Sent(body=text.getvalue().encode(), headers=((b"content-type", b"text/csv"),))


def _other_instances(random: Random, sent: Sent) -> Sent:
    odd = (*_ODD, [None], [[]], [1], ["x"], [{}], [{}, 7], [{"visits": 1, "channel": "x"}, None])
    instances = random.choice(odd)
    document = random.choice(({"instances": instances}, instances, {"instance": instances}))
    return replace(sent, body=json.dumps(document).encode())


def _spoiled_bytes(random: Random, sent: Sent) -> Sent:
    body = bytearray(sent.body)
    for _ in range(random.choice((1, 1, 3, 20))):
        if body:
            body[random.randrange(len(body))] = random.randrange(256)
    return replace(sent, body=bytes(body))


def _inserted(random: Random, sent: Sent) -> Sent:
    at = random.randrange(len(sent.body) + 1)
    return replace(sent, body=sent.body[:at] + random.choice(_RAW) + sent.body[at:])


def _replaced_value(random: Random, sent: Sent) -> Sent:
    at = sent.body.find(b":", random.randrange(len(sent.body) + 1)) + 1
    end = sent.body.find(b",", at)
    return replace(sent, body=sent.body[:at] + random.choice(_RAW) + sent.body[end:])


def _cut(random: Random, sent: Sent) -> Sent:
    return replace(sent, body=sent.body[: random.randrange(len(sent.body) + 1)])


def _doubled(random: Random, sent: Sent) -> Sent:
    start = random.randrange(len(sent.body) + 1)
    piece = sent.body[start : random.randrange(len(sent.body) + 1)]
    return replace(sent, body=sent.body[:start] + piece + sent.body[start:])


def _other_path(random: Random, sent: Sent) -> Sent:
    return replace(sent, path=random.choice(_PATHS))


def _other_method(random: Random, sent: Sent) -> Sent:
    return replace(sent, method=random.choice(_METHODS))


def _other_query(random: Random, sent: Sent) -> Sent:
    return replace(sent, query=random.choice(_QUERIES))


def _other_type(random: Random, sent: Sent) -> Sent:
    return replace(sent, headers=((b"content-type", random.choice(_TYPES)),))


def _more_headers(random: Random, sent: Sent) -> Sent:
    more = random.choices(_OTHERS, k=random.randrange(3))
    return replace(sent, headers=(*sent.headers, (b"accept", random.choice(_ACCEPTS)), *more))


def _no_headers(_: Random, sent: Sent) -> Sent:
    return replace(sent, headers=())


def _gone(_: Random, sent: Sent) -> Sent:
    return replace(sent, ends_early=True)


_SPOILERS: tuple[Callable[[Random, Sent], Sent], ...] = (
    _other_instances, _spoiled_bytes, _inserted, _replaced_value, _cut, _doubled, _other_path,
    _other_method, _other_query, _other_type, _more_headers, _more_headers, _no_headers, _gone,
)  # fmt: skip
