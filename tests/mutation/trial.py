"""Trying a mutation: in a copy of the tree, by running the tests that must notice it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from tests.mutation.mutations import ROOT, Mutation
from tests.mutation.witness import FILE

TIMEOUT = 1200.0
"""Seconds, many times what any tests here take: who hangs was not noticed by an assertion."""

_IMPORTED = "import perennial, localdev; print(perennial.__file__, localdev.__file__)"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant.

    Attributes:
        mutation: which.
        verdict: `killed` by an assertion; `survived` where every test passed; `broken` where tests
            failed otherwise, so that nobody knows whether they notice; `hung`.
        by: the test that noticed, or that broke.
        said: its error.
        seconds: it took.
    """

    mutation: Mutation
    verdict: Literal["killed", "survived", "broken", "hung"]
    by: str
    said: str
    seconds: float


class Tree:
    """A copy of the sources, whose tests import nothing from where it was copied.

    Args:
        folder: where to put it; new.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
        self._witness = folder / "witness.jsonl"

    @classmethod
    def copied(cls, folder: Path) -> Self:
        """Copy what git tracks and what it would, with the environment linked beside it."""
        tree = cls(folder)
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (tree.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, tree.root / name)
        if (ROOT / ".venv").exists():  # whose functions' environments some tests use
            (tree.root / ".venv").symlink_to(ROOT / ".venv")
        tree.check_imports()
        return tree

    @property
    def environment(self) -> dict[str, str]:
        """Python's path begins with the copy: what is installed is the original."""
        path = os.pathsep.join([str(self.root / "shared"), str(self.root)])
        return os.environ | {"PYTHONPATH": path, FILE: str(self._witness), "OMP_NUM_THREADS": "1"}

    def check_imports(self) -> None:
        """See that tests would import the copy. Raises `RuntimeError`."""
        command = [sys.executable, "-c", _IMPORTED]
        done = subprocess.run(
            command, cwd=self.root, env=self.environment, check=True, capture_output=True, text=True
        )
        if not all(file.startswith(f"{self.root}/") for file in done.stdout.split()):
            raise RuntimeError(f"expected imports from {self.root}, found {done.stdout}")

    def test(self, tests: Sequence[str]) -> tuple[int | None, list[dict[str, str]]]:
        """Run tests up to the first that an assertion fails.

        Returns:
            pytest's exit code, None when it was ended for taking too long; and every failure.
        """
        self._witness.write_text("")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["-p", "tests.mutation.witness", *tests]
        try:
            done = subprocess.run(
                command, cwd=self.root, env=self.environment, capture_output=True, timeout=TIMEOUT
            )
        except subprocess.TimeoutExpired:
            return None, []
        failures = [json.loads(line) for line in self._witness.read_text().splitlines()]
        if done.returncode not in (0, 1) and not failures:  # 2: not collected; 4: no such test
            lines = (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()
            said = [line[1:].strip() for line in lines if line.startswith("E ")] or lines[-1:]
            failures = [{"test": "", "asserted": "", "said": " ".join(said[-1:])}]
        return done.returncode, failures

    def try_out(self, mutation: Mutation) -> Outcome:
        """Take a guard away, run the tests that must notice, and put it back.

        Raises:
            GuardMoved: when it is not there.
        """
        path = self.root / mutation.file
        whole, started = path.read_bytes(), time.monotonic()
        self._write(path, mutation.mutated(self.root).encode())
        try:
            code, failures = self.test(mutation.tests)
        finally:
            self._write(path, whole)
        asserted = [one for one in failures if one["asserted"]]
        seconds = time.monotonic() - started
        if code == 1 and asserted:
            return Outcome(mutation, "killed", asserted[0]["test"], asserted[0]["said"], seconds)
        if code == 0:
            return Outcome(mutation, "survived", "", "", seconds)
        if code is None:
            return Outcome(mutation, "hung", "", f"no end within {TIMEOUT:.0f} s", seconds)
        first = failures[0] if failures else {"test": "", "said": f"pytest ended with {code}"}
        return Outcome(mutation, "broken", first["test"], first["said"], seconds)

    @staticmethod
    def _write(path: Path, data: bytes) -> None:
        """Write a source, and forget its compiled form, which counts seconds and sizes only."""
        path.write_bytes(data)
        if path.suffix == ".py":
            Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
