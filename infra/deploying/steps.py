"""The parts of a deployment's work, each safe to do twice."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra import bundle
from infra.bundle import NO_PACKAGES, TRAINS, Bundle
from infra.deploying import plans, races
from infra.deploying.errors import DeployError, TerraformFailed
from infra.deploying.google import Google
from infra.deploying.image import TrainImage
from infra.deploying.plans import Plan
from infra.deploying.state import Found
from infra.deploying.terraform import Inputs, Terraform
from infra.deploying.voice import Voice
from infra.deploying.wanted import Wanted
from perennial.adapters.model_packages import package_digest
from perennial.domain.descriptor import DEPLOYMENT

FOUNDATION = (
    "google_project_service.base",
    "google_project_service.api",
    "google_artifact_registry_repository.images",
    'google_storage_bucket_object.source["train"]',
    "google_service_account.account",
    'google_artifact_registry_repository_iam_member.grant["build pushes images"]',
    'google_storage_bucket_iam_member.grant["build reads sources"]',
    'google_project_iam_member.grant["build writes its log"]',
)
"""What the training image is built with; Terraform adds what these depend on."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a deployment works with.

    Attributes:
        google: the APIs.
        terraform: for the deployment's folder and workspace.
        voice: what is said and asked.
        sleep: waits for seconds.
        perennial: the command line that the last step runs.
    """

    google: Google
    terraform: Terraform
    voice: Voice
    sleep: Callable[[float], None] = time.sleep
    perennial: Sequence[str] = field(
        default_factory=lambda: (str(Path(sys.executable).with_name("perennial")),)
    )


def turn_to(wanted: Wanted, tools: Tools, found: Found, environment: str) -> None:
    """Make Terraform work on this deployment's state.

    Raises:
        DeployError: when the environment's file is gone, or Terraform could not get ready.
    """
    file = wanted.variables_file(environment)
    if not file.is_file():
        raise DeployError(f"infra/environments/{file.name}, which was applied last, is gone.")
    tools.terraform.init({"bucket": found.state.bucket, "prefix": found.state.prefix})
    tools.voice.say(
        f"gs://{found.state.bucket}/{found.state.prefix}, with environments/{environment}.tfvars"
    )
    if purpose := wanted.purpose(environment):
        tools.voice.say(purpose)


def build_bundles(wanted: Wanted, tools: Tools) -> dict[str, Bundle]:
    """Every function's zip, where Terraform looks for it.

    Raises:
        DeployError: when a function is not complete.
    """
    out, packages = wanted.root / "build" / "bundles", wanted.packages()
    try:
        bundles = {
            name: bundle.build(name, out, wanted.root, packages if name == TRAINS else NO_PACKAGES)
            for name in bundle.FUNCTIONS
        }
    except FileNotFoundError as error:
        raise DeployError(str(error)) from error
    tools.voice.say("\n".join(built.zip.name for built in bundles.values()))
    if packages:
        tools.voice.say(f"The training job may import models from {', '.join(packages)}.")
    return bundles


def train_image(wanted: Wanted, tools: Tools, environment: str) -> TrainImage:
    """The training image of these sources, in the Python that the functions have.

    Raises:
        DeployError: when a function is not complete, or Terraform cannot tell that Python.
    """
    bundles = build_bundles(wanted, tools)
    runtime = str(tools.terraform.variable("runtime", inputs(wanted, environment, "")))
    python = re.sub(r"python(\d)(\d+)", r"\1.\2", runtime)
    return TrainImage(tools.google, wanted, bundles["train"], python, tools.voice, tools.sleep)


def inputs(wanted: Wanted, environment: str, image: str, targets: Sequence[str] = ()) -> Inputs:
    """What every plan of this deployment is told."""
    variables = {
        "project": wanted.project,
        "region": wanted.region,
        "deployment": wanted.deployment,
        "train_image": image,
    }
    if packages := wanted.packages():
        digests = {name: package_digest(folder) for name, folder in packages.items()}
        variables["model_packages"] = json.dumps(digests)
    return Inputs(variables, [wanted.variables_file(environment)], targets)


def apply(tools: Tools, wanted: Inputs, *, destroy: bool = False) -> None:
    """Plan, show the plan, ask, and apply that very plan.

    A failure that time alone cures is waited out, a few times. The plan made after it needs no new
    approval as long as it changes nothing that was not approved.

    Raises:
        DeployError: not approved, or not applied.
    """
    approved: Plan | None = None
    for left in reversed(range(races.ATTEMPTS)):
        try:
            approved = _attempt(tools, wanted, approved, destroy=destroy)
        except _Failed as failed:
            waits = races.races(failed.failure)
            if not (waits and left):
                raise failed.failure from None
            approved = failed.approved
            tools.voice.say(
                f"Waiting {races.PAUSE_SECONDS:.0f} s for {', and '.join(waits)}; "
                f"then trying again, {left} more at most."
            )
            tools.sleep(races.PAUSE_SECONDS)
        else:
            return


class _Failed(Exception):
    """One attempt failed, with what had been approved by then."""

    def __init__(self, failure: TerraformFailed, approved: Plan | None) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.approved = approved


def _attempt(tools: Tools, wanted: Inputs, approved: Plan | None, *, destroy: bool) -> Plan | None:
    try:
        plan = tools.terraform.plan(wanted, destroy=destroy)
        if not plan:
            tools.voice.say("Nothing to change.")
            return approved
        approve(tools, plan, approved)
        approved = approved or plan
        tools.terraform.apply(plan)
    except TerraformFailed as failure:
        raise _Failed(failure, approved) from failure
    return approved


def approve(tools: Tools, plan: Plan, approved: Plan | None = None) -> None:
    """Show a plan and ask, unless an approved one covers it.

    Raises:
        DeployError: when it is not approved.
    """
    if approved and plans.covers(approved, plan):
        return
    show(tools, plan)
    tools.voice.confirm("Apply this plan?")


def show(tools: Tools, plan: Plan) -> None:
    """Tell a plan in short, and where all of it is."""
    tools.voice.say(plans.summary(plan))
    tools.voice.say(f"All of it: {tools.terraform.command} show {shlex.quote(str(plan.path))}")


def examine(tools: Tools, wanted: Wanted) -> None:
    """Let `perennial doctor` look at the deployment.

    Raises:
        DeployError: when it finds something; its own report is shown.
    """
    command = [*tools.perennial, "doctor", "--project", wanted.project]
    done = subprocess.run(  # noqa: S603  the command is our own
        command, env=_for_doctor(os.environ, wanted), check=False, stdout=sys.stderr
    )
    if done.returncode:
        raise DeployError(
            "`perennial doctor` is not content; its report is above. All is deployed: cure what it "
            "names, and run this or `perennial doctor` again."
        )


def _for_doctor(environment: Mapping[str, str], wanted: Wanted) -> dict[str, str]:
    """Without settings that would show it another deployment."""
    kept = {name: value for name, value in environment.items() if not name.startswith("PERENNIAL_")}
    if wanted.deployment != DEPLOYMENT:
        kept["PERENNIAL_DEPLOYMENT"] = wanted.deployment
    return kept
