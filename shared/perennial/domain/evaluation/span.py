"""The span of a static model: which accepted files lie in it, and when it is whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from perennial.domain.definitions.recipe import Span, Training
from perennial.domain.verdict import VerdictSummary
from perennial.domain.words import counted


def covered(
    span: Literal["all"] | Span, accepted: Sequence[VerdictSummary]
) -> tuple[VerdictSummary, ...]:
    """The accepted files that lie in a span, in time order, whether or not it is whole."""
    history = sorted(accepted, key=lambda file: file.order)
    if not isinstance(span, Span):
        return tuple(history)
    if span.files is not None:
        return tuple(history[: span.files])
    return tuple(file for file in history if _holds(span, file))


def _holds(span: Span, file: VerdictSummary) -> bool:
    place = file.order[0]
    return (span.since is None or place >= span.since) and (
        span.through is None or place <= span.through
    )


def lacking(training: Training, accepted: Sequence[VerdictSummary]) -> str:
    """What has to come before a static model's span is whole, in words; empty when it is.

    Nothing tells that the last file of a period has come, except one that is later.
    """
    span = training.span
    if training.mode == "dynamic" or not isinstance(span, Span):
        return ""
    files = covered(span, accepted)
    if span.files is not None:
        needs = f"training.span needs {counted(span.files, 'file')}, has {len(files):,}"
        return needs if len(files) < span.files else ""
    if not any(span.through and file.order[0] > span.through for file in accepted):
        return (
            f"training.span goes through {span.through}: it is whole when a later file comes, and "
            f"holds {counted(len(files), 'file')} so far"
        )
    return "" if files else "no accepted file lies in training.span: change it, or drop such files"


def learnable(training: Training, accepted: Sequence[VerdictSummary]) -> Sequence[VerdictSummary]:
    """The files that a first version would learn from now: none while its span is not whole."""
    if training.mode == "dynamic":
        return accepted
    return () if lacking(training, accepted) else covered(training.span, accepted)
