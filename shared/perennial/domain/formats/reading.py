"""From the bytes of a file to its text, or to the finding that says what the bytes are instead."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Literal

from perennial.domain.definitions.files import FileFormat, Files
from perennial.domain.judging.findings import file_finding
from perennial.domain.verdict import Finding

_SUFFIXES: Mapping[FileFormat, tuple[str, ...]] = {
    "csv": (".csv", ".csv.gz"),
    "jsonl": (".jsonl", ".jsonl.gz"),
    "parquet": (".parquet",),
}
_CALLED: Mapping[FileFormat, str] = {"csv": "CSV", "jsonl": "JSON Lines", "parquet": "Parquet"}
ANY = Files()
"""What is taken where nothing is declared."""

_SPLIT = "split the file, or raise the limit together with the function's memory"

_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 20
_PIECE = 1 << 16
"""Bytes to decode at a time: so few that each piece takes the memory of the one before it."""

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
    (b"\x89PNG\r\n", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"ARROW1", "an Arrow file; save it as Parquet"),
    (b"\x89HDF\r\n", "an HDF5 file"),
    *(
        (bytes((0x80, protocol)), "a Python pickle, which is never loaded")
        for protocol in (2, 3, 4, 5)
    ),
)
_MARKUP = re.compile(
    rb"\s*<(?:(!doctype\s+html|html|head|body|title|meta|script)\b|(\?xml\b))", re.IGNORECASE
)


def format_of(name: str, files: Files) -> FileFormat | Finding:
    """The format that a file's suffix states, if it is one of those that are taken."""
    lowered = name.lower()
    for one in files.formats:
        if lowered.endswith(_SUFFIXES[one]):
            return one
    return _other_format(lowered, files)


def read_text(
    name: str, data: bytes, files: Files = ANY, stated: FileFormat = "csv"
) -> bytes | Finding:
    """The text in a file: unpacked, as UTF-8, without a byte order mark or NUL bytes.

    Args:
        name: the object's name; its suffix states whether it is packed.
        data: the object's bytes.
        files: how large it may be, and how CSV is encoded. JSON is UTF-8.
        stated: its format.
    """
    max_bytes, called = files.max_bytes, _CALLED[stated]
    if len(data) > max_bytes:
        return too_large(len(data), max_bytes)
    if not data:
        return file_finding("empty", f"expected a {called} file, found an empty one (0 bytes)")
    plain = unpacked(name, data, max_bytes)
    if isinstance(plain, Finding):
        return plain
    if not plain:
        found = f"expected a {called} file, found nothing in the gzip file"
        return file_finding("empty", found)
    encoding = files.csv.encoding if stated == "csv" else None
    text = _decoded(plain, encoding, called)
    if isinstance(text, Finding):
        return text
    return _long_line(text, files.max_line_bytes) or text


def encoding_of(data: bytes) -> str:
    """What the text of a sample is most likely encoded in.

    Returns:
        UTF-8 or what a byte-order mark or NUL bytes tell; else Windows-1252, which nothing tells,
        or Latin-1 where it has a byte that Windows-1252 lacks.
    """
    for mark, _ in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return "utf-32" if len(mark) == 4 else "utf-16"
    if (order := _utf16_order(data)) is not None:
        return f"utf-16-{order}"
    for encoding in ("utf-8", "cp1252"):
        if _undecodable(data, encoding) is None:
            return encoding
    return "iso8859-1"


def unpacked(name: str, data: bytes, max_bytes: int = ANY.max_bytes) -> bytes | Finding:
    """The bytes of a file, unpacked where its name says that they are packed."""
    return _unpack(data, max_bytes) if name.lower().endswith(".gz") else data


def long_line(line: int, limit: int, what: str = "lines") -> Finding:
    """The finding for a line, or a row of several, that is too long."""
    return file_finding(
        "line_length",
        f"expected {what} of at most {limit:,} bytes (files.max_line_bytes), found a longer "
        f"one: line {line:,}",
        lines=(line,),
    )


def too_large(size: int, max_bytes: int) -> Finding:
    """The finding for a file that is not even read."""
    return file_finding(
        "too_large",
        f"expected at most {max_bytes:,} bytes (files.max_bytes), found {size:,}: {_SPLIT}",
    )


def _other_format(name: str, files: Files) -> Finding:
    suffixes = [suffix for one in files.formats for suffix in _SUFFIXES[one]]
    *most, last = suffixes
    wanted = f"{', '.join(most)} or {last}" if most else last
    base = name.rsplit("/", 1)[-1]
    suffix = f".{base.rsplit('.', 1)[1][:40]}" if "." in base else "no suffix"
    return file_finding("format", f"expected a name that ends in {wanted}, found {suffix}")


def _unpack(data: bytes, max_bytes: int) -> bytes | Finding:
    """Unpack gzip, never making much more than `max_bytes`."""
    if not data.startswith(_GZIP_MAGIC):
        return file_finding(
            "gzip", "expected gzip data because the name ends in .gz, found something else"
        )
    out = io.BytesIO()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            # Piece by piece into one buffer: read at once, the text would lie in memory twice.
            while out.tell() <= max_bytes and (piece := packed.read(_CHUNK)):
                out.write(piece)  # reading to the end checks length and CRC
    except EOFError:
        return file_finding(
            "gzip", "expected a whole gzip file, found one that ends early: send it again"
        )
    except (OSError, zlib.error) as error:
        return file_finding("gzip", f"expected a sound gzip file, found a damaged one ({error})")
    if out.tell() > max_bytes:
        return file_finding(
            "too_large",
            f"expected at most {max_bytes:,} bytes once unpacked (files.max_bytes), found more: "
            f"{_SPLIT}",
        )
    return out.getvalue()


def _decoded(data: bytes, encoding: str | None, called: str) -> bytes | Finding:
    """The text as UTF-8; it may be that already, with its mark, whatever is declared.

    Args:
        data: the bytes.
        encoding: what is declared; None where the format allows UTF-8 only.
        called: the format.
    """
    if encoding in (None, "utf-8", "utf-8-sig") or data.startswith(codecs.BOM_UTF8):
        return _other_content(data, called, encoding) or data.removeprefix(codecs.BOM_UTF8)
    if found := _signature(data, called):
        return found
    wide = encoding.startswith(("utf-16", "utf-32", "utf_16", "utf_32"))
    if not wide and (found := _marked_otherwise(data, encoding)):
        return found
    if (error := _undecodable(data, encoding)) is not None:
        line = data.count(b"\n", 0, error) + 1
        advice = ""
        if _undecodable(data, "utf-8") is None and b"\0" not in data:
            advice = f"; it is UTF-8: save it as {encoding}, or declare files.csv.encoding: utf-8"
        return file_finding(
            "encoding",
            f"expected {encoding} text (files.csv.encoding), found the byte "
            f"0x{data[error]:02X} in line {line:,}, which is none{advice}",
            lines=(line,),
        )
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    text = io.BytesIO()
    try:
        for piece, last in _pieces(data):
            text.write(decoder.decode(piece, last).encode())
    except UnicodeEncodeError:
        return file_finding("encoding", f"expected {encoding} text, found half a character")
    plain = text.getvalue().removeprefix(codecs.BOM_UTF8)
    return _other_content(plain, called, "utf-8") or plain


def _long_line(text: bytes, limit: int) -> Finding | None:
    """Look back for a line end from the farthest place where it may be: a few steps a megabyte."""
    start = 0
    while len(text) - start > limit:
        end = max(text.rfind(mark, start, start + limit + 1) for mark in (b"\n", b"\r"))
        if end < 0:
            return long_line(text.count(b"\n", 0, start) + 1, limit)
        start = end + 1
    return None


def _signature(data: bytes, called: str) -> Finding | None:
    for signature, what in _SIGNATURES:
        if data.startswith(signature):
            return file_finding("content", f"expected {called} text, found {what}")
    return None


def _other_content(data: bytes, called: str, encoding: str | None) -> Finding | None:
    """What the bytes are if they are not UTF-8 text."""
    if found := _signature(data, called) or _marked_otherwise(data, encoding):
        return found
    if markup := _MARKUP.match(data.removeprefix(codecs.BOM_UTF8)[:4096]):
        what = "an HTML page, perhaps an error page of a server" if markup[1] else "XML"
        return file_finding("content", f"expected {called} text, found {what}")
    return _nul_bytes(data) or _not_utf8(data, encoding)


def _marked_otherwise(data: bytes, encoding: str | None) -> Finding | None:
    """The finding for text with the mark, or the zeros, of another encoding than what is wanted."""
    for mark, other in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _wrong_encoding(other, other[:6].lower(), encoding)
    if (order := _utf16_order(data)) is not None:
        other = f"UTF-16 ({'little' if order == 'le' else 'big'}-endian)"
        return _wrong_encoding(other, f"utf-16-{order}", encoding)
    return None


def _utf16_order(data: bytes) -> Literal["le", "be"] | None:
    """Half of the bytes of Western text in UTF-16 are NUL, all at even or all at odd places."""
    head = data[:2000]
    orders: tuple[tuple[int, Literal["le", "be"]], ...] = ((1, "le"), (0, "be"))
    for odd, order in orders:
        zeros = head[odd::2].count(0)
        if zeros and zeros > 0.8 * len(head[odd::2]) and not head[1 - odd :: 2].count(0):
            return order
    return None


def _nul_bytes(data: bytes) -> Finding | None:
    place = data.find(b"\0")
    if place < 0:
        return None
    line = data.count(b"\n", 0, place) + 1
    return file_finding(
        "nul", f"expected text, found a NUL byte in line {line:,}: the file is binary or damaged",
        lines=(line,),
    )  # fmt: skip


def _wrong_encoding(found: str, code: str, encoding: str | None) -> Finding:
    """What to do about it: only CSV may be declared to be in another encoding."""
    wanted = "UTF-8" if encoding in (None, "utf-8", "utf-8-sig") else encoding
    advice = f"save it as {wanted}"
    if encoding is not None:
        advice += f", or declare files.csv.encoding: {code}"
    return file_finding("encoding", f"expected {wanted} text, found {found}: {advice}")


def _not_utf8(data: bytes, encoding: str | None) -> Finding | None:
    if data.isascii():  # many times faster than to decode it
        return None
    place = _undecodable(data, "utf-8")
    if place is None:
        return None
    line = data.count(b"\n", 0, place) + 1
    advice = "save the file as UTF-8"
    if encoding is not None:
        advice += ", or declare files.csv.encoding"
    return file_finding(
        "encoding",
        f"expected UTF-8 text, found the byte 0x{data[place]:02X} in line {line:,}: {advice} "
        "(it may be Windows-1252 or Latin-1)",
        lines=(line,),
    )


def _undecodable(data: bytes, encoding: str) -> int | None:
    """Where the first byte is that is no text; None if there is none.

    Decodes a piece at a time, so that the text never lies in memory as a whole.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    start = 0
    for piece, last in _pieces(data):
        pending = decoder.getstate()[0]
        try:
            decoder.decode(piece, last)
        except UnicodeDecodeError as error:
            return min(max(0, start - len(pending) + error.start), len(data) - 1)
        start += len(piece)
    return None


def _pieces(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """The bytes, a piece at a time, and whether it is the last."""
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE], start + _PIECE >= len(data)
