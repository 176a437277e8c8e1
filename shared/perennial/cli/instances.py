"""Instances for the predict function, from files and from the command line."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from perennial.errors import UserError

Instance = dict[str, Any]


def parse_instances(text: str) -> list[Instance]:
    """Read one JSON object, or a list of them.

    Raises:
        UserError: when it is something else.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise UserError(f"--instances is not JSON: {error}") from None
    instances = document if isinstance(document, list) else [document]
    if not instances or not all(isinstance(instance, dict) for instance in instances):
        raise UserError('--instances must be objects such as [{"column": 1}], at least one')
    return instances


def read_instances(path: Path) -> list[Instance]:
    """Read the rows of a file: .csv or .jsonl, or either with .gz.

    Cells of CSV stay text, which the server types; an empty cell is null.

    Raises:
        UserError: when the file is not what its name says.
    """
    try:
        data = path.read_bytes()
        name = path.name
        if name.endswith(".gz"):
            data, name = gzip.decompress(data), name.removesuffix(".gz")
        text = data.decode("utf-8-sig")
        if name.endswith(".csv"):
            instances = list(_rows(path, text))
        elif name.endswith(".jsonl"):
            instances = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            raise UserError(f"{path}: expected a .csv or .jsonl file, or one of these with .gz")
    except (OSError, EOFError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}") from None
    if not instances:
        raise UserError(f"{path} has no rows")
    return instances


def _rows(path: Path, text: str) -> Iterator[Instance]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        for row in reader:
            if row and len(row) != len(header):
                raise UserError(
                    f"{path}, line {reader.line_num}: expected {len(header)} fields, "
                    f"found {len(row)}"
                )
            if row:
                yield {name: cell or None for name, cell in zip(header, row, strict=True)}
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: {error}") from None
