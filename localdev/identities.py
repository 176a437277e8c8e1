"""Who each process is to the storage emulator: a token, and what infra/ grants to its holder."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from localdev.settings import BUCKETS, PREDICTIONS, TABLE

FILE_NAME = "identities.json"


def issue(directory: Path) -> dict[str, str]:
    """Make a token for every part, for as long as this cloud runs.

    Args:
        directory: the cloud's DIR; tokens and what they permit are written there, for the emulator.

    Returns:
        The tokens, by part.
    """
    buckets = {**BUCKETS, "predictions": PREDICTIONS}
    tokens = {part: secrets.token_urlsafe(24) for part in TABLE["access"]}
    document = {
        tokens[part]: {"part": part, "verbs": {buckets[role]: verbs for role, verbs in may.items()}}
        for part, may in TABLE["access"].items()
    }
    path = directory / FILE_NAME
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(document, file)
    return tokens
