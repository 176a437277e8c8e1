"""Runs of pipelines with models of one's own: only from allowed packages, or they end as failed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from perennial.adapters.model_packages import ModelPackages
from perennial.domain.definitions import own_models
from perennial.domain.definitions.own_models import look_up_with
from perennial.errors import DefinitionError, RefusedError
from perennial.workflows.runs import list_runs

from .conftest import DEFINITION

FOREST = """\
from sklearn.ensemble import RandomForestClassifier


def make(trees, random_state):
    return RandomForestClassifier(trees, random_state=random_state)


def breaks():
    raise OSError("a file that is not there")
"""
OWN = DEFINITION.replace("model: linear", 'model: "own_run_models.forest:make"').replace(
    "min_rows: 40", "min_rows: 40\n  parameters: {trees: 20}"
)


@pytest.fixture
def packages(tmp_path: Path) -> Iterator[ModelPackages]:
    """What the job may import; no trace of it stays in this process."""
    package = tmp_path / "models" / "own_run_models"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "forest.py").write_text(FOREST)
    allowed = ModelPackages(package.parent, ("own_run_models",))
    look_up_with(allowed)
    path = list(sys.path)
    yield allowed
    look_up_with(own_models.nobody_looks_up)
    sys.path[:] = path
    for name in [name for name in sys.modules if name.startswith("own_run_models")]:
        del sys.modules[name]


def test_it_learns_duels_and_serves_with_its_packages_on_record(taps, packages):
    digests = {f"package {name}": found for name, found in packages.digests().items()}
    taps = replace(taps, trainer=replace(taps.trainer, environment={"numpy": "2", **digests}))
    taps.apply(OWN)
    for version in ("v000001", "v000002"):
        taps.drop()
        (record,) = taps.train()
        assert (record.version, record.outcome) == (version, "promoted"), record.reason
    assert taps.registry.manifest("taps", "v000002").environment == {"numpy": "2", **digests}


def test_a_built_in_model_has_no_package_on_record(taps):
    environment = {"numpy": "2", "package own_run_models": "a" * 64}
    taps = replace(taps, trainer=replace(taps.trainer, environment=environment))
    taps.drop()
    taps.train()
    assert taps.registry.manifest("taps", "v000001").environment == {"numpy": "2"}


@pytest.mark.parametrize(
    "name", ["os:system", "subprocess:Popen", "perennial.x:y", "own_other_models.forest:make"]
)
def test_a_name_that_somebody_wrote_by_hand_is_not_imported(taps, packages, name):
    """The run fails and says why; what serves goes on serving."""
    taps.drop()
    taps.train()
    taps.apply(OWN.replace("own_run_models.forest:make", name))
    taps.drop()
    with pytest.raises(RefusedError, match=f"{name} may not be imported here"):
        taps.train()
    *_, last = list_runs(taps.trainer.buckets.data, "taps")
    assert last["outcome"] == "failed"
    assert last["reason"].startswith(f"RefusedError: training.model: {name} may not be")
    assert (taps.head.champion, taps.head.claim) == ("v000001", None)


def test_a_factory_that_breaks_fails_the_run_and_says_how(taps, packages):
    taps.apply(OWN.replace("forest:make", "forest:breaks").replace("{trees: 20}", "{}"))
    taps.drop()
    with pytest.raises(DefinitionError, match="raises OSError: a file that is not there"):
        taps.train()
    assert taps.head.champion is None
