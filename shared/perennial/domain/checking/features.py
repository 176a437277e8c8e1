"""The second test: the graph turns rows into features exactly as training did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from perennial.domain.checking.looks import Look, Trouble, look
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.rebuilding import CODE, DEPENDENCIES, Change
from perennial.domain.words import counted

TOLERANCE = 1e-5
"""How far answers may be from those on record: of the largest one, or of 1 for probabilities."""


@dataclass(frozen=True, slots=True)
class FeatureFacts:
    """What is known of a version's features.

    Attributes:
        parity: what the parity gate measured when it was made; None where that is not on record.
        graph: why its graph could not be loaded; None where it could.
        again: the graph's answers to the recorded rows now, against those on record.
        largest: of the recorded answers, without sign.
        precision: what float32 cannot tell apart in those rows; empty where there is nothing.
    """

    manifest: Manifest
    parity: Mapping[str, float] | None
    graph: Trouble | None
    again: Change | Trouble
    largest: float
    precision: str | Trouble


def judge_features(facts: FeatureFacts) -> Iterator[Look]:
    """Look at parity, the graph, its answers now, and precision."""
    yield _parity(facts.parity)
    yield facts.graph.look("graph") if facts.graph else _transformations(facts.manifest)
    yield (
        facts.again.look("answers")
        if isinstance(facts.again, Trouble)
        else _answers(facts, facts.again)
    )
    if isinstance(facts.precision, Trouble):
        yield facts.precision.look("precision")
    else:
        said = facts.precision or "float32 carries the numbers of the recorded rows"
        yield look("precision", not facts.precision, said)


def _parity(parity: Mapping[str, float] | None) -> Look:
    if not parity:
        return look("parity", None, "its evaluation has no parity numbers on record")
    apart, allowed = parity["largest_difference"], parity["tolerance"]
    rows = counted(int(parity["rows"]), "row")
    return look(
        "parity", apart <= allowed,
        f"graph and trained model are at most {apart:.2g} apart where {allowed:.2g} is allowed, on "
        f"{rows} and {counted(int(parity['probes']), 'row')} around the splits",
        **parity,
    )  # fmt: skip


def _transformations(manifest: Manifest) -> Look:
    outside = f" but {manifest.text}, which training and serving share" if manifest.text else ""
    code = manifest.environment.get(CODE, "")
    return look(
        "graph", True,
        f"it reads {counted(len(manifest.inputs), 'column')} as they come and holds all "
        f"transformations{outside}; made by code {code[:12] or 'that is not on record'}",
        inputs=[one.name for one in manifest.inputs],
        outside=manifest.text or None,
        digest=manifest.files["model.onnx"].sha256,
        code=code or None,
        dependencies=manifest.environment.get(DEPENDENCIES),
    )  # fmt: skip


def _answers(facts: FeatureFacts, again: Change) -> Look:
    allowed = TOLERANCE * (1.0 if facts.manifest.classes else facts.largest)
    return look("answers", again.largest <= allowed, str(again), allowed=allowed, **asdict(again))
