"""The fourth and fifth test: the champion is what is served, and it answers as its graph does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from perennial.domain.checking.features import TOLERANCE
from perennial.domain.checking.looks import Look, Trouble, look
from perennial.domain.checking.served import Answered, Served
from perennial.domain.modelling.predictions import class_key
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.rebuilding import Change
from perennial.domain.words import counted


def judge_infrastructure(
    manifest: Manifest, served: Served | Trouble, smoke: str | Trouble
) -> Iterator[Look]:
    """Look at what is served, and at whether a fresh process can serve it.

    Args:
        manifest: the champion's.
        served: what the function says.
        smoke: what a fresh process showed.
    """
    if isinstance(served, Trouble):
        yield served.look("predict function")
    else:
        yield from _served(manifest, served)
    if isinstance(smoke, Trouble):
        yield smoke.look("smoke")
    else:
        yield look("smoke", True, smoke)


def _served(manifest: Manifest, served: Served) -> Iterator[Look]:
    said = f"serves {served.version or 'nothing'}, and the champion is {manifest.version}"
    if served.version == manifest.version:
        said = f"serves {served.version}, the champion"
    said += f" ({served.error})" if served.error else ""
    yield look("version", served.version == manifest.version, said, served=served.version)
    digest = manifest.files["model.onnx"].sha256
    same = served.digest == digest
    said = f"graph {digest[:12]}" + (
        ", as its manifest states" if same else f" expected, found {str(served.digest)[:12]}"
    )
    yield look("digest", same, said, served=served.digest, manifest=digest)
    age = served.looked_up
    said = "it does not say" if age is None else f"{age:.1f} s ago"
    yield look("look-up", None if age is None else True, said, seconds=age)


def judge_integration(
    manifest: Manifest, expected: Sequence[Any] | Trouble, answered: Answered | Trouble
) -> Iterator[Look]:
    """Look at the answer to a real request.

    Args:
        manifest: the champion's.
        expected: what its graph answered to the same rows when it was made.
        answered: what came over HTTP.
    """
    if isinstance(expected, Trouble):
        yield expected.look("request")
        return
    if isinstance(answered, Trouble):
        yield answered.look("request")
        return
    yield look(
        "X-Model-Version", answered.version == manifest.version,
        f"{answered.version or 'none'} answered, the champion is {manifest.version}",
        found=answered.version,
    )  # fmt: skip
    yield _answers(manifest, expected, answered.predictions)


def _answers(manifest: Manifest, expected: Sequence[Any], predictions: Sequence[Any]) -> Look:
    try:
        found = [_numbers(manifest, one) for one in predictions]
        change = Change.between(expected, found)
    except (KeyError, TypeError, ValueError):
        said = f"the answer to {counted(len(expected), 'row')} is not one of this model"
        return look("answers", False, said, predictions=list(predictions)[:5])
    largest = max((abs(one) for one in expected), default=0.0) if not manifest.classes else 1.0
    allowed = TOLERANCE * largest
    said = (
        f"over HTTP {counted(change.instances, 'recorded row')} get the answers of its graph, at "
        f"most {change.largest:.2g} apart where {allowed:.2g} is allowed"
    )
    return look("answers", change.largest <= allowed, said, allowed=allowed, **asdict(change))


def _numbers(manifest: Manifest, prediction: Any) -> float | list[float]:
    """A prediction as the graph gives it: a number, or probabilities in the classes' order."""
    if not manifest.classes:
        return float(prediction)
    probabilities: Mapping[str, float] = prediction["probabilities"]
    return [float(probabilities[class_key(one)]) for one in manifest.classes]
