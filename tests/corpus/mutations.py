"""Real files, spoiled at random in bytes, lines, cells and form; the same seed, the same files."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.corpus.tables import Sheet, packed

CELLS = (
    "", " ", "0", "-1", "1e400", "nan", "inf", "None", "NA", "true", '"', '""', ",", ";", "\t",
    "\n", "\r", "=1+1", "1,5", "0x10", "1_000", "９", "2012-02-30", "2012-06-01T00:00:00+99:00",
    "9999-12-31 23:59:59", "0000-00-00", "9" * 40, "é", "🌼", "\u200b1", "{}", "[1]", "a" * 5_000,
)  # fmt: skip
NAMES = (
    "week.csv", "WEEK.CSV", "week.csv.gz", "week.jsonl", "week.jsonl.gz", "week.parquet", "week",
    "week.csv.csv.gz", ".csv", "a/b\n.csv", "week.xlsx",
)  # fmt: skip

_SPLINTERS = (b"\0", b'"', b"\n", b"\r", b"\xef\xbb\xbf", b"\xff\xfe", b"PK\x03\x04", b",")

Mutation = Callable[[bytes, random.Random], bytes]


def spoil(sheet: Sheet, seed: int) -> tuple[str, bytes]:
    """A name and bytes, made from a sound file by up to four mutations."""
    chance = random.Random(seed)
    if chance.random() < 0.6:
        for _ in range(chance.randint(1, 3)):
            sheet = _spoil_cells(sheet, chance)
    name = NAMES[0] if chance.random() < 0.6 else chance.choice(NAMES)
    data = _form(sheet, name, chance)
    if chance.random() < 0.6:
        for _ in range(chance.randint(1, 3)):
            data = chance.choice(_BYTES)(data, chance)
    if name.endswith(".gz") and chance.random() < 0.8:
        data = packed(data)
    return name, data


def _form(sheet: Sheet, name: str, chance: random.Random) -> bytes:
    if ".jsonl" in name and chance.random() < 0.9:
        return sheet.jsonl(set())
    if name.endswith(".parquet") and len(set(sheet.header)) == len(sheet.header):
        return sheet.parquet() if chance.random() < 0.9 else sheet.csv()
    return sheet.text(
        end=chance.choice(["\n", "\r\n", "\r"]), delimiter=chance.choice(",,,,;\t|"),
        every=chance.random() < 0.2,
    ).encode()  # fmt: skip


def _spoil_cells(sheet: Sheet, chance: random.Random) -> Sheet:
    column = chance.choice(sheet.header)
    if chance.random() < 0.7:
        return sheet.put(column, chance.choice(CELLS), row=chance.randrange(len(sheet.rows)))
    if chance.random() < 0.5:
        return sheet.mapped(column, lambda cell: chance.choice(CELLS))
    return sheet.renamed(column, chance.choice([*CELLS, *sheet.header]))


def _flipped(data: bytes, chance: random.Random) -> bytes:
    spoiled = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if spoiled:
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
    return bytes(spoiled)


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _doubled(data: bytes, chance: random.Random) -> bytes:
    start, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return data[:end] + data[start:]


def _lines(data: bytes, chance: random.Random) -> bytes:
    lines = data.split(b"\n")
    chance.shuffle(lines) if chance.random() < 0.2 else lines.pop(chance.randrange(len(lines)))
    return b"\n".join(lines)


def _inserted(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data) + 1)
    more = chance.choice(_SPLINTERS)
    return data[:place] + more + data[place:]


def _recoded(data: bytes, chance: random.Random) -> bytes:
    codec = chance.choice(["utf-16", "utf-16-le", "utf-32", "cp1252", "utf-7"])
    return data.decode("utf-8", "replace").encode(codec, "replace")


_BYTES: tuple[Mutation, ...] = (_flipped, _cut, _doubled, _lines, _inserted, _recoded)
