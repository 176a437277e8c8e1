"""Text files that people name."""

from __future__ import annotations

import io
from pathlib import Path

from perennial.errors import UserError


def read_text(path: Path) -> str:
    """A file's text, its line ends made alike.

    Raises:
        UserError: when it is not UTF-8, with the line.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path}, line {line}: expected UTF-8 text, found the byte "
            f"0x{data[error.start]:02X}: save the file as UTF-8"
        ) from None
    return io.StringIO(text.removeprefix("\ufeff"), newline=None).read()


def write_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8.

    Raises:
        UserError: when its folder does not exist.
    """
    require_folder(path)
    path.write_text(text, encoding="utf-8")


def require_folder(path: Path) -> None:
    """Refuse a file to be written whose folder does not exist, before any work is done.

    Raises:
        UserError: naming the folder.
    """
    if not path.parent.is_dir():
        raise UserError(
            f"{path} cannot be written: there is no folder {path.parent}; make it first"
        )
