"""How reliable a source is: the verdicts on its files, as a grade from A to F."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from perennial.domain.monitoring.arrivals import rhythm
from perennial.domain.monitoring.findings import EASED, Symptom
from perennial.domain.monitoring.report import Grade, Source
from perennial.domain.monitoring.settings import Monitoring
from perennial.domain.monitoring.shares import at_least
from perennial.domain.verdict import VerdictSummary
from perennial.domain.words import counted

RECENT = 64
"""Files of a source that its grade rests on."""

FEWEST_FILES = 5
_GRADES: Sequence[tuple[float, Grade]] = (
    (0.02, "A"), (0.05, "B"), (0.1, "C"), (0.2, "D"), (0.4, "E"),
)  # fmt: skip
_BAD = frozenset({"quarantined", "discarded", "repaired", "vanished"})
_JUDGED = _BAD | {"accepted", "to_score", "suspect"}


def describe(prefix: str, files: Sequence[VerdictSummary], settings: Monitoring) -> Source:
    """What there is to say of a source.

    Args:
        prefix: its folders.
        files: its newest files, at least one, in the order of their drops.
        settings: what is declared.
    """
    verdicts = Counter(_verdict(file) for file in files[-RECENT:])
    found = rhythm([file.file.arrived for file in files], settings.rhythm_hours)
    return Source(
        prefix, dict(sorted(verdicts.items())), grade(verdicts), files[-1].file.name,
        files[-1].file.arrived,
        round(found.usual.total_seconds(), 1) if found else None,
        round(found.late_after.total_seconds(), 1) if found else None,
    )  # fmt: skip


def grade(verdicts: Mapping[str, int]) -> Grade:
    """By the share of files that were no use as they came; empty where too few came.

    Duplicates are no fault: whoever sends twice to be sure sends nothing wrong.
    """
    bad, judged = _counted(verdicts)
    if judged < FEWEST_FILES:
        return ""
    return next((name for most, name in _GRADES if bad / judged <= most), "F")


def source_unreliable(
    pipeline: str, found: Sequence[Source], settings: Monitoring
) -> Iterator[Symptom]:
    """One symptom for each source of which certainly too many files are bad."""
    if settings.unreliable is None:
        return
    for source in found:
        bad, judged = _counted(source.verdicts)
        strength = at_least(bad, judged) / settings.unreliable
        if judged < FEWEST_FILES or strength < EASED:
            continue
        yield Symptom(
            "source_unreliable", source.prefix, "warning",
            f"{bad} of the last {counted(judged, 'file')} from {pipeline}/{source.prefix} were no "
            f"use as they came: grade {source.grade}",
            f"`perennial quarantine list {pipeline}` says which rules they break; show it to "
            "whoever sends them",
            {
                "verdicts": dict(source.verdicts), "grade": source.grade,
                "share": round(bad / judged, 4), "at_least": round(at_least(bad, judged), 4),
                "limit": settings.unreliable,
            },
            strength, source.last_file,
        )  # fmt: skip


def _verdict(file: VerdictSummary) -> str:
    return "repaired" if file.repaired and file.decision == "accepted" else file.decision


def _counted(verdicts: Mapping[str, int]) -> tuple[int, int]:
    """How many files were bad, of how many that were judged."""
    return tuple(sum(n for v, n in verdicts.items() if v in of) for of in (_BAD, _JUDGED))  # type: ignore[return-value]
