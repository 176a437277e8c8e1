"""Whether a pipeline needs a person, in a word, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from perennial.domain.monitoring.findings import Finding
from perennial.domain.verdict import VerdictSummary, lying_there
from perennial.domain.versioning.registry import Head
from perennial.domain.words import counted

State = Literal["good", "attention", "bad", "waiting"]
"""`bad`: somebody has to do something. `attention`: somebody should look. `waiting`: no version
serves yet, and nothing is wrong."""

WORDS: Mapping[State, str] = {
    "good": "Healthy",
    "attention": "Needs a look",
    "bad": "Needs you",
    "waiting": "Waits for data",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that keeps a pipeline from being healthy.

    Attributes:
        severity: how bad: an `error` makes it `bad`, a `warning` needs attention.
        reason: one sentence.
    """

    severity: Literal["warning", "error"]
    reason: str


@dataclass(frozen=True, slots=True)
class Health:
    """How a pipeline is.

    Attributes:
        state: the worst that is known.
        reasons: all of it, the worst first.
    """

    state: State
    reasons: tuple[Reason, ...]

    @property
    def word(self) -> str:
        """The state as people say it."""
        return WORDS[self.state]

    def document(self) -> dict[str, Any]:
        """Ready for JSON."""
        reasons = [{"severity": one.severity, "reason": one.reason} for one in self.reasons]
        return {"state": self.state, "word": self.word, "reasons": reasons}


def health(
    head: Head,
    files: Collection[VerdictSummary],
    runs: Sequence[Mapping[str, Any]],
    findings: Sequence[Finding],
    *,
    at_work: bool,
    more: Sequence[str] = (),
) -> Health:
    """Sum up what is known of a pipeline.

    Args:
        head: its registry.
        files: those in force; what lies in quarantine is seen in them.
        runs: summaries of run records, oldest first.
        findings: of the monitor, those that are open.
        at_work: whether a run holds the claim and lives.
        more: what else somebody should look at, one sentence each.
    """
    reasons = [
        *_found(findings),
        *_of_runs(head, runs, at_work=at_work),
        *_of_files(files),
        *_of_versions(head),
        *(Reason("warning", sentence) for sentence in more),
    ]
    bad = [one for one in reasons if one.severity == "error"]
    attention = [one for one in reasons if one.severity == "warning"]
    state: State = "good" if head.champion else "waiting"
    if reasons:
        state = "bad" if bad else "attention"
    return Health(state, (*bad, *attention))


def _found(findings: Sequence[Finding]) -> Iterator[Reason]:
    for one in findings:
        if one.severity != "info":
            yield Reason(one.severity, one.summary)


def _of_runs(head: Head, runs: Sequence[Mapping[str, Any]], *, at_work: bool) -> Iterator[Reason]:
    if runs and runs[-1]["outcome"] == "failed":
        yield Reason("error", f"the last run failed: {runs[-1]['reason']}")
    if head.claim is not None and not at_work:
        yield Reason("error", f"run {head.claim.run} ended without a record: see its log")


def _of_files(files: Collection[VerdictSummary]) -> Iterator[Reason]:
    held = [file.state for file in lying_there(files)]
    suspects = held.count("suspect")
    if suspects:
        yield Reason("warning", f"training set {counted(suspects, 'file')} aside as suspect")
    if others := len(held) - suspects:
        yield Reason("warning", f"{counted(others, 'file')} in quarantine")


def _of_versions(head: Head) -> Iterator[Reason]:
    if head.waiting:
        yield Reason("warning", f"{', '.join(head.waiting)} can be approved")
    if head.pin:
        yield Reason("warning", f"{head.champion} is pinned by {head.pin.by}: {head.pin.why}")
