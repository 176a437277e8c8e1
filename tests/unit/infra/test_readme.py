"""infra/README.md says what the code says."""

from __future__ import annotations

import re
import shlex

import pytest

from infra.bundle import ROOT
from infra.cost import main
from infra.deploying.preflight import ROLES

TEXT = (ROOT / "infra" / "README.md").read_text(encoding="utf-8")
BILLS = re.findall(r"`python infra/cost\.py([^`|]*)`[^|\n]*\| ([\d.]+) \|", TEXT)


def test_every_role_of_the_deployer_is_in_the_table_with_its_reason():
    assert [f"| `{role.name}` | {role.reason} |" for role in ROLES] == re.findall(
        r"^\| `roles/.*$", TEXT, re.MULTILINE
    )


def test_there_are_bills():
    assert len(BILLS) >= 4


@pytest.mark.parametrize(("arguments", "total"), BILLS)
def test_a_bill_is_what_its_command_prints(arguments, total, capsys):
    main(shlex.split(arguments))
    assert capsys.readouterr().out.split()[-1] == total


@pytest.mark.parametrize("arguments", ["--batch 0", "--files -1", "--trigger nan", "--warm many"])
def test_a_usage_that_cannot_be_is_refused(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments.split())
    assert "expected a number from" in capsys.readouterr().err


def test_variables_that_are_named_exist():
    declared = set()
    for path in (ROOT / "infra").glob("*.tf"):
        declared |= set(re.findall(r'^variable "(\w+)"', path.read_text("utf-8"), re.MULTILINE))
    table = TEXT.split("| variable | says |")[1].split("\n\n")[0]
    named = set(re.findall(r"`([a-z_]+)`", table)) - {"sales"}
    assert named
    assert named <= declared
