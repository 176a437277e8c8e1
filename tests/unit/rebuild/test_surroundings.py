"""What is noted of the code and of what is installed, wherever a version is made."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

import perennial
from infra.bundle import build, closure
from perennial.adapters.surroundings import (
    LIBRARIES,
    SOURCES,
    code_digest,
    dependency_digest,
    surroundings,
)

PACKAGE = Path(perennial.__file__).parent


@pytest.fixture
def bundle(tmp_path) -> Path:
    """The package as the training job gets it."""
    return build("train", tmp_path).folder / "perennial"


def test_the_code_of_a_checkout_and_of_its_bundle_have_the_same_digest(bundle):
    assert code_digest(bundle) == code_digest()


@pytest.mark.parametrize(
    ("source", "matters"),
    [
        ("domain/modelling/training.py", True),
        ("domain/modelling/features.py", True),
        ("workflows/rows.py", True),
        ("adapters/onnx_converters.py", True),
        ("domain/evaluation/duel.py", False),
        ("workflows/train.py", False),
        ("adapters/cloud_storage.py", False),
    ],
)
def test_a_change_to_what_makes_a_model_changes_it_and_no_other_does(bundle, source, matters):
    with (bundle / source).open("a") as file:
        file.write("# another release\n")
    assert (code_digest(bundle) != code_digest()) is matters


def test_it_covers_all_that_these_sources_import_as_the_bundle_follows_it(bundle):
    """Each such file, changed by itself, shows."""
    entries = [PACKAGE.joinpath(*name.split(".")[1:]).with_suffix(".py") for name in SOURCES]
    wanted = {*entries, *closure(entries, PACKAGE.parent)}
    for path in wanted:
        inside = bundle / path.relative_to(PACKAGE)
        before = inside.read_bytes()
        inside.write_bytes(before + b"\n")
        assert code_digest(bundle) != code_digest(), path
        inside.write_bytes(before)
    assert code_digest(bundle) == code_digest()


def test_libraries_are_noted_by_their_versions_and_all_else_by_a_digest():
    found = surroundings()
    assert {name: found[name] for name in LIBRARIES} == {name: version(name) for name in LIBRARIES}
    assert found["dependencies"] == dependency_digest()
    assert found["code"] == code_digest()
    assert all(found[name] for name in ("python", "threads", "platform"))
