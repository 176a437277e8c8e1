"""Executions as processes: a few at a time, in order, within their limits."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import string
import uuid
from collections.abc import Mapping
from pathlib import Path

from localdev.child import exceeded
from localdev.clock import Clock
from localdev.jobs.ledger import Execution, Ledger, State
from localdev.jobs.specification import Job
from localdev.processes import MARK, kill_group, kill_marked, resident

EXECUTION_VARIABLE = "CLOUD_RUN_EXECUTION"

_MEMORY_SECONDS = 0.25
_SUFFIX = string.ascii_lowercase + string.digits

log = logging.getLogger(__name__)


class Runner:
    """Accepts executions and runs each one once.

    Args:
        jobs: what is deployed, by name.
        ledger: remembers executions.
        logs: the folder of their output, a file for each.
        concurrency: executions at the same time; others queue.
        clock: tells how long a timeout really is.
    """

    def __init__(
        self,
        jobs: Mapping[str, Job],
        ledger: Ledger,
        *,
        logs: Path,
        concurrency: int,
        clock: Clock,
    ) -> None:
        self.jobs = jobs
        self.ledger = ledger
        self._logs = logs
        self._clock = clock
        self._free = asyncio.Semaphore(concurrency)
        self._queue: asyncio.Queue[Execution] = asyncio.Queue()

    def log_of(self, execution: Execution) -> Path:
        """The file that the output of an execution goes to."""
        return self._logs / f"{execution.id}.log"

    def accept(
        self,
        job: Job,
        arguments: list[str],
        environment: Mapping[str, str],
        timeout_seconds: float | None,
    ) -> Execution:
        """Queue an execution; once this returns it is not forgotten."""
        suffix = "".join(secrets.choice(_SUFFIX) for _ in range(5))
        execution = self.ledger.add(
            id=f"{job.name}-{suffix}",
            uid=str(uuid.uuid4()),
            job=job.name,
            arguments=arguments,
            environment=environment,
            timeout_seconds=timeout_seconds or job.timeout_seconds,
        )
        self._queue.put_nowait(execution)
        return execution

    def recover(self) -> None:
        """Settle what an earlier process of this runner left: call once, before `run`.

        What was running is lost, as on a platform that loses an instance; what was queued runs.
        """
        for execution in self.ledger.within(State.RUNNING):
            self._end_orphan(execution)
            self._fail(execution, "The task was lost when the local cloud stopped.", "INTERNAL")
        for execution in self.ledger.within(State.QUEUED):
            self._queue.put_nowait(execution)

    async def run(self) -> None:
        """Run what is queued until cancelled; then kill what runs."""
        self._logs.mkdir(parents=True, exist_ok=True)
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._free.acquire()
                execution = await self._queue.get()
                tasks.create_task(self._run(execution))

    async def _run(self, execution: Execution) -> None:
        try:
            await self._attempt(execution)
        finally:
            self._free.release()

    async def _attempt(self, execution: Execution) -> None:
        job = self.jobs.get(execution.job)
        if job is None:
            self._fail(execution, f"Job {execution.job} is not deployed any more.", "UNKNOWN")
            return
        self.ledger.start(execution)
        try:
            process = await self._spawn(job, execution)
        except OSError as error:
            self._fail(execution, f"The container failed to start: {error}", "CONTAINER_MISSING")
            return
        watch = asyncio.create_task(self._watch_memory(job, process.pid))
        try:
            timeout = self._clock.real_seconds(execution.timeout_seconds)
            status = await asyncio.wait_for(process.wait(), timeout)
        except TimeoutError:
            # Dead before it is told: whoever reads of the end may start what comes next.
            kill_group(process.pid)
            await process.wait()
            self._fail(execution, "The configured timeout was reached.", "NON_ZERO_EXIT_CODE")
            return
        finally:
            watch.cancel()
            kill_group(process.pid)
        self._settle(execution, status, watch)

    def _settle(self, execution: Execution, status: int, watch: asyncio.Task[str]) -> None:
        if status == 0:
            self.ledger.succeed(execution)
        elif watch.done() and not watch.cancelled():
            self._append(execution, watch.result())
            message = "The configured memory limit was reached."
            self._fail(execution, message, "NON_ZERO_EXIT_CODE")
        else:
            message = f"The container exited with an error (exit code {status})."
            self._fail(execution, message, "NON_ZERO_EXIT_CODE")

    async def _spawn(self, job: Job, execution: Execution) -> asyncio.subprocess.Process:
        environment = {
            **job.environment,
            **execution.environment,
            EXECUTION_VARIABLE: execution.id,
        }
        with self.log_of(execution).open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *job.command,
                *execution.arguments,
                cwd=job.folder,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )

    async def _watch_memory(self, job: Job, group: int) -> str:
        """Kill the group once it is beyond its limit, and return what to log then."""
        while True:
            await asyncio.sleep(_MEMORY_SECONDS)
            excess = exceeded(job.memory_mib, resident([group])[group], group)
            if excess:
                kill_group(group)
                return excess

    def _fail(self, execution: Execution, message: str, reason: str) -> None:
        text = f"Task {execution.id}-task0 failed with message: {message}"
        log.warning(text)
        self._append(execution, text)
        self.ledger.fail(execution, text, reason)

    def _append(self, execution: Execution, line: str) -> None:
        with contextlib.suppress(FileNotFoundError), self.log_of(execution).open("a") as output:
            output.write(f"localdev: {line}\n")

    def _end_orphan(self, execution: Execution) -> None:
        marks = {EXECUTION_VARIABLE: execution.id}
        if MARK in os.environ:
            marks[MARK] = os.environ[MARK]
        if kill_marked(marks):
            log.warning("ended what was left of %s", execution.id)
