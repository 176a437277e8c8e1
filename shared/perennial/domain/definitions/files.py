"""What a person declares of whole files: how they are written, and how large they may be."""

from __future__ import annotations

import codecs
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from perennial.domain.definitions.mistakes import Misfit
from perennial.domain.definitions.recipe import Strict

FileFormat = Literal["csv", "jsonl", "parquet"]
Measure = Literal["ignore", "warn", "reject"]
"""What is done about something that is not as it should be."""

_PROBE = 'when,n\r\n"2024-02-01",1.5\n'
_NOT_FOR_FILES = frozenset(("idna", "punycode", "raw-unicode-escape", "unicode-escape"))


def text_encoding(encoding: str) -> str | None:
    """Python's name for an encoding of text files.

    Python also knows codecs that encode no text (base64, zlib), that always fail (undefined), and
    that are made for names or source code.
    """
    try:
        name = codecs.lookup(encoding).name
        whole = _PROBE.encode(name).decode(name) == _PROBE
    except (LookupError, ValueError):
        return None
    return name if whole and name not in _NOT_FOR_FILES else None


class Csv(Strict):
    r"""How CSV files are written.

    Attributes:
        delimiter: the one character between fields; "\t" for tabs.
        quote: the one character around fields that hold a delimiter or a line break, doubled
            inside; null where quotes are characters like others.
        encoding: of the text, by any name that Python knows. A byte-order mark is tolerated.
        decimal: the mark before the fraction of a number.
        null_words: words that mean an empty cell. Without them every word is a word.
    """

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str | None = Field(default='"', min_length=1, max_length=1)
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    null_words: tuple[str, ...] = ()

    @field_validator("delimiter", "quote")
    @classmethod
    def _is_plain(cls, mark: str | None) -> str | None:
        if mark is not None and (not mark.isascii() or mark.isalnum() or mark in "\r\n\0"):
            raise ValueError(f"expected a mark such as , or ; found {mark!r}")
        return mark

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.delimiter == self.quote:
            raise ValueError(f"expected two characters, found {self.quote!r} as both")
        if self.delimiter == self.decimal:
            raise Misfit(
                f"expected another mark than the delimiter's, found {self.decimal!r} as both",
                "decimal",
            )
        return self

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        if (name := text_encoding(encoding)) is None:
            raise ValueError(
                f"expected an encoding such as utf-8, windows-1252 or utf-16, found {encoding!r}"
            )
        return name


class Files(Strict):
    """What a file must look like as a whole.

    Attributes:
        formats: those that are taken; a file's suffix states its own.
        csv: how CSV files are written.
        min_rows: fewest rows a file may have.
        max_rows: most rows a file may have; unlimited when null.
        max_bytes: largest file, also once decompressed.
        max_line_bytes: longest row of a text file, in one line or several.
        max_attempts: how often judging a file may end without a verdict, as where its process runs
            out of memory or it fails unexpectedly, before the file is quarantined.
        extra_columns: what to do about columns that are not declared; they are never used.
        redelivery: what to make of a file that brings a period again: `append` learns both,
            `supersede` learns the later drop in place of the earlier. Such a file has the same
            name (and event times that lie within the earlier one's, or around them), or the very
            same keys, or, where no keys are declared, the same first and last event time.
    """

    formats: tuple[FileFormat, ...] = Field(default=("csv", "jsonl", "parquet"), min_length=1)
    csv: Csv = Csv()
    min_rows: int = Field(default=1, ge=1)
    max_rows: int | None = Field(default=None, ge=1)
    max_bytes: int = Field(default=256 * 1024 * 1024, ge=1)
    max_line_bytes: int = Field(default=1024 * 1024, ge=1)
    max_attempts: int = Field(default=3, ge=1)
    extra_columns: Measure = "warn"
    redelivery: Literal["append", "supersede"] = "append"


class Rows(Strict):
    """What any row must obey, whatever its columns.

    Attributes:
        max_future_days: how long after its file's arrival a row's event time may lie; any time
            when null.
        max_lateness_days: how long before the time that earlier accepted files have reached a
            row's event time may lie; any time when null. A file that is late and within this is
            learned at its place in time, and proves nothing.
        max_bad_row_fraction: the largest share of a file's rows that may break rules while the rest
            of them is accepted; above it the file is quarantined.
    """

    max_future_days: float | None = Field(default=1.0, ge=0)
    max_lateness_days: float | None = Field(default=None, ge=0)
    max_bad_row_fraction: float = Field(default=0.0, ge=0, le=1)
