"""Instances for the predict function, from files and from the command line."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perennial.domain.formats import csv_rows
from perennial.errors import UserError

Instance = dict[str, Any]

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Instances:
    """What to ask about, and where each came from.

    Attributes:
        values: the instances, at least one.
        source: the file; none where they were typed.
        lines: the line at which each begins, from 1; empty where they were typed.
    """

    values: Sequence[Instance]
    source: Path | None = None
    lines: Sequence[int] = ()

    def place(self, number: int) -> str:
        """Where people find an instance, counted from 0 here and from 1 for them."""
        if self.source is None:
            return f"instance {number + 1}"
        return f"{self.source}, line {self.lines[number]}"


def parse_instances(text: str) -> Instances:
    """Read one JSON object, or a list of them.

    Raises:
        UserError: when it is something else.
    """
    try:
        document = _from_json(text)
    except ValueError as error:
        raise UserError(f"--instances is not JSON: {error}") from None
    instances = document if isinstance(document, list) else [document]
    if not instances or not all(isinstance(instance, dict) for instance in instances):
        raise UserError('--instances must be objects such as [{"column": 1}], at least one')
    return Instances(instances)


def read_instances(path: Path) -> Instances:
    """Read the rows of a file: .csv or .jsonl, or either with .gz.

    Cells of CSV stay text, which the server types; an empty cell is null.

    Raises:
        UserError: when the file is not what its name says; it names the line.
    """
    name = path.name.removesuffix(".gz")
    if not name.endswith((".csv", ".jsonl")):
        raise UserError(f"{path}: expected a .csv or .jsonl file, or one of these with .gz")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from None
    text = _decoded(path, _unpacked(path, data) if name != path.name else data)
    numbered = list((_rows if name.endswith(".csv") else _objects)(path, text))
    if not numbered:
        raise UserError(f"{path} has no rows")
    lines, instances = zip(*numbered, strict=True)
    return Instances(instances, path, lines)


def _unpacked(path: Path, packed: bytes) -> bytes:
    """The content of gzip data; where it breaks off, the line that it had come to."""
    data = bytearray()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            while chunk := file.read1(_CHUNK):
                data += chunk
    except EOFError:
        wrong = "expected a whole gzip file, found one that ends early"
    except (OSError, zlib.error) as error:
        wrong = f"expected sound gzip data, found something else ({error})"
    else:
        return bytes(data)
    line = data.count(b"\n") + 1
    raise UserError(f"{path}, line {line}: {wrong}")


def _decoded(path: Path, data: bytes) -> str:
    try:
        return csv_rows.decoded(data)
    except csv_rows.NoTextError as error:
        raise UserError(
            f"{path}, line {error.line}: expected UTF-8 text, found {error.found}: save it as UTF-8"
        ) from None


def _rows(path: Path, text: str) -> Iterator[tuple[int, Instance]]:
    header: list[str] = []
    try:
        for line, row in csv_rows.rows(text):
            if not header:
                header = row
                if what := csv_rows.other_delimiter(header):
                    raise UserError(
                        f"{path}, line {line}: expected fields separated by commas, found {what}"
                    )
            elif len(row) != len(header):
                raise UserError(
                    f"{path}, line {line}: expected {len(header)} fields, found {len(row)}"
                )
            else:
                yield line, {name: cell or None for name, cell in zip(header, row, strict=True)}
    except csv_rows.NoRowError as error:
        raise UserError(f"{path}, line {error.line}: {error}") from None


def _objects(path: Path, text: str) -> Iterator[tuple[int, Instance]]:
    # Not splitlines(), to which some characters inside JSON strings are line ends too.
    for line, content in enumerate(text.split("\n"), 1):
        if not content.strip():
            continue
        try:
            instance = _from_json(content)
        except json.JSONDecodeError as error:
            wrong = f"{error.msg} at character {error.colno}"
            raise UserError(f"{path}, line {line}: not JSON: {wrong}") from None
        except ValueError as error:
            raise UserError(f"{path}, line {line}: {error}") from None
        if not isinstance(instance, dict):
            raise UserError(
                f'{path}, line {line}: expected an object such as {{"column": 1}}, '
                f"found {content.strip()[:40]}"
            )
        yield line, instance


def _from_json(text: str) -> Any:
    return json.loads(text, parse_constant=_refused)


def _refused(name: str) -> Any:
    """Python reads these, and nobody else does."""
    raise ValueError(f"{name} is not a JSON value; a missing value is null")
