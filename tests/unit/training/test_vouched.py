"""The head vouches for manifests, a manifest for files: nobody works with anything else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perennial.domain import names
from perennial.errors import DigestMismatch
from perennial.workflows.apply import apply
from perennial.workflows.attempt import load_champion
from perennial.workflows.console.records import Records
from perennial.workflows.doctoring.pipelines import examine_pipelines
from perennial.workflows.export import export
from perennial.workflows.lineages import Learners
from perennial.workflows.rebuild import rebuild
from perennial.workflows.runs import RunRecord
from perennial.workflows.status import status
from perennial.workflows.sweep import sweep
from perennial.workflows.upgrade import check_upgrade
from perennial.workflows.verify import Verifier
from perennial.workflows.versions import explain, list_versions

VERSION = "v000001"


@pytest.fixture
def served(taps):
    taps.drop(rows=60)
    taps.train()
    assert taps.head.champion == VERSION
    return taps


def _upgrades(taps):
    at = taps.trainer.clock.now()
    run = RunRecord("taps", "r", "scored", "", at, at, champion=VERSION)
    return list(check_upgrade(taps.trainer, "taps", [run]))


def _apply(taps):
    parts = taps.trainer
    changed = taps.text.replace("min_rows: 40", "min_rows: 41")
    return apply(parts.buckets, parts.registry, parts.launcher, parts.clock, changed, by="ada")


def _swept(taps):
    parts = taps.trainer
    swept = sweep(parts.buckets, parts.registry, parts.launcher, parts.clock)
    _raise_where(swept.errors.values())


def _rebuilt(taps):
    found = rebuild(taps.trainer, "taps", VERSION)
    assert found.outcome == "impossible"
    _raise_where([found.reason])


def _doctored(taps):
    _raise_where(one.found for one in examine_pipelines(taps.registry) if one.state != "ok")


def _raise_where(said):
    """What is a result elsewhere, as an error."""
    for one in said:
        raise DigestMismatch(one)


def _verifier(taps):
    parts = taps.trainer
    return Verifier(parts.buckets.data, parts.registry, parts.launcher, parts.clock, patience=1.0)


READERS: dict[str, Callable] = {
    "run": lambda taps: load_champion(taps.trainer, taps.head),
    "apply": _apply,
    "status": lambda taps: status(
        taps.trainer.buckets, taps.registry, taps.trainer.launcher, taps.trainer.clock, "taps"
    ),
    "versions": lambda taps: list_versions(taps.registry, "taps"),
    "explain": lambda taps: explain(taps.registry, "taps", VERSION),
    "export": lambda taps: export(taps.registry, "taps"),
    "sweep": _swept,
    "doctor": _doctored,
    "rebuild": _rebuilt,
    "rebuild's command": lambda taps: _verifier(taps).one("taps", VERSION),
    "upgrade check": _upgrades,
    "recall": lambda taps: Learners(taps.registry, "taps", "a file").among([VERSION]),
    "console: version": lambda taps: Records(taps.registry).manifest(taps.head, VERSION),
    "console: numbers": lambda taps: Records(taps.registry).evaluation(taps.head, VERSION),
    "console: lineage": lambda taps: Records(taps.registry).lineage(taps.head, VERSION),
    "console: card": lambda taps: Records(taps.registry).card(taps.head, VERSION),
}
"""Everybody who reads a version."""

FILES = {
    "run": "model.onnx",
    "versions": "evaluation.json",
    "explain": "lineage.json",
    "export": "model.onnx",
    "rebuild": "model.onnx",
    "recall": "lineage.json",
    "console: numbers": "evaluation.json",
    "console: lineage": "lineage.json",
    "console: card": "card.md",
}
"""A file of the version that each reads."""


@pytest.mark.parametrize("reader", READERS)
def test_a_manifest_that_the_head_does_not_state_is_refused_by(served, reader):
    name = names.version("taps", VERSION, "manifest.json")
    models = served.registry.models
    models.overwrite(name, models.read(name).data.replace(b'"seed"', b'"seed" '))

    with pytest.raises(DigestMismatch, match=r"taps v000001: manifest\.json has digest"):
        READERS[reader](served)


@pytest.mark.parametrize("reader", FILES)
def test_a_file_that_the_manifest_does_not_state_is_refused_by(served, reader):
    name = names.version("taps", VERSION, FILES[reader])
    models = served.registry.models
    models.overwrite(name, models.read(name).data + b" ")

    with pytest.raises(DigestMismatch, match="does not match the digest in its manifest"):
        READERS[reader](served)


def test_a_definition_that_its_name_does_not_state_is_refused(served):
    name = names.definition("taps", served.head.definition)
    served.registry.models.overwrite(name, served.text.encode() + b"\n# another\n")

    with pytest.raises(DigestMismatch, match="does not hold the definition that its name states"):
        served.registry.definition_text(served.head)
