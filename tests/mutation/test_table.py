"""The table of mutations fits the sources, and what judges mutants can tell them apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutation.mutations import ROOT, GuardMoved, Mutation
from tests.mutation.table import MUTATIONS
from tests.mutation.trial import Tree

TRANSITIONS = "tests/unit/registry/test_transitions.py"
PIN = "test_while_pinned_a_good_version_waits_and_cannot_be_approved"


def named(name: str) -> Mutation:
    (found,) = (one for one in MUTATIONS if one.name == name)
    return found


def test_each_has_a_name_of_its_own() -> None:
    assert [
        name for name, count in Counter(one.name for one in MUTATIONS).items() if count > 1
    ] == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_guard_stands_there_once_and_without_it_the_file_compiles(mutation: Mutation) -> None:
    assert mutation.old != mutation.new
    compile(mutation.mutated(), mutation.file, "exec")


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_tests_that_must_notice_are_there(mutation: Mutation) -> None:
    for test in mutation.tests:
        file, _, name = test.partition("::")
        source = (ROOT / file).read_text(encoding="utf-8")
        for part in filter(None, name.partition("[")[0].split("::")):
            assert f"def {part}(" in source or f"class {part}:" in source, test


def test_a_guard_that_moved_is_an_error(tmp_path: Path) -> None:
    moved = replace(named("pin: a rollback does not pin"), old="no such text")
    with pytest.raises(GuardMoved, match="the guard moved: expected its text once in shared/"):
        moved.mutated()
    twice = replace(moved, old="return")
    with pytest.raises(GuardMoved, match="update the table"):
        twice.mutated()


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A copy that the tests of this module share; each trial puts right what it changed."""
    return Tree.copied(tmp_path_factory.mktemp("mutation"))


def test_the_fastest_mutant_is_killed_by_the_test_that_is_about_it(tree: Tree) -> None:
    mutation = named("pin: a version that passes is promoted all the same")
    whole = (tree.root / mutation.file).read_bytes()
    outcome = tree.try_out(mutation)

    assert (outcome.verdict, outcome.by) == ("killed", f"{TRANSITIONS}::{PIN}"), outcome.said
    assert (tree.root / mutation.file).read_bytes() == whole
    assert (ROOT / mutation.file).read_bytes() == whole


def test_one_that_changes_nothing_survives(tree: Tree) -> None:
    mutation = named("pin: a version that passes is promoted all the same")
    equal = replace(mutation, new=f"{mutation.old}  # the same", tests=(f"{TRANSITIONS}::{PIN}",))

    assert tree.try_out(equal).verdict == "survived"


@pytest.mark.parametrize(
    ("new", "said"),
    [("if head.pin is not None and nobody_knows:", "NameError"), ("if (:", "SyntaxError")],
    ids=["at a test", "at its import"],
)
def test_one_that_only_breaks_is_not_killed(tree: Tree, new: str, said: str) -> None:
    mutation = named("pin: a version that passes is promoted all the same")
    outcome = tree.try_out(replace(mutation, new=new, tests=(f"{TRANSITIONS}::{PIN}",)))

    assert outcome.verdict == "broken"
    assert said in outcome.said
