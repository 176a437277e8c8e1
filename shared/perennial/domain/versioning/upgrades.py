"""Upgrades: libraries, Python or code that are not those by which a version was made.

Standard library only, because the command line reads it where nothing that trains is installed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from perennial.domain.versioning.importing import IMPORTED
from perennial.domain.versioning.rebuilding import (
    CODE,
    DEPENDENCIES,
    PLATFORM,
    PYTHON,
    THREADS,
    Difference,
    Outcome,
    Rebuild,
    environment_differences,
)

_MACHINE = (PLATFORM, THREADS)
# What a machine is may be another with every execution of the same image: that is no upgrade.


def environment_digest(environment: Mapping[str, str]) -> str:
    """Names an environment by what an upgrade can change of it; empty where nothing is known."""
    parts = {key: value for key, value in environment.items() if key not in _MACHINE}
    if not parts:
        return ""
    lines = "".join(f"{key}={value}\n" for key, value in sorted(parts.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def upgrade(recorded: Mapping[str, str], present: Mapping[str, str]) -> tuple[Difference, ...]:
    """What an upgrade has changed since a version was made.

    Args:
        recorded: the version's environment.
        present: this process's.

    Returns:
        Nothing also for a version that cannot be trained again here: it was trained elsewhere.
    """
    if PYTHON not in recorded or IMPORTED in recorded:
        return ()
    return _without_machine(environment_differences(recorded, present))


@dataclass(frozen=True, slots=True)
class Check:
    """What came of training a champion again after an upgrade, in short.

    Attributes:
        version: the champion of that time.
        environment: digest of the environment that it was tried in.
        upgrade: what it changed, in a few words.
        outcome: whether the version came out the same.
        reason: one sentence.
        ended: when, as ISO text (UTC).
    """

    version: str
    environment: str
    upgrade: str
    outcome: Outcome
    reason: str
    ended: str

    @classmethod
    def of(cls, found: Rebuild, environment: Mapping[str, str]) -> Self:
        """In short, what was found in this environment."""
        return cls(
            version=found.version,
            environment=environment_digest(environment),
            upgrade=in_short(found.differences),
            outcome=found.outcome,
            reason=found.reason,
            ended=found.ended.isoformat(),
        )

    @property
    def sentence(self) -> str:
        """What a person reads; where all came out the same nobody needs to."""
        came = _COMES[self.outcome]
        return f"since an upgrade ({self.upgrade}) {self.version} {came}: {self.reason}"


_COMES: Mapping[Outcome, str] = {
    "equal": "comes out the same",
    "different": "comes out otherwise",
    "impossible": "cannot be trained again",
}


def in_short(differences: Sequence[Difference]) -> str:
    """An upgrade in a few words: `scikit-learn 1.8.0 → 1.8.1, other code`.

    That the set of packages is another is only said where nothing else tells why.
    """
    named = [_named(one) for one in _without_machine(differences) if one.what != DEPENDENCIES]
    return ", ".join(named) or "other packages"


def _named(one: Difference) -> str:
    if one.what == CODE:
        return "other code"
    return f"{one.what} {one.recorded} → {one.present or 'none'}"


def _without_machine(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    return tuple(one for one in differences if one.what not in _MACHINE and not one.file)
