"""Terraform as it really is, and as it stops. `terraform_data` needs no network and no provider."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.deploying import steps
from infra.deploying.errors import DeployError, TerraformFailed
from infra.deploying.google import Google
from infra.deploying.plans import Change
from infra.deploying.steps import Tools
from infra.deploying.terraform import Inputs, Terraform
from infra.deploying.voice import Voice
from tests.unit.infra.conftest import Stage

CONFIGURATION = """\
terraform {
  backend "local" {}
}
variable "name" {
  default = "shop"
}
resource "terraform_data" "first" {
  input = var.name
}
# Fails as a first apply does, once.
resource "terraform_data" "second" {
  input = terraform_data.first.output
  provisioner "local-exec" {
    command = "test -e again || { touch again; echo 'recently started to use Eventarc'; exit 1; }"
  }
}
output "name" {
  value = terraform_data.first.output
}
"""
ON_INTERRUPT = """\
import pathlib, signal, sys
from infra.deploy import _terminate
from infra.deploying.terraform import Terminated, Terraform
from infra.deploying.plans import Plan
from infra.deploying.voice import Voice
folder = pathlib.Path({workspace!r})
signal.signal(signal.SIGTERM, _terminate)
try:
    Terraform(folder, folder, Voice()).apply(Plan(folder / "plan", ()))
except KeyboardInterrupt as interrupt:
    sys.exit(15 if isinstance(interrupt, Terminated) else 2)
"""


@pytest.fixture
def terraform(tmp_path: Path) -> Terraform:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on the PATH")
    folder = tmp_path / "configuration"
    folder.mkdir()
    (folder / "main.tf").write_text(CONFIGURATION)
    quiet = {"CHECKPOINT_DISABLE": "1"}
    return Terraform(
        folder, tmp_path / "workspace", Voice(io.StringIO(), yes=True), os.environ | quiet
    )


@pytest.fixture
def ready(terraform: Terraform, tmp_path: Path) -> Terraform:
    terraform.init({"path": str(tmp_path / "terraform.tfstate")})
    return terraform


def test_the_version_of_a_real_terraform_is_read(terraform: Terraform) -> None:
    major, minor, *_ = terraform.check().split(".")
    assert (int(major), int(minor)) >= (1, 9)


def test_an_absent_terraform_says_how_to_get_it(tmp_path: Path) -> None:
    terraform = Terraform(tmp_path, tmp_path, Voice(), {"PATH": str(tmp_path)})
    with pytest.raises(DeployError, match=r"1\.9 or newer is not on the PATH: https://"):
        terraform.check()


@pytest.mark.parametrize(("version", "enough"), [("1.8.5", False), ("1.9.0", True), ("2.0", True)])
def test_an_old_terraform_is_refused(stage: Stage, version: str, enough: bool) -> None:
    stage.set("version", version)
    terraform = stage.tools(stage.wanted()).terraform
    if enough:
        assert terraform.check() == version
    else:
        with pytest.raises(DeployError, match=r"this is 1\.8\.5"):
            terraform.check()


def test_a_plan_is_saved_and_applied_as_it_is(ready: Terraform) -> None:
    plan = ready.plan(Inputs({"name": "garden"}, targets=["terraform_data.first"]))
    assert plan.changes == (Change("terraform_data.first", "terraform_data", "create"),)

    ready.apply(plan)
    assert not plan.path.exists()
    assert ready.outputs() == {"name": "garden"}
    assert not ready.plan(Inputs({"name": "garden"}, targets=["terraform_data.first"]))


def test_a_race_is_waited_out_and_the_unfinished_made_anew(ready: Terraform) -> None:
    slept: list[float] = []
    google = Google(None)  # type: ignore[arg-type]  # no API is asked
    steps.apply(Tools(google, ready, ready.voice, slept.append), Inputs({}))

    assert slept == [60.0]
    assert ready.outputs() == {"name": "shop"}
    assert not ready.plan(Inputs({}))


def test_a_saved_plan_can_be_looked_at_as_told(ready: Terraform) -> None:
    plan = ready.plan(Inputs({"name": "garden"}))
    done = subprocess.run(
        ["sh", "-c", f"{ready.command} show -no-color {plan.path}"],
        env=dict(ready.environment),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "terraform_data.first will be created" in done.stdout


def test_destroying_shows_what_was(ready: Terraform) -> None:
    ready.apply(ready.plan(Inputs({}, targets=["terraform_data.first"])))
    plan = ready.plan(Inputs({}), destroy=True)
    assert [(change.kind, change.before["input"]) for change in plan.changes] == [
        ("delete", "shop")
    ]

    ready.apply(plan)
    assert not ready.plan(Inputs({}), destroy=True)


def test_a_variable_has_the_value_of_the_last_file(ready: Terraform, tmp_path: Path) -> None:
    assert ready.variable("name", Inputs({})) == "shop"
    file = tmp_path / "dev.tfvars"
    file.write_text('name = "meadow"\n')
    assert ready.variable("name", Inputs({}, [file])) == "meadow"


def test_a_failure_brings_terraforms_own_words(ready: Terraform) -> None:
    (ready.folder / "main.tf").write_text("resource {}\n")
    with pytest.raises(TerraformFailed, match=r"could not plan.*infra/README\.md") as caught:
        ready.plan(Inputs({}))
    assert len(caught.value.errors) >= 1
    assert "Error: " in ready.voice._stream.getvalue()  # type: ignore[attr-defined]


def test_a_held_lock_says_what_to_do(stage: Stage) -> None:
    stage.play(plan=["Error: Error acquiring the state lock\n\nLock Info:\n  ID: 42"])
    terraform = stage.tools(stage.wanted()).terraform
    terraform.init({"bucket": "b", "prefix": "p"})
    with pytest.raises(
        TerraformFailed, match=r"TF_DATA_DIR=.* terraform -chdir=.*infra force-unlock ID"
    ):
        terraform.plan(Inputs({"train_image": ""}))


@pytest.mark.parametrize(
    ("number", "to_all", "code"), [(signal.SIGINT, True, 2), (signal.SIGTERM, False, 15)]
)
def test_an_interrupt_waits_until_terraform_has_saved(
    stage: Stage, number: signal.Signals, to_all: bool, code: int
) -> None:
    """Ctrl-C reaches both; a SIGTERM reaches this process alone, which passes it on."""
    stage.play(apply=["hang"])
    workspace = stage.wanted().workspace
    (workspace / "data").mkdir(parents=True)
    (workspace / "data" / "backend").write_text("b--p")
    (workspace / "plan").write_text(json.dumps({"image": "", "resource_changes": []}))
    process = subprocess.Popen(
        [sys.executable, "-c", ON_INTERRUPT.format(workspace=str(workspace))],
        env=stage.environment,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    while not (stage.world / "hanging").exists():
        assert process.poll() is None
        time.sleep(0.01)
    (os.killpg if to_all else os.kill)(process.pid, number)

    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said.decode()
    assert (stage.world / "saved").exists()
    assert b"Waiting for Terraform to stop" in said
