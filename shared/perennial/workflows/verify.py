"""Ask the training job to train versions again, and see it through.

The command line has nothing that trains, and an environment of its own would prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from perennial.domain import names
from perennial.domain.versioning.rebuilding import ALL, Rebuild
from perennial.errors import NotFoundError
from perennial.ports import Clock, JobLauncher, ObjectStore
from perennial.workflows.executions import await_result
from perennial.workflows.registry import Registry


@dataclass(frozen=True, slots=True)
class Verifier:
    """What it takes to ask the job.

    Attributes:
        data: the data bucket, where results lie.
        registry: tells versions; nothing is written to it.
        launcher: starts the execution.
        clock: paces the waiting.
        patience: seconds after which to stop waiting: more than the job's own timeout.
        progress: told what goes on.
    """

    data: ObjectStore
    registry: Registry
    launcher: JobLauncher
    clock: Clock
    patience: float
    progress: Callable[[str], None] = lambda _: None

    def one(self, pipeline: str, version: str | None = None) -> Rebuild:
        """Start an execution that trains a version again, and wait for its result.

        Args:
            pipeline: whose version.
            version: which one; None for the champion.

        Raises:
            NotFoundError: for a pipeline or version that does not exist.
            DigestMismatch: when its manifest is not the one that the head states.
            LaunchError: when the platform does not start it.
            Unfinished: when its process ended without a result.
        """
        head = self.registry.require(pipeline)
        chosen = version or head.champion
        if chosen is None:
            raise NotFoundError(f"{pipeline} has no champion yet; name a version")
        self.registry.manifest(pipeline, chosen, head=head)
        execution = self.launcher.launch_task("rebuild", pipeline, chosen)
        (found,) = self._results(execution, pipeline, [chosen])
        return found

    def every(self, pipeline: str) -> Iterator[Rebuild]:
        """Start one execution that trains every version again; results as they come, oldest first.

        Raises:
            NotFoundError: for a pipeline that does not exist or has no version.
            LaunchError: when the platform does not start it.
            Unfinished: when its process ended before it had a result for each; those that it has
                are on record.
        """
        versions = sorted(self.registry.require(pipeline).statuses)
        if not versions:
            raise NotFoundError(f"{pipeline} has no version yet")
        execution = self.launcher.launch_task("rebuild", pipeline, ALL)
        for done, found in enumerate(self._results(execution, pipeline, versions), start=1):
            self.progress(f"{done} of {len(versions)}: {found.version} {found.outcome}")
            yield found

    def _results(self, execution: str, pipeline: str, versions: Sequence[str]) -> Iterator[Rebuild]:
        self.progress(f"started {execution}")
        for version in versions:
            name = names.rebuild(pipeline, version, execution.rsplit("/", 1)[-1])
            found = await_result(
                self.data, self.launcher, self.clock, execution, name, patience=self.patience
            )
            yield Rebuild.from_json(found)
