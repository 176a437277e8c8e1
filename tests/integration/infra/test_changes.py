"""What a second plan changes: nothing for the same sources, what must change for others."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from infra.bundle import FUNCTIONS, build, collect
from localdev.settings import ROOT

SHARED = "perennial/errors.py"  # every function's bundle has it

DEPLOYED = sorted(set(FUNCTIONS) - {"console"})
"""Without a console, unless it is asked for."""


def test_a_second_plan_with_unchanged_sources_changes_nothing(deployed):
    planned = {change["address"] for change in deployed.plans["again"]["resource_changes"]}
    made = {name for name in deployed.resources("apply") if not name.startswith("data.")}
    assert planned == made
    assert deployed.changes("again") == {}
    outputs = deployed.plans["again"]["output_changes"]
    assert {one["actions"][0] for one in outputs.values()} == {"no-op"}


@pytest.fixture
def touched(tmp_path):
    """A checkout in which one line of a shared module was added."""
    checkout = tmp_path / "checkout"
    for room in ("functions", "shared"):
        shutil.copytree(
            ROOT / room, checkout / room, ignore=shutil.ignore_patterns("__pycache__", ".*")
        )
    module = checkout / "shared" / SHARED
    module.write_text(module.read_text() + "\nTOUCHED = True\n")
    return checkout


def test_one_line_in_shared_changes_every_bundle(touched, tmp_path):
    for function in FUNCTIONS:
        assert SHARED in collect(function)
        before = build(function, tmp_path / "before")
        after = build(function, tmp_path / "after", touched)
        assert before.digest != after.digest  # the training image is tagged with it
        assert before.zip.name != after.zip.name


def test_one_line_in_shared_deploys_sources_and_functions_and_nothing_else(
    new_copy, variables, touched
):
    for function in FUNCTIONS:
        build(function, new_copy.folder.parent / "touched", touched)
    new_copy.write_test(
        "touched",
        variables
        + 'run "before" {}\n\n'
        + 'run "after" {\n  command = plan\n  variables {\n    bundles = "../touched"\n  }\n}\n',
    )
    outcome = new_copy.test("touched", verbose=True)
    assert outcome.ok, outcome.messages
    changes = outcome.changes("after")
    sources = {f'google_storage_bucket_object.source["{name}"]' for name in DEPLOYED}
    functions = {
        f'google_cloudfunctions2_function.function["{name}"]'
        for name in DEPLOYED
        if name != "train"
    }
    assert changes.keys() == sources | functions
    for name in sources:
        # An object cannot be renamed: the real provider makes another one. Mocks cannot tell.
        assert changes[name]["before"]["name"] != changes[name]["after"]["name"]
    for name in functions:
        before, after = (_source(changes[name][when]) for when in ("before", "after"))
        assert before != after
        [source] = [one for one in sources if one.partition("[")[2] == name.partition("[")[2]]
        assert after == changes[source]["after"]["name"]


def _source(function: dict[str, Any]) -> str:
    """The object that a function is built from."""
    [build_config] = function["build_config"]
    return build_config["source"][0]["storage_source"][0]["object"]
