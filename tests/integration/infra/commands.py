"""People at their command lines, over a deployment in memory that goes on while they wait."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from perennial.cli import context
from perennial.cli.main import main
from perennial.config import Config
from perennial.domain.names import FileId
from perennial.ports import Buckets
from perennial.workflows import importing
from perennial.workflows.rebuild import rebuild, record
from tests.integration.infra.guarded import ROLES, Account, Guarded
from tests.integration.infra.in_memory import Deployment, Killed, taps


@dataclass
class Living(Deployment):
    """A deployment whose events arrive and whose executions run when `work` is called."""

    heard: set[FileId] = field(default_factory=set)
    ran: int = 0

    def work(self) -> None:
        """Do whatever is to be done now."""
        for info in self.stores["landing"].list(versions=True):
            file = FileId(info.generation, info.name)
            if file not in self.heard:
                self.heard.add(file)
                self.ingest(file)
        while self.ran < len(self.platform.launched):
            self.ran += 1
            self._run(f"execution-{self.ran}", self.platform.launched[self.ran - 1])

    def lose(self, name: str, day: int) -> None:
        """Let a file be dropped whose event never comes."""
        self.heard.add(self.drop(name, day))

    def _run(self, execution: str, what: str) -> None:
        task, _, about = what.rpartition(" ")
        pipeline, _, subject = about.partition("/")
        trainer = self.trainer(execution)
        if task == "rebuild":
            record(trainer, rebuild(trainer, pipeline, subject))
        elif task == "import":
            importing.record(trainer, subject, importing.take_in(trainer, pipeline, subject))
        elif task == "score":
            assert set(self.score(execution, subject)) <= {"scored"}
            self.platform.ended.add(execution)
        else:
            with suppress(Killed):
                self.train(execution, force=execution in self.platform.forced)
                self.platform.ended.add(execution)


@dataclass(frozen=True, slots=True)
class Patience:
    """A clock for who waits: meanwhile the deployment works."""

    deployment: Living

    def now(self) -> datetime:
        return self.deployment.clock.now()

    def sleep(self, seconds: float) -> None:
        self.deployment.work()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a command line, a folder of files, and what Terraform gives to them.

    Attributes:
        account: what they may do, and what they tried.
        folder: whose files they drop.
    """

    account: Account
    deployment: Living
    folder: Path

    def __call__(self, *words: str, code: int = 0) -> Any:
        """What a command says as JSON, when it ends with this exit code."""
        out, err = io.StringIO(), io.StringIO()
        with self._at_work(), redirect_stdout(out), redirect_stderr(err):
            found = main(["--project", "flower-shop", *words, "--json"])
        assert found == code, f"{' '.join(words)}: {err.getvalue()}"
        return json.loads(out.getvalue())

    def drop(
        self, name: str, day: int, *options: str, into: str = "taps", heat: float = 0, code: int = 0
    ) -> Any:
        """Drop a day of taps; what the command says."""
        return self("drop", into, self.write(name, day, heat=heat), *options, code=code)

    def write(self, name: str, day: int, *, heat: float = 0) -> str:
        """A day of taps in a file of theirs; its path."""
        path = self.folder / name
        path.write_bytes(taps(day, heat=heat))
        return str(path)

    def apply(self, text: str) -> Any:
        """Put a definition in force; what the command says."""
        path = self.folder / "definition.yaml"
        path.write_text(text)
        return self("apply", str(path))

    def stores(self) -> Buckets:
        """The buckets, as this person sees them."""
        return self.account.stores(self.deployment.stores)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Let commands find the deployment in memory in the place of Google Cloud's."""
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("PERENNIAL_REGION", raising=False)
            patch.setattr(context, "open_buckets", self._open)
            patch.setattr(context, "open_predictions", self._open_predictions)
            patch.setattr(context, "CloudRunJobs", self._launcher)
            patch.setattr(context, "SystemClock", lambda: Patience(self.deployment))
            yield

    def _open(self, config: Config) -> Buckets:
        for role in ROLES:
            assert getattr(config, f"{role}_bucket") == self.deployment.stores[role].bucket
        return self.stores()

    def _open_predictions(self, config: Config) -> Guarded:
        assert config.predictions_bucket == self.deployment.predictions.bucket
        return Guarded(self.deployment.predictions, self.account)

    def _launcher(self, config: Config) -> Any:
        assert config.train_job == self.deployment.platform.job
        return self.deployment.platform.launcher(self.account)
