"""From the paths that a person gives to the files to upload and their names in landing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from perennial.errors import NotFoundError, RefusedError
from perennial.workflows.drop import Upload

_WILDCARDS = frozenset("*?[")
_OURS = (".predictions.parquet", ".predictions.csv", ".predictions.json")
"""Ends of the names that `perennial score` gives its files: they are no input."""


def find_uploads(paths: Sequence[str]) -> list[Upload]:
    """Expand files, folders and globs, in the order given.

    A file is called by its own name, files of a folder by their path in it, and what a glob finds
    by its path below the part of the glob that has no wildcard. Folders and globs are read in the
    order of names; hidden files are left out, and what `perennial score` wrote.

    Raises:
        NotFoundError: for a path that leads to no file.
        RefusedError: when two files would get the same name, since one would replace the other, or
            a name is not Unicode, as names of objects must be.
    """
    uploads: dict[str, Upload] = {}
    for path in paths:
        found = list(_expand(path))
        if not found:
            raise NotFoundError(f"no file at {path}")
        for upload in found:
            _require_unicode(upload)
            twin = uploads.setdefault(upload.name, upload)
            if twin is not upload and not twin.path.samefile(upload.path):
                raise RefusedError(
                    f"{twin.path} and {upload.path} would both be dropped as {upload.name}: "
                    "drop them one after the other, or give the folder above them"
                )
    return list(uploads.values())


def _expand(path: str) -> Iterator[Upload]:
    given = Path(path)
    if given.is_file():
        yield Upload(given, given.name)
    elif given.is_dir():
        yield from _below(given, given.rglob("*"))
    elif wild := [place for place, part in enumerate(given.parts) if set(part) & _WILDCARDS]:
        folder = Path(*given.parts[: wild[0]])
        yield from _below(folder, folder.glob("/".join(given.parts[wild[0] :])))


def _below(folder: Path, paths: Iterator[Path]) -> Iterator[Upload]:
    for path in sorted(paths):
        place = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in place.parts)
        if path.is_file() and not hidden and not path.name.endswith(_OURS):
            yield Upload(path, place.as_posix())


def _require_unicode(upload: Upload) -> None:
    try:
        upload.name.encode()
    except UnicodeEncodeError:
        raise RefusedError(
            f"{upload.name!a}: expected a file name in UTF-8, found other bytes: rename the file"
        ) from None
