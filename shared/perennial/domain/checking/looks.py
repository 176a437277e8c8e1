"""What a deployment test looked at, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Result = Literal["passed", "failed", "not possible"]

TESTS = (
    "input data",
    "feature engineering",
    "quality of the new version",
    "serving infrastructure",
    "integration of the parts",
)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one thing.

    Attributes:
        what: the thing, in a word or two.
        result: whether it is as it must be; `not possible` where it could not be looked at.
        said: what was found, or why nothing was, in one sentence.
        evidence: the numbers and names behind it, ready for JSON.
    """

    what: str
    result: Result
    said: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


def look(what: str, holds: bool | None, said: str, **evidence: Any) -> Look:
    """A look whose result is a condition; None where it could not be looked at."""
    if holds is None:
        return Look(what, "not possible", said, evidence)
    return Look(what, "passed" if holds else "failed", said, evidence)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something is not known.

    Attributes:
        said: one sentence.
        ours: whether what is tested is at fault, rather than how it was looked at.
    """

    said: str
    ours: bool

    def look(self, what: str) -> Look:
        """The same as a look."""
        return look(what, False if self.ours else None, self.said)


@dataclass(frozen=True, slots=True)
class DeploymentTest:
    """One of `TESTS`, and every look that it took."""

    test: str
    looks: Sequence[Look]

    @property
    def result(self) -> Result:
        """The worst of its looks: `failed`, else `not possible`, else `passed`."""
        results = {one.result for one in self.looks}
        if "failed" in results:
            return "failed"
        return "passed" if results == {"passed"} else "not possible"


@dataclass(frozen=True, slots=True)
class Check:
    """All tests of a champion."""

    pipeline: str
    version: str
    tests: Sequence[DeploymentTest]

    @property
    def failures(self) -> list[Look]:
        """Every look that failed."""
        return [one for test in self.tests for one in test.looks if one.result == "failed"]

    def document(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "pipeline": self.pipeline,
            "version": self.version,
            "passed": not self.failures,
            "tests": [
                {
                    "test": test.test,
                    "result": test.result,
                    "looks": [asdict(one) for one in test.looks],
                }
                for test in self.tests
            ],
        }
