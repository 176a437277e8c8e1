"""Drop the shop's files and see them through; say which part is silent where that fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from localdev.demo.shop import Upload
from localdev.demo.tools import PIPELINE, StepFailed, Tools

_PARTS = {
    "storage": ("the storage emulator", "storage"),
    "delivery": ("event delivery", "delivery"),
    "run": ("the job runner", "jobs"),
}
"""What parts in DIR/endpoints.json are called, and whose log they write."""


def drop(tools: Tools, uploads: Sequence[Upload], *options: str) -> dict[str, Any]:
    """Write files into DIR/visits and drop them, until each has its verdict and training ended.

    Args:
        tools: run the command.
        uploads: the files, in order.
        options: of `perennial drop`, beside `--wait`.

    Returns:
        What `perennial drop --json` says, its files in the order of `uploads`.

    Raises:
        StepFailed: naming the part that does not answer, if one of them is it.
    """
    folder = tools.directory / "visits"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / upload.name for upload in uploads]
    for path, upload in zip(paths, uploads, strict=True):
        path.write_bytes(upload.data)
    try:
        dropped: dict[str, Any] = tools.perennial(
            "drop", PIPELINE, *map(str, paths), *options, "--wait"
        )
    except StepFailed as error:
        raise StepFailed(f"{error}: {_silent_part(tools, uploads)}") from None
    return dropped


def _silent_part(tools: Tools, uploads: Sequence[Upload]) -> str:
    """What the drop still waited for when it was given up, and where to look."""
    for part in tools.silent_parts():
        name, log = _PARTS.get(part, (f"the {part} function", part))
        return f"{name} does not answer; see {tools.log(log)}"
    verdicts = tools.perennial("status", PIPELINE)["verdicts"]
    judged = {verdict["name"].rsplit("/", 1)[-1] for verdict in verdicts}
    waiting = [upload.name for upload in uploads if upload.name not in judged]
    if waiting:
        return (
            f"{len(waiting)} of {len(uploads)} files have no verdict; look at event delivery, "
            f"{tools.log('delivery')}, and at the ingest function, {tools.log('ingest')}"
        )
    return (
        "every file has its verdict, but the training that they cause does not end; look at the "
        f"job runner, {tools.log('jobs')}"
    )
