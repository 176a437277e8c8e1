"""The training job's entry point: environment in, log lines and exit code out."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial

from perennial.domain.names import PIPELINE_NAME
from perennial.domain.serving.batch import WAITING, Scored
from perennial.domain.versioning.rebuilding import ALL
from perennial.errors import PerennialError
from perennial.wiring import logs
from perennial.wiring.train import trainer
from perennial.workflows import importing
from perennial.workflows.batch.scoring import score_requested, score_waiting
from perennial.workflows.rebuild import rebuild, record
from perennial.workflows.runs import RunRecord
from perennial.workflows.train import train
from perennial.workflows.trainer import Trainer
from perennial.workflows.upgrade import check_upgrade

log = logging.getLogger("perennial.train")


def main() -> int:
    """Run for the pipeline that the launcher named, or do the task that it named instead.

    Returns:
        0 when no run failed, and when a task came to a result, whichever; 1 when one failed; 2
        when no pipeline is named.
    """
    logs.configure()
    try:
        variable, pipeline, subject = _asked(os.environ)
    except ValueError as error:
        log.error("%s", error)  # noqa: TRY400 (the message says all)
        return 2
    if task := _TASKS.get(variable):
        return _guarded(pipeline, partial(task, pipeline, subject))
    return _guarded(pipeline, lambda: _train(pipeline))


def _asked(variables: Mapping[str, str]) -> tuple[str, str, str]:
    """What an execution is to do: the variable that says so, the pipeline, and a task's subject.

    Whoever may start the job may set its variables.

    Raises:
        ValueError: when they say nothing, or something that no launcher of ours says.
    """
    given = [name for name in (*_TASKS, _PIPELINE) if variables.get(name)]
    if not given:
        raise ValueError(f"{_PIPELINE} names the pipeline to train, and is not set")
    if len(given) > 1:
        raise ValueError(f"expected one thing to do, found {', '.join(given)}")
    pipeline, slash, subject = variables[given[0]].partition("/")
    fits = _SUBJECT.fullmatch(subject) if given[0] in _TASKS else not slash
    if not PIPELINE_NAME.fullmatch(pipeline) or not fits:
        found = variables[given[0]][:100]
        raise ValueError(f"{given[0]}: expected what a launcher sets, found {found!r}")
    return given[0], pipeline, subject


def _guarded(pipeline: str, work: Callable[[], int]) -> int:
    try:
        return work()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        # What was raised on purpose says all in its message; anything else needs its traceback.
        trace = None if isinstance(error, PerennialError) else error
        log.error(reason, exc_info=trace, extra={"pipeline": pipeline, "reason": reason})  # noqa: TRY400
        return 1


def _train(pipeline: str) -> int:
    return _run(trainer(os.environ), pipeline, force=os.environ.get("PERENNIAL_FORCE") == "1")


def _run(parts: Trainer, pipeline: str, *, force: bool = False) -> int:
    runs = train(parts, pipeline, force=force)
    for run in runs:
        _tell(run)
    _guarded(
        pipeline, lambda: _check_upgrade(parts, pipeline, runs)
    )  # it fails no run that is on record
    if runs:  # perhaps another champion: files may have waited for it
        _guarded(pipeline, lambda: _tell_scored(score_waiting(parts, pipeline)))
    return 1 if any(run.outcome == "failed" for run in runs) else 0


def _check_upgrade(parts: Trainer, pipeline: str, runs: Sequence[RunRecord]) -> int:
    for check in check_upgrade(parts, pipeline, runs):
        level = logging.INFO if check.outcome == "equal" else logging.WARNING
        log.log(level, check.sentence, extra={"pipeline": pipeline} | asdict(check))
    return 0


def _rebuild(pipeline: str, version: str) -> int:
    parts = trainer(os.environ)
    every = sorted(parts.registry.require(pipeline).statuses) if version == ALL else [version]
    for one in every:
        found = rebuild(parts, pipeline, one)
        name = record(parts, found)
        level = logging.INFO if found.outcome == "equal" else logging.WARNING
        log.log(level, found.reason, extra=found.document() | {"object": name})
    return 0


def _import(pipeline: str, digest: str) -> int:
    parts = trainer(os.environ)
    found = importing.take_in(parts, pipeline, digest)
    name = importing.record(parts, digest, found)
    level = logging.WARNING if found.outcome == "refused" else logging.INFO
    log.log(level, found.reason, extra=found.document() | {"object": name})
    _guarded(pipeline, lambda: _tell_scored(score_waiting(parts, pipeline)))
    return _run(parts, pipeline)  # what was accepted while it had the claim


def _score(pipeline: str, request: str) -> int:
    parts = trainer(os.environ)
    if request == WAITING:
        return _tell_scored(score_waiting(parts, pipeline))
    return _tell_scored(score_requested(parts, pipeline, request))


def _tell_scored(scored: Iterable[Scored]) -> int:
    """One line for each file, as soon as it is scored."""
    for one in scored:
        level = logging.INFO if one.outcome == "scored" else logging.WARNING
        facts = one.document()
        facts["scored"] = facts.pop("created")  # log records have a time of their own
        log.log(level, one.sentence, extra=facts)
    return 0


def _tell(run: RunRecord) -> None:
    """One line for each alert, which a metric counts, each file with old keys, and the run."""
    for alert in run.alerts:
        facts = {"pipeline": run.pipeline, "alert": alert.kind, "about": alert.version or ""}
        log.warning(alert.message, extra=facts | {"files": list(alert.files)})
    for repeated in run.repeated_keys:
        facts = asdict(repeated)
        facts["file"] = facts.pop("name")  # log records have a name of their own
        log.info(repeated.sentence, extra={"pipeline": run.pipeline, "run": run.run} | facts)
    for one in run.superseded:
        told = {"file": one.stem, "superseded_by": one.by}
        log.info(one.sentence, extra={"pipeline": run.pipeline, "run": run.run} | told)
    level = logging.ERROR if run.outcome == "failed" else logging.INFO
    log.log(level, run.reason, extra=run.summary())


_PIPELINE = "PERENNIAL_PIPELINE"
_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)
_TASKS: Mapping[str, Callable[[str, str], int]] = {
    "PERENNIAL_REBUILD": _rebuild,
    "PERENNIAL_IMPORT": _import,
    "PERENNIAL_SCORE": _score,
}
"""What else the job does, by the variable that names pipeline and subject."""


if __name__ == "__main__":
    sys.exit(main())
