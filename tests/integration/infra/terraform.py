"""Copies of infra/, and Terraform at work in them with the real provider."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.provider import Tools
from localdev.settings import ROOT

PARTS = ("*.tf", "*.yaml", "environments", "tests", "cloudbuild*")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command of Terraform's found.

    Attributes:
        ok: whether it succeeded.
        messages: its errors, each as one line.
        runs: what became of each run of a test, by name: pass, fail, error, skip.
        plans, states: the verbose JSON of each run, by name: of those that planned and of those
            that applied.
    """

    ok: bool
    messages: tuple[str, ...]
    runs: Mapping[str, str] = field(default_factory=dict)
    plans: Mapping[str, Any] = field(default_factory=dict)
    states: Mapping[str, Any] = field(default_factory=dict)

    def changes(self, run: str) -> dict[str, dict[str, Any]]:
        """What a run plans to change, by address: `actions`, and values `before` and `after`."""
        changes = {one["address"]: one["change"] for one in self.plans[run]["resource_changes"]}
        return {name: one for name, one in changes.items() if one["actions"] != ["no-op"]}

    def resources(self, run: str) -> dict[str, dict[str, Any]]:
        """Everything that a run made, by address, with its values."""
        found = self.states[run]["root_module"]["resources"]
        return {one["address"]: one["values"] for one in found}


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of infra/ that may be edited, with bundles where Terraform looks for them.

    Attributes:
        folder: its infra/.
        tools: Terraform and the provider.
        data: where Terraform keeps what initialising found; copies may share it.
    """

    folder: Path
    tools: Tools
    data: Path

    @classmethod
    def make(cls, directory: Path, tools: Tools, data: Path, bundles: Path) -> Copy:
        """Copy what is tracked of infra/ that Terraform reads."""
        folder = directory / "infra"
        folder.mkdir(parents=True)
        for pattern in PARTS:
            for path in (ROOT / "infra").glob(pattern):
                target = folder / path.name
                shutil.copytree(path, target) if path.is_dir() else shutil.copy(path, target)
        shutil.copytree(bundles, directory / "build" / "bundles")
        return cls(folder, tools, data)

    def another(self, directory: Path, bundles: Path) -> Copy:
        """An unedited copy that is initialised as this one is."""
        copy = Copy.make(directory, self.tools, self.data, bundles)
        shutil.copy(self.folder / ".terraform.lock.hcl", copy.folder)
        return copy

    def edit(self, name: str, pattern: str, new: str) -> None:
        """Replace what a pattern finds in a file, which must be one place."""
        path = self.folder / name
        before = path.read_text()
        after, times = re.subn(pattern, lambda _: new, before)
        assert times == 1, f"{pattern} is found {times} times in {name}"
        assert after != before
        path.write_text(after)

    def init(self) -> None:
        """Find the provider in the mirror."""
        done = self._run("init", "-backend=false", "-input=false")
        assert done.returncode == 0, done.stderr + done.stdout

    def validate(self) -> Outcome:
        """Check the configuration against the provider's schema."""
        answer = json.loads(self._run("validate", "-json").stdout)
        return Outcome(answer["valid"], tuple(map(_line, answer["diagnostics"])))

    def test(self, *files: str, verbose: bool = False) -> Outcome:
        """Run these files of tests/, all of them if none is named.

        Args:
            files: without folder and suffix.
            verbose: whether plans and states are wanted too; it takes longer.
        """
        options = [f"-filter=tests/{name}.tftest.hcl" for name in files]
        done = self._run("test", "-json", *options, *(["-verbose"] if verbose else []))
        events = [*_documents(done.stdout)]
        assert events, done.stderr
        return Outcome(
            ok=done.returncode == 0,
            messages=tuple(
                _line(event["diagnostic"])
                for event in events
                if event["type"] == "diagnostic" and event["diagnostic"]["severity"] == "error"
            ),
            runs={
                event["test_run"]["run"]: event["test_run"]["status"]
                for event in events
                if event["type"] == "test_run" and event["test_run"].get("progress") == "complete"
            },
            plans=_by_run(events, "test_plan"),
            states=_by_run(events, "test_state"),
        )

    def graph(self) -> dict[str, set[str]]:
        """What each resource waits for, directly or not.

        The backend is taken out of this copy first: reading the graph would ask for its bucket.
        """
        self.edit("versions.tf", r'backend "gcs" \{\}', "")
        done = self._run("graph")
        assert done.returncode == 0, done.stderr
        direct: dict[str, set[str]] = {}
        for later, sooner in re.findall(r'"(\S+)" -> "(\S+)"', done.stdout):
            direct.setdefault(later, set()).add(sooner)
        names = set(re.findall(r'"(\S+)" \[label', done.stdout))
        return {name: _reach(name, direct) for name in names}

    def write_test(self, name: str, text: str) -> None:
        """Add a file of runs to tests/, with the provider mocked as in the others."""
        head = 'mock_provider "google" {\n  source = "./tests/mocks"\n}\n\n'
        (self.folder / "tests" / f"{name}.tftest.hcl").write_text(head + text)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.tools.terraform, *arguments],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],  # of the shell that waits for grants
                "HOME": str(self.folder),
                "TF_CLI_CONFIG_FILE": str(self.tools.config),
                "TF_DATA_DIR": str(self.data),
                "TF_IN_AUTOMATION": "1",
                "CHECKPOINT_DISABLE": "1",
            },
            capture_output=True,
            text=True,
            timeout=300,
        )


def _reach(start: str, direct: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    pending = [start]
    while pending:
        for name in direct.get(pending.pop(), set()) - found:
            found.add(name)
            pending.append(name)
    return found


def _documents(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def _by_run(events: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return {event["@testrun"]: event[kind] for event in events if event["type"] == kind}


def _line(diagnostic: Mapping[str, Any]) -> str:
    return f"{diagnostic['summary']}: {diagnostic.get('detail', '')}"
