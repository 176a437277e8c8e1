"""Terraform, run as the program that a person would run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.deploying.errors import DeployError, TerraformFailed
from infra.deploying.plans import Plan, read_plan
from infra.deploying.voice import Voice

MINIMUM = (1, 9)
LOCK_WAIT = "-lock-timeout=60s"

_INSTALL = "https://developer.hashicorp.com/terraform/install says how to get it"
# What a person's shell may hold and what would lead Terraform to another state or other arguments.
_NOT_INHERITED = re.compile(r"TF_(DATA_DIR|WORKSPACE|CLI_ARGS(_.*)?|INPUT|IN_AUTOMATION)")
_CHANGES = 2  # the exit code of a plan that has some
_ADVICE = {
    "Error acquiring the state lock": (
        "Another deploy of the same deployment is at work, or one was killed. When none is, this "
        "frees the state: {command} force-unlock ID, with the ID above."
    ),
    "Saved plan is stale": "Somebody else applied meanwhile: run this again for a new plan.",
}


class Terminated(KeyboardInterrupt):
    """This process alone was told to end, and Terraform was not."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a plan depends on beside the configuration.

    Attributes:
        variables: by name.
        files: of variables; the later wins.
        targets: addresses that the plan is limited to; all when there are none.
    """

    variables: Mapping[str, str]
    files: Sequence[Path] = ()
    targets: Sequence[str] = ()

    def arguments(self) -> list[str]:
        """As the command line wants them."""
        return [
            *(f"-var-file={path}" for path in self.files),
            *(f"-var={name}={value}" for name, value in self.variables.items()),
            *(f"-target={address}" for address in self.targets),
        ]


@dataclass(slots=True)
class Terraform:
    """Runs Terraform on one configuration, for one deployment.

    Attributes:
        folder: of the configuration.
        workspace: where it keeps providers, the plan and its logs; of this deployment alone.
        voice: shows what it prints while it applies.
        environment: inherited variables.
    """

    folder: Path
    workspace: Path
    voice: Voice
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def command(self) -> str:
        """How a person runs it on the same state."""
        data = shlex.quote(str(self.workspace / "data"))
        return f"TF_DATA_DIR={data} terraform -chdir={shlex.quote(str(self.folder))}"

    def check(self) -> str:
        """Its version.

        Raises:
            DeployError: when it is not on the PATH or too old.
        """
        wanted = ".".join(map(str, MINIMUM))
        path = self.environment.get("PATH")
        if shutil.which("terraform", path=path) is None:
            raise DeployError(f"Terraform {wanted} or newer is not on the PATH: {_INSTALL}.")
        text = self._read("tell its version", "version", "-json")
        version = str(text["terraform_version"])
        if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < MINIMUM:
            raise DeployError(
                f"Terraform {wanted} or newer is needed, and this is {version}: {_INSTALL}."
            )
        return version

    def init(self, backend: Mapping[str, str]) -> None:
        """Get the providers ready and turn to one state.

        Raises:
            TerraformFailed: when it could not.
        """
        settings = [f"-backend-config={name}={value}" for name, value in backend.items()]
        self._run("get ready", "init", "-reconfigure", *_QUIET, *settings)

    def plan(self, inputs: Inputs, *, destroy: bool = False) -> Plan:
        """What would change, saved so that exactly this can be applied.

        Raises:
            TerraformFailed: when it could not.
        """
        path = self.workspace / ("destroy.tfplan" if destroy else "apply.tfplan")
        arguments = ["-detailed-exitcode", LOCK_WAIT, f"-out={path}", *inputs.arguments()]
        if destroy:
            arguments.insert(0, "-destroy")
        self._run("plan", "plan", *_QUIET, *arguments, accepted=(0, _CHANGES))
        return read_plan(path, self._read("show the plan", "show", "-json", str(path)))

    def variable(self, name: str, inputs: Inputs) -> Any:
        """The value that a variable has in the end, wherever it is set.

        Raises:
            TerraformFailed: when it could not tell.
        """
        arguments = Inputs(inputs.variables, inputs.files).arguments()
        text = self._run(
            f"tell the variable {name}", "console", *arguments, apart=True, typed=f"var.{name}\n"
        )
        return json.loads(text)

    def apply(self, plan: Plan) -> None:
        """Apply a saved plan.

        Raises:
            TerraformFailed: when it could not; what it made until then is in the state.
        """
        self._run("apply the plan", "apply", *_QUIET, LOCK_WAIT, str(plan.path), aloud=True)
        plan.path.unlink(missing_ok=True)  # it may hold secrets, and it is of no more use

    def forget(self, addresses: Sequence[str]) -> None:
        """Leave resources as they are and out of the state from now on.

        Raises:
            TerraformFailed: when it could not.
        """
        self._run("forget what stays", "state", "rm", LOCK_WAIT, *addresses)

    def outputs(self) -> dict[str, Any]:
        """The outputs by name.

        Raises:
            TerraformFailed: when it could not tell them.
        """
        document = self._read("read the outputs", "output", "-json")
        return {name: output["value"] for name, output in document.items()}

    def _read(self, what: str, *arguments: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._run(what, *arguments, apart=True))
        return document

    def _run(
        self,
        what: str,
        *arguments: str,
        accepted: tuple[int, ...] = (0,),
        aloud: bool = False,
        apart: bool = False,
        typed: str = "",
    ) -> str:
        """Run one command and return what it printed.

        Args:
            what: the command's purpose, as it reads after "could not".
            arguments: after `-chdir`.
            accepted: exit codes that are no failure.
            aloud: whether its lines are shown as they come.
            apart: whether errors are kept out of what is returned.
            typed: what it reads.
        """
        self.workspace.mkdir(parents=True, exist_ok=True)
        errors = self.workspace / "errors.txt"
        with errors.open("w+", encoding="utf-8") as aside:
            process = subprocess.Popen(  # noqa: S603  the arguments are our own
                ["terraform", f"-chdir={self.folder}", *arguments],  # noqa: S607  a person chose it by PATH
                env=self.variables(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=aside if apart else subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
            if process.stdin:
                with suppress(BrokenPipeError), process.stdin as stdin:  # it may have ended
                    stdin.write(typed)
            printed = self._listen(process, self.voice.say if aloud else None)
            aside.seek(0)
            failed = printed + aside.read()
        if process.returncode in accepted:
            return printed
        if not aloud:
            self.voice.quote(failed)
        advice = next((advice for words, advice in _ADVICE.items() if words in failed), "")
        raise TerraformFailed(what, failed, advice.format(command=self.command))

    def _listen(self, process: subprocess.Popen[str], hear: Callable[[str], None] | None) -> str:
        """Read to the end, also when interrupted: Terraform must save what it made."""
        interrupt: KeyboardInterrupt | None = None
        lines: list[str] = []
        while True:
            try:
                for line in process.stdout or ():
                    lines.append(line)
                    if hear:
                        hear(line)
                process.wait()
                break
            except KeyboardInterrupt as error:
                interrupt = error
                if isinstance(error, Terminated):
                    process.send_signal(signal.SIGINT)
                self.voice.say("Waiting for Terraform to stop and to save what it made.")
        if interrupt:
            raise interrupt
        return "".join(lines)

    def variables(self) -> dict[str, str]:
        """The environment that Terraform gets."""
        kept: Iterable[tuple[str, str]] = self.environment.items()
        return {name: value for name, value in kept if not _NOT_INHERITED.fullmatch(name)} | {
            "TF_DATA_DIR": str(self.workspace / "data"),
            "TF_IN_AUTOMATION": "1",
        }


_QUIET = ("-input=false", "-no-color")
