"""Environments for rivals whose dependencies clash with ours: made when they are missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from localdev.settings import ROOT


def folder(name: str) -> Path:
    """Where the environment of these rivals lies."""
    return ROOT / ".venv" / f"rivals-{name}"


def install(name: str) -> str:
    """Make an environment where it is missing or older than its lock.

    Args:
        name: of `requirements/rivals-NAME.txt`.

    Returns:
        What went wrong, or nothing.
    """
    requirements = ROOT / "requirements" / f"rivals-{name}.txt"
    place = folder(name)
    ready = place / ".ready"
    if ready.exists() and ready.stat().st_mtime >= requirements.stat().st_mtime:
        return ""
    uv = str(ROOT / ".venv" / "bin" / "uv")
    python = str(place / "bin" / "python")
    print("installing the rivals …", file=sys.stderr, flush=True)
    for command in (
        ["venv", "--quiet", "--clear", "--python", sys.executable, str(place)],
        [
            "pip",
            "sync",
            "--quiet",
            "--compile-bytecode",
            "--python",
            python,
            "--require-hashes",
            str(requirements),
        ],
    ):
        done = subprocess.run([uv, *command], capture_output=True, text=True, check=False)
        if done.returncode:
            return (done.stderr.strip() or "uv failed").splitlines()[-1]
    ready.touch()
    return ""
