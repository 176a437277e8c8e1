"""The script that makes Terraform and the provider: quick, once, and plain when it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.provider import NO_GO, PROVIDER, find
from localdev.settings import ROOT

GO = """#!/bin/sh
# Stands in for Go: notes what it is asked, and makes what it would build.
echo "$1" >> "{notes}"
case "$1" in
mod) echo '{{"Sum": "{sum}", "Dir": "{folder}"}}' ;;
install) sleep 0.3; echo built > "$GOBIN/terraform-provider-google" ;;
esac
"""
TERRAFORM = """#!/bin/sh
echo '{"terraform_version": "1.11.4"}'
"""


class Machine:
    """A user's machine: a PATH and a cache of its own."""

    def __init__(self, directory: Path) -> None:
        self.programs = directory / "bin"
        self.programs.mkdir()
        self.notes = directory / "notes"
        self.notes.touch()
        self.variables = {
            "PATH": f"{self.programs}{os.pathsep}{os.defpath}",
            "XDG_CACHE_HOME": str(directory / "cache"),
        }
        self.install("terraform", TERRAFORM)

    def install(self, name: str, script: str) -> None:
        program = self.programs / name
        program.write_text(script)
        program.chmod(0o755)

    def install_go(self, module_sum: str = PROVIDER.sum) -> None:
        self.install("go", GO.format(notes=self.notes, sum=module_sum, folder=self.programs))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, ROOT / "infra" / "provider.py", *arguments],
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=60)
        return process.returncode, output, errors

    @property
    def asked(self) -> list[str]:
        return self.notes.read_text().split()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_go_it_says_so_and_exits_3(machine):
    code, _, errors = machine.run()
    assert code == NO_GO == 3
    assert "cannot build provider, config: go is not on the PATH" in errors


def test_it_builds_into_a_mirror_that_the_configuration_names(machine):
    machine.install_go()
    code, output, errors = machine.run()
    assert code == 0, errors
    tools = find(machine.variables)
    assert tools.missing == ()
    assert tools.provider.read_text() == "built\n"
    mirror = Path(machine.variables["XDG_CACHE_HOME"]) / "perennial" / "terraform" / "mirror"
    assert f'path = "{mirror}"' in tools.config.read_text()
    assert "direct" not in tools.config.read_text()
    place = tools.provider.relative_to(mirror).parts
    assert place[:4] == ("registry.terraform.io", "hashicorp", "google", PROVIDER.version)
    assert f"provider\t{tools.provider}\n" in output


def test_what_is_there_is_not_built_again(machine):
    machine.install_go()
    machine.run()
    machine.notes.write_text("")
    assert machine.run()[0] == 0
    assert machine.asked == []


def test_two_at_once_build_once(machine):
    machine.install_go()
    processes = [machine.start(), machine.start()]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert machine.asked.count("install") == 1
    assert find(machine.variables).missing == ()


def test_a_module_that_is_not_the_one_that_is_meant_is_not_built(machine):
    machine.install_go(module_sum="h1:another")
    code, _, errors = machine.run()
    assert code == 1
    assert f"expected {PROVIDER.sum}, found h1:another" in errors
    assert "install" not in machine.asked
    assert "provider" in find(machine.variables).missing


def test_where_prints_the_paths_and_builds_nothing(machine):
    machine.install_go()
    code, output, _ = machine.run("--where")
    tools = find(machine.variables)
    assert code == 0
    assert output.splitlines() == [
        f"terraform\t{machine.programs / 'terraform'}",
        f"provider\t{tools.provider}\tmissing",
        f"config\t{tools.config}\tmissing",
    ]
    assert machine.asked == []


def test_an_old_terraform_is_not_used(machine):
    machine.install("terraform", TERRAFORM.replace("1.11.4", "1.5.7"))
    assert find(machine.variables).terraform != machine.programs / "terraform"
    assert "terraform" in find(machine.variables).missing
