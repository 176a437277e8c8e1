"""Recall: a file is taken back, and with it every version that learned from its rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from perennial.domain.verdict import Finding, Verdict
from perennial.domain.versioning.lineage import Lineage
from perennial.domain.versioning.registry import Head, Status
from perennial.errors import RefusedError

RULE = "recalled"
"""The rule of the finding by which a recalled file, or the same bytes again, are held back."""


def recalled(verdict: Verdict) -> Finding | None:
    """Why a file was recalled; None unless it was, and nobody has released it since.

    A file that was discarded after its recall stays recalled.
    """
    if verdict.decision not in ("quarantined", "discarded"):
        return None
    return next((finding for finding in verdict.findings if finding.rule == RULE), None)


def learned_rows(lineage: Lineage, stem: str) -> int:
    """How many rows of a file a version was fitted to; none where its window had passed it by.

    Args:
        lineage: the version's.
        stem: the file.
    """
    if lineage.rows is not None:
        return sum(portion.rows for portion in lineage.rows if portion.stem == stem)
    return sum(file.rows for file in lineage.files if file.stem == stem and file.used)


def servable(head: Head) -> frozenset[str]:
    """The versions that serve, may be returned to, or may yet be approved."""
    return head.approved.union(head.waiting)


def recall(
    head: Head, tainted: Collection[str], *, relearn: bool, without_champion: bool = False
) -> Head:
    """Take back versions; the last clean champion serves in the place of a tainted one.

    A pin on a tainted champion is lifted: it was a person's word for that version, which cannot
    serve any more, and would keep its clean successor from serving. A pin on a clean one stays.

    Args:
        head: the current state.
        tainted: versions that learned from the file.
        relearn: whether training has to begin again without the file, whatever the trigger says.
        without_champion: whether nothing may serve until a clean version has passed.

    Raises:
        RefusedError: when no earlier champion is clean, unless `without_champion`.
    """
    statuses: dict[str, Status] = {
        version: "recalled" if version in tainted and version in servable(head) else status
        for version, status in head.statuses.items()
    }
    after = replace(
        head,
        statuses=statuses,
        recalls=head.recalls + 1,
        relearn=head.relearn or relearn,
    )
    clean = tuple(v for v in head.predecessors if v in after.approved)
    after = replace(after, predecessors=clean)
    if head.champion is None or head.champion in after.approved:
        return after
    if not clean and not without_champion:
        raise RefusedError(_nothing_clean(after))
    champion = clean[0] if clean else None
    return replace(after, champion=champion, predecessors=clean[1:], pin=None)


def _nothing_clean(after: Head) -> str:
    """Why a recall would leave the pipeline without a champion, and what to do."""
    pipeline, champion = after.pipeline, after.champion
    tainted = f"{champion} learned from the file, and no champion before it is clean"
    if others := sorted(after.approved):
        return (
            f"{tainted}; approved and clean are {', '.join(others)}: "
            f"`perennial rollback {pipeline} --to {others[-1]} --why …` first, or recall with "
            "--without-champion"
        )
    return (
        f"{tainted}: with --without-champion nothing serves, and predict answers 503, until a "
        "version without the file has passed"
    )
