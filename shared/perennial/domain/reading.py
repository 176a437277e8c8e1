"""From the bytes of a file to CSV text, or to the finding that says what the bytes are instead."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib

from perennial.domain.findings import file_finding
from perennial.domain.verdict import Finding

_KNOWN_LATER = (".jsonl", ".jsonl.gz", ".parquet")
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 20

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32 (little-endian)"),  # before UTF-16, whose mark begins it
    (codecs.BOM_UTF32_BE, "UTF-32 (big-endian)"),
    (codecs.BOM_UTF16_LE, "UTF-16 (little-endian)"),
    (codecs.BOM_UTF16_BE, "UTF-16 (big-endian)"),
)
_SIGNATURES = (
    (_GZIP_MAGIC, "a gzip file; its name should end in .csv.gz"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook; save it as CSV"),
    (b"PAR1", "a Parquet file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save it as CSV"),
    (b"%PDF", "a PDF document"),
    (b"BZh", "a bzip2 file; pack it with gzip"),
    (b"\xfd7zXZ", "an xz file; pack it with gzip"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file; pack it with gzip"),
    (b"SQLite format 3", "an SQLite database"),
)
_MARKUP = re.compile(
    rb"\s*<(?:(!doctype\s+html|html|head|body|title|meta|script)\b|(\?xml\b))", re.IGNORECASE
)


def read_text(name: str, data: bytes, *, max_bytes: int) -> bytes | Finding:
    """The CSV text in a file: unpacked, strictly UTF-8, without a byte order mark or NUL bytes.

    Args:
        name: the object's name; its suffix states the format.
        data: the object's bytes.
        max_bytes: most bytes, packed and unpacked.
    """
    lowered = name.lower()
    if not lowered.endswith((".csv", ".csv.gz")):
        return _other_format(lowered)
    if len(data) > max_bytes:
        return too_large(len(data), max_bytes)
    if not data:
        return file_finding("empty", "expected a CSV file, found an empty one (0 bytes)")
    if lowered.endswith(".gz"):
        unpacked = _unpack(data, max_bytes)
        if isinstance(unpacked, Finding):
            return unpacked
        data = unpacked
        if not data:
            return file_finding("empty", "expected a CSV file, found nothing in the gzip file")
    return _other_content(data) or data.removeprefix(codecs.BOM_UTF8)


def too_large(size: int, max_bytes: int) -> Finding:
    """The finding for a file that is not even read."""
    return file_finding(
        "too_large", f"expected at most {max_bytes:,} bytes (files.max_bytes), found {size:,}"
    )


def _other_format(name: str) -> Finding:
    for suffix in _KNOWN_LATER:
        if name.endswith(suffix):
            return file_finding(
                "format", f"expected a .csv or .csv.gz file, found {suffix}: not supported yet"
            )
    base = name.rsplit("/", 1)[-1]
    suffix = f".{base.rsplit('.', 1)[1][:40]}" if "." in base else "no suffix"
    return file_finding("format", f"expected a name that ends in .csv or .csv.gz, found {suffix}")


def _unpack(data: bytes, max_bytes: int) -> bytes | Finding:
    """Unpack gzip, never making much more than `max_bytes`."""
    if not data.startswith(_GZIP_MAGIC):
        return file_finding(
            "gzip", "expected gzip data because the name ends in .gz, found something else"
        )
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            text = packed.read(max_bytes + 1)  # reading to the end checks length and CRC
    except EOFError:
        return file_finding(
            "gzip", "expected a whole gzip file, found one that ends early: send it again"
        )
    except (OSError, zlib.error) as error:
        return file_finding("gzip", f"expected a sound gzip file, found a damaged one ({error})")
    if len(text) > max_bytes:
        return file_finding(
            "too_large",
            f"expected at most {max_bytes:,} bytes once unpacked (files.max_bytes), found more",
        )
    return text


def _other_content(data: bytes) -> Finding | None:
    """What the bytes are if they are not UTF-8 text that could be CSV."""
    for signature, what in _SIGNATURES:
        if data.startswith(signature):
            return file_finding("content", f"expected CSV text, found {what}")
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _wrong_encoding(encoding)
    if markup := _MARKUP.match(data.removeprefix(codecs.BOM_UTF8)[:4096]):
        what = "an HTML page, perhaps an error page of a server" if markup[1] else "XML"
        return file_finding("content", f"expected CSV text, found {what}")
    return _nul_bytes(data) or _not_utf8(data)


def _nul_bytes(data: bytes) -> Finding | None:
    place = data.find(b"\0")
    if place < 0:
        return None
    head = data[:2000]
    # Half of the bytes of Western text in UTF-16 are NUL, all at even or all at odd places.
    for odd, encoding in ((1, "UTF-16 (little-endian)"), (0, "UTF-16 (big-endian)")):
        if head[odd::2].count(0) > 0.8 * len(head[odd::2]) and not head[1 - odd :: 2].count(0):
            return _wrong_encoding(encoding)
    line = data.count(b"\n", 0, place) + 1
    return file_finding(
        "nul", f"expected text, found a NUL byte in line {line:,}: the file is binary or damaged",
        lines=(line,),
    )  # fmt: skip


def _wrong_encoding(encoding: str) -> Finding:
    return file_finding("encoding", f"expected UTF-8 text, found {encoding}: save it as UTF-8")


def _not_utf8(data: bytes) -> Finding | None:
    """Decode strictly, a piece at a time, so that the text never lies in memory twice."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), _CHUNK):
        pending = len(decoder.getstate()[0])
        end = start + _CHUNK
        try:
            decoder.decode(data[start:end], final=end >= len(data))
        except UnicodeDecodeError as error:
            place = start - pending + error.start
            line = data.count(b"\n", 0, place) + 1
            return file_finding(
                "encoding",
                f"expected UTF-8 text, found the byte 0x{data[place]:02X} in line {line:,}: save "
                "the file as UTF-8 (it may be Windows-1252 or Latin-1)",
                lines=(line,),
            )
    return None
