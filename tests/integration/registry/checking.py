"""Replays a registry's history, and names everything in it that the rules do not allow.

It shares no code with the transitions that it checks: it only compares each head with the last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import Commit, Head
from tests.integration.registry.promoters import PIPELINE, Belief

START = Commit("start", "", "", None, Head(PIPELINE))  # type: ignore[arg-type]


def violations(
    history: Sequence[Commit], manifests: Mapping[str, Manifest], beliefs: Sequence[Belief] = ()
) -> list[str]:
    """What is wrong with a history, one sentence each.

    Args:
        history: the parent chain, oldest first.
        manifests: what each version states of the champion that it was judged against.
        beliefs: what the clients believe that they did.
    """
    found = list(_about_beliefs(history, beliefs))
    for before, entry in pairwise([START, *history]):
        found += [f"commit {entry.head.number}: {wrong}" for wrong in _links(before.head, entry)]
        found += [f"commit {entry.head.number}: {wrong}" for wrong in _standings(before, entry)]
        if entry.head.champion != before.head.champion or entry.action == "promote":
            wrongs = _move(before.head, entry, manifests)
            found += [f"commit {entry.head.number}, {entry.action}: {wrong}" for wrong in wrongs]
    return found


def _links(before: Head, entry: Commit) -> Iterator[str]:
    if entry.head.number != before.number + 1:
        yield f"follows number {before.number}"
    if entry.head.parent != before.commit:
        yield f"is no child of {before.commit}"


def _standings(before: Commit, entry: Commit) -> Iterator[str]:
    """Who may serve, and what was said once and for all."""
    head, earlier = entry.head, before.head.statuses
    champion = head.champion
    if champion is not None and head.statuses.get(champion) != "approved":
        yield f"{champion} serves, and is {head.statuses.get(champion)}"
    for version, status in earlier.items():
        now = head.statuses.get(version)
        if status in ("recalled", "rejected", "superseded") and now != status:
            yield f"{version} was {status}, and is {now}"
    if head.recalls != before.head.recalls + (entry.action == "recall"):
        yield f"counts {head.recalls} recalls after {before.head.recalls}"


def _move(before: Head, entry: Commit, manifests: Mapping[str, Manifest]) -> Iterator[str]:
    """Why a champion may not have moved as it did."""
    to = entry.head.champion
    if entry.version != to:
        yield f"tells of {entry.version}, and {to} serves"
    if entry.action == "promote" and to is not None:
        yield from _promotion(before, entry, manifests[to])
    elif entry.action in _PEOPLES:
        yield from _PEOPLES[entry.action](before, entry.head)
    else:
        yield f"the champion moved from {before.champion} to {to}"


def _approval(before: Head, after: Head) -> Iterator[str]:
    if before.statuses.get(str(after.champion)) != "waiting":
        yield f"{after.champion} did not wait"
    if before.pin is not None:
        yield f"{before.champion} was pinned"


def _rollback(before: Head, after: Head) -> Iterator[str]:
    if before.statuses.get(str(after.champion)) != "approved":
        yield f"{after.champion} had never been approved"
    if after.pin is None:
        yield "pins nothing"


def _recall(before: Head, after: Head) -> Iterator[str]:
    if after.statuses.get(str(before.champion)) != "recalled":
        yield f"{before.champion} left, and was not recalled"
    if after.champion is not None and after.champion not in before.predecessors:
        yield f"{after.champion} was no predecessor"


_PEOPLES = {"approve": _approval, "rollback": _rollback, "recall": _recall}


def _promotion(before: Head, entry: Commit, manifest: Manifest) -> Iterator[str]:
    """A run's promotion: judged against exactly the champion before it, under a living claim."""
    version = manifest.version
    if manifest.champion != before.champion:
        yield f"{version} was judged against {manifest.champion}, and {before.champion} served"
    if manifest.environment.get("recalls", str(before.recalls)) != str(before.recalls):
        yield f"{version} was made before recall {before.recalls}"
    if version in before.statuses:
        yield f"{version} had been judged before"
    if before.pin is not None:
        yield f"{before.champion} was pinned"
    if before.claim is None or entry.by != f"run {before.claim.run}":
        yield f"{entry.by} held no claim"


def _about_beliefs(history: Sequence[Commit], beliefs: Sequence[Belief]) -> Iterator[str]:
    """Each commit that a client believes it made is there once; none that was refused is."""
    ids = Counter(entry.head.commit for entry in history)
    yield from (f"commit {one} is there {times} times" for one, times in ids.items() if times > 1)
    known = {belief.commit for belief in beliefs if belief.outcome == "made"}
    yield from _out_of_order(history, beliefs)
    yield from (f"a commit that was made, {one}, is lost" for one in sorted(known - ids.keys()))
    unknown = Counter((one.by, one.action) for one in beliefs if one.outcome == "unknown")
    for entry in history if beliefs else ():
        if entry.head.commit in known:
            continue
        deed = entry.by, _tried(entry)
        unknown[deed] -= 1
        if unknown[deed] < 0:
            yield f"commit {entry.head.number} by {entry.by} was refused, done twice, or nobody's"


def _tried(entry: Commit) -> str:
    return "judge" if entry.action == "promote" else entry.action


def _out_of_order(history: Sequence[Commit], beliefs: Sequence[Belief]) -> Iterator[str]:
    """Whether each operation can have happened at one moment between its beginning and its end.

    The chain of compare-and-swap is the witness: it says in which order commits took effect, and a
    read lies between the commit that it saw and the next. Each happens as early as its own
    beginning and all before it allow; if that is too late for any, no other choice is better. What
    never had an answer may have happened at any time after it began.
    """
    made = {one.commit: one for one in beliefs if one.outcome == "made"}
    open_ended = {(one.by, one.action): one for one in beliefs if one.outcome == "unknown"}
    reads: dict[str, list[Belief]] = {}
    for one in beliefs:
        if one.outcome == "read":
            reads.setdefault(one.commit, []).append(one)
    moment = 0
    for entry in [START, *history]:
        mine = made.get(entry.head.commit)
        begun = mine or open_ended.get((entry.by, _tried(entry)))
        moment = max(moment, begun.began if begun else 0)
        if mine is not None and mine.ended < moment:
            yield f"commit {entry.head.number} by {entry.by} came later than its answer"
        seen = sorted(reads.pop(entry.head.commit, ()), key=lambda one: one.began)
        for read in seen:
            if read.ended < moment:
                yield f"{read.by} read commit {entry.head.number} before it can have been there"
        moment = max([moment, *(read.began for read in seen)])
    yield from (f"{r[0].by} read commit {commit}, which never was" for commit, r in reads.items())
