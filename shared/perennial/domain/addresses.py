"""Where a landing object belongs, by its name: `{pipeline}/{any/path/file}`."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from perennial.domain.judging.findings import file_finding, quoted
from perennial.domain.names import PIPELINE_NAME, RESERVED_SEGMENTS, UNKNOWN_PIPELINE
from perennial.domain.verdict import Finding

SCORE = "score"
"""The folder of a pipeline whose files are scored, and not learned."""

_NEAR = 0.75  # of difflib's ratio: bkie and bikes are near bike


def home(name: str) -> str:
    """The pipeline that a name states, `_unknown` where it states none that could exist."""
    pipeline, slash, _ = name.partition("/")
    if slash and PIPELINE_NAME.fullmatch(pipeline) and pipeline not in RESERVED_SEGMENTS:
        return pipeline
    return UNKNOWN_PIPELINE


def near_miss(pipeline: str, known: Sequence[str]) -> str | None:
    """The existing pipeline that a name is probably meant to be."""
    return next(iter(get_close_matches(pipeline, known, n=1, cutoff=_NEAR)), None)


def misaddressed(name: str, known: Sequence[str]) -> Finding:
    """What is wrong with a name whose home is `_unknown`, or a near miss.

    Args:
        name: the landing object's name.
        known: the pipelines that exist; perhaps, by now, the one that the name states.
    """
    first, slash, _ = name.partition("/")
    if not slash:
        found = f"{quoted(name)} at the bucket's root"
    elif first == SCORE:
        return file_finding(
            "pipeline",
            f"expected a name like pipeline/{SCORE}/file.csv, found {quoted(name)}, which names no "
            "pipeline",
        )
    elif first in RESERVED_SEGMENTS:
        return _reserved(first)
    else:
        found = f"the folder {quoted(first)}, which is no pipeline"
        known = [pipeline for pipeline in known if pipeline != first]
    nearest = get_close_matches(first.lower(), known, n=1)
    if nearest:
        advice = f"did you mean {nearest[0]}/?"
    elif known:
        advice = f"pipelines are {', '.join(known[:10])}"
    else:
        advice = "there is no pipeline yet"
    return file_finding(
        "pipeline", f"expected a name like pipeline/file.csv, found {found}; {advice}"
    )


def reserved(name: str) -> Finding | None:
    """The finding for a file in a folder of its pipeline that is kept for later."""
    folder = reserved_folder(name)
    return _reserved(folder) if folder and folder != SCORE else None


def reserved_folder(name: str) -> str:
    """The folder below its pipeline's with a meaning of its own that a name states; else empty."""
    _, _, path = name.partition("/")
    segment, slash, _ = path.partition("/")
    return segment if slash and segment in RESERVED_SEGMENTS else ""


def _reserved(segment: str) -> Finding:
    return file_finding(
        "reserved",
        f"expected a folder for rows to learn from, found {segment}/, which is reserved and not "
        "supported yet: use another folder",
    )
