"""What a bucket's settings do to objects behind one's back: delete them, or hold on to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from perennial.domain.doctoring.findings import DEPLOY, Finding, dig, problem
from perennial.domain.doctoring.values import whole

_DAY = 86_400
_EXPIRING = ("quarantine", "predictions")
"""The roles of buckets whose objects are deleted in the end."""

_LOOKS = frozenset((".watch.json", ".told"))
"""Suffixes of monitor's notes in the data bucket, which it writes again in time."""

_NONCURRENT = ("daysSinceNoncurrentTime", "noncurrentTimeBefore", "numNewerVersions")


def check_keeping(check: str, role: str, bucket: Mapping[str, Any]) -> list[Finding]:
    """No lifecycle rule deletes what must live, and nothing keeps the head from being replaced.

    Args:
        check: what the findings are about.
        role: the bucket's; empty where nobody knows it, and it must be fit for any.
        bucket: its metadata.

    Returns:
        Problems only.
    """
    rules = dig(bucket, "lifecycle", "rule") or []
    findings = [
        problem(
            f"{check}: lifecycle",
            "no rule that deletes what is live",
            f"one that deletes {_which(rule)}",
            f"remove that rule, or {DEPLOY}",
        )
        for rule in rules
        if _deletes_live(rule) and not _may(role, rule)
    ]
    if role in ("models", "") and (held := _held(bucket)):
        findings.append(
            problem(
                f"{check}: retention",
                "that an object can be replaced: a pipeline's head is, with every commit",
                held,
                "take it off this bucket; soft delete and versions do no harm",
            )
        )
    return findings


def _deletes_live(rule: Mapping[str, Any]) -> bool:
    condition = dig(rule, "condition") or {}
    if dig(rule, "action", "type") != "Delete" or condition.get("isLive") is False:
        return False
    return not any(_said(condition.get(name)) for name in _NONCURRENT)


def _said(value: object) -> bool:
    """Whether a condition says anything: the APIs leave zeroes out."""
    return value not in (None, "", 0, "0")


def _may(role: str, rule: Mapping[str, Any]) -> bool:
    """Whether a rule deletes only what is meant to be deleted."""
    suffixes = dig(rule, "condition", "matchesSuffix") or []
    return role in _EXPIRING or (role == "data" and bool(suffixes) and _LOOKS.issuperset(suffixes))


def _which(rule: Mapping[str, Any]) -> str:
    condition = dig(rule, "condition") or {}
    told = ", ".join(f"{name} {value}" for name, value in sorted(condition.items()))
    return f"objects with {told}" if told else "every object"


def _held(bucket: Mapping[str, Any]) -> str:
    """What keeps objects from being replaced; empty where nothing does."""
    if retention := whole(dig(bucket, "retentionPolicy", "retentionPeriod")):
        return f"a retention of {retention / _DAY:g} days"
    return "a hold on every new object" if dig(bucket, "defaultEventBasedHold") else ""
