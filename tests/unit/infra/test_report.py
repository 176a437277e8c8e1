"""What a person is told when a deployment stands."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.deploying.report import first_steps, repository_address
from infra.deploying.wanted import Wanted
from perennial.cli.main import perennial
from tests.unit.infra.conftest import OUTPUTS
from tests.unit.infra.google_apis import PROJECT, REGION

REMOTE = "git+https://example.com/shop/perennial.git"


def text(deployment: str = "perennial", remote: str | None = REMOTE) -> str:
    return first_steps(Wanted(PROJECT, REGION, deployment), "prod", OUTPUTS, remote)


def test_addresses_and_the_right_to_drop_are_told() -> None:
    assert OUTPUTS["predict_url"] in text()
    assert f"gs://{PROJECT}-perennial-landing" in text()
    assert "infra/environments/prod.tfvars" in text()
    assert 'droppers  = { sales = ["user:ada@example.com"] }' in text()
    assert f'pip install "{REMOTE}"' in text()


def test_without_a_known_remote_a_checkout_is_installed() -> None:
    assert "pip install PATH" in text(remote=None)


def test_another_deployment_is_named_to_the_command_line() -> None:
    assert "export PERENNIAL_DEPLOYMENT=second" in text("second")
    assert "PERENNIAL_DEPLOYMENT" not in text()


def test_every_command_is_one_that_perennial_knows() -> None:
    """Its options too: `--help` refuses what it does not know before it."""
    lines = [line.split("#")[0] for line in text().splitlines() if line.startswith("  perennial ")]
    assert len(lines) >= 5
    for line in lines:
        _, command, *arguments = shlex.split(line)
        options = [argument for argument in arguments if argument.startswith("-")]
        help_page = CliRunner().invoke(perennial, [command, "--help"]).output
        for option in options:
            assert re.search(rf"(^|\s){option}\b", help_page), f"{command} {option}"


def test_the_call_sends_json() -> None:
    (data,) = re.findall(r"-d '(.*)'", text())
    assert json.loads(data)["instances"]


def test_droppers_is_a_line_for_a_variables_file() -> None:
    """And the variables exist."""
    declared = "".join(path.read_text() for path in Wanted(PROJECT, REGION).infra.glob("*.tf"))
    for name in re.findall(r"^  (\w+) += .*#", text(), re.MULTILINE):
        assert f'variable "{name}"' in declared


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://example.com/a/b.git", "git+https://example.com/a/b.git"),
        ("https://ada:s3cret@example.com/a/b.git", "git+https://example.com/a/b.git"),
        ("git@example.com:a/b.git", "git+ssh://git@example.com/a/b.git"),
        ("ssh://git@example.com/a/b.git", "git+ssh://git@example.com/a/b.git"),
        ("/home/ada/perennial", None),
        (None, None),
    ],
)
def test_the_repository_is_named_as_pip_takes_it_and_without_secrets(
    tmp_path: Path, remote: str | None, address: str | None
) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    if remote:
        subprocess.run(["git", "-C", tmp_path, "remote", "add", "origin", remote], check=True)
    assert repository_address(tmp_path) == address


def test_it_says_what_the_environment_is_for():
    """The first deployment is one to throw away, unless somebody says otherwise."""
    said = first_steps(Wanted(PROJECT, REGION), "dev", OUTPUTS, None)
    assert "as         environments/dev.tfvars. A deployment to try things in" in said
