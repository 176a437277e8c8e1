"""Fits of a replay: in several processes of one thread each, and remembered in a folder."""

from __future__ import annotations

import json
import multiprocessing
import secrets
import signal
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from perennial.domain.definitions.definition import Definition
from perennial.domain.definitions.own_models import LookUp, current_look_up, look_up_with
from perennial.domain.definitions.recipe import METRICS
from perennial.domain.replaying.fits import (
    Fit,
    Fitted,
    key_of,
    learn,
    losses_of,
    predicted_rows,
)
from perennial.domain.replaying.history import History
from perennial.domain.words import counted
from perennial.errors import NotTrainable

Progress = Callable[[str], None]

_TELL_EVERY = 20  # fits between lines of progress
_READ_ERRORS = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


@dataclass(slots=True)
class FitCounts:
    """How the fits came about."""

    made: int = 0
    remembered: int = 0


class FitCache:
    """A folder of fits, one file each, written whole or not at all.

    It holds losses, never a model, so nothing in it is ever executed; whatever cannot be read, or
    was made on other files, counts as absent.

    Args:
        folder: where; made when needed.
        definition: the recipe.
        history: the files.
        environment: versions of the libraries that decide the result.
    """

    def __init__(
        self,
        folder: Path,
        definition: Definition,
        history: History,
        environment: Mapping[str, str],
    ) -> None:
        self._folder = folder
        self._metrics = METRICS[definition.task]
        self._history = history
        self._key = key_of(definition, history, environment)

    def get(self, fit: Fit, through: int) -> Fitted | None:
        """What is remembered of a fit, if it predicts as far as is asked."""
        try:
            with np.load(self._path(fit), allow_pickle=False) as stored:
                facts = json.loads(str(stored["facts"]))
                losses = {metric: stored[metric] for metric in self._metrics}
        except _READ_ERRORS:
            return None
        start = max(fit.files, default=-1) + 1
        covered = facts["covered"]
        end = start + len(covered)
        if end < through or list(self._history.digests[start:end]) != covered:
            return None
        rows = predicted_rows(self._history, fit, end)
        if not facts["error"] and any(len(values) != len(rows) for values in losses.values()):
            return None
        return Fitted(end, rows, losses, facts["seconds"], facts["error"])

    def put(self, fit: Fit, fitted: Fitted) -> None:
        """Remember a fit."""
        start = max(fit.files, default=-1) + 1
        facts = {
            "format": 1,
            "covered": self._history.digests[start : fitted.through],
            "seconds": fitted.seconds,
            "error": fitted.error,
        }
        losses = {m: fitted.losses.get(m, np.empty(0, np.float32)) for m in self._metrics}
        path = self._path(fit)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with draft.open("wb") as file:
                np.savez(file, facts=np.array(json.dumps(facts)), **losses)  # type: ignore[arg-type]
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def _path(self, fit: Fit) -> Path:
        key = self._key(fit)
        return self._folder / key[:2] / f"{key}.npz"


class ProcessFitter:
    """Makes fits in processes; use it as a context, at whose end they are gone.

    Args:
        definition: the recipe.
        history: the files.
        cache: remembers.
        jobs: processes; with 1, everything happens in this one.
        progress: is told now and then how far it is.
    """

    def __init__(
        self,
        definition: Definition,
        history: History,
        cache: FitCache | None,
        *,
        jobs: int,
        progress: Progress = lambda _: None,
    ) -> None:
        self._definition = definition
        self._history = history
        self._cache = cache
        self._jobs = jobs
        self._progress = progress
        self._pool: ProcessPoolExecutor | None = None
        self.counts = FitCounts()

    def __enter__(self) -> Self:
        """Nothing starts before it is needed."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes; what they had not begun is not made."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __call__(self, wanted: Mapping[Fit, int]) -> Iterator[tuple[Fit, Fitted]]:
        """Make the fits that are not remembered; each is remembered as soon as it is made."""
        missing: dict[Fit, int] = {}
        for fit, through in wanted.items():
            found = self._cache.get(fit, through) if self._cache else None
            if found is None:
                missing[fit] = through
            else:
                self.counts.remembered += 1
                yield fit, found
        began = time.monotonic()
        for done, (fit, fitted) in enumerate(self._make(missing), start=1):
            self.counts.made += 1
            if self._cache:
                self._cache.put(fit, fitted)
            if done % _TELL_EVERY == 0:
                left = (time.monotonic() - began) / done * (len(missing) - done)
                self._progress(
                    f"{done:,} of {counted(len(missing), 'training')}, about {left:.0f} s left"
                )
            yield fit, fitted

    def _make(self, missing: Mapping[Fit, int]) -> Iterator[tuple[Fit, Fitted]]:
        # The longest first, so that no process ends up alone with one of them.
        ordered = sorted(missing, key=lambda fit: len(fit.files), reverse=True)
        if self._jobs == 1 or (self._pool is None and len(missing) < 2 * self._jobs):
            for fit in ordered:
                yield fit, make(self._definition, self._history, fit, missing[fit])
            return
        if self._pool is None:
            # Not forked: a fork copies locks that threads of numerical libraries may hold.
            self._pool = ProcessPoolExecutor(
                self._jobs,
                multiprocessing.get_context("spawn"),
                initializer=_begin,
                initargs=(self._definition, self._history, current_look_up()),
            )
        pending: dict[Future[Fitted], Fit] = {
            self._pool.submit(_made, fit, missing[fit]): fit for fit in ordered
        }
        while pending:
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                yield pending.pop(future), _result(future)


def make(definition: Definition, history: History, fit: Fit, through: int) -> Fitted:
    """Train one model on one thread, and let it predict."""
    rows = predicted_rows(history, fit, through)
    with _threads().limit(limits=1):
        began = time.process_time()
        try:
            model = learn(definition, history, fit)
        except NotTrainable as error:
            return Fitted(through, rows, {}, time.process_time() - began, str(error))
        seconds = time.process_time() - began
        return Fitted(through, rows, losses_of(definition, model, history, rows), seconds)


def _result(future: Future[Fitted]) -> Fitted:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise NotTrainable(
            "a process that trains ended without an answer, perhaps for lack of memory: try "
            "--jobs 1; what is made already is remembered"
        ) from error


@cache
def _threads() -> ThreadpoolController:
    """Every thread pool that numerical libraries have; to look for them takes 10 ms."""
    return ThreadpoolController()


_work: tuple[Definition, History]
"""What a process of the pool works on, handed over once and not with every fit."""


def _begin(definition: Definition, history: History, look_up: LookUp) -> None:
    global _work
    look_up_with(look_up)
    # An interrupt reaches every process of the terminal; this one's parent ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _work = (definition, history)


def _made(fit: Fit, through: int) -> Fitted:
    return make(*_work, fit, through)
