"""Training runs that fail, hang, take too long, or start over and over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from statistics import median
from typing import Any

from perennial.domain.monitoring.findings import EASED, Symptom
from perennial.domain.monitoring.report import Jobs
from perennial.domain.monitoring.settings import Monitoring

RECENT = 32
"""Runs that are looked at."""

_TRAINED = frozenset({"promoted", "waiting_approval", "rejected", "set_aside"})
_IDLE = frozenset({"failed", "nothing_new", "waiting"})

_FEWEST_RUNS = 5
_SLOW = 3.0  # times the median
_SLOW_SECONDS = 60.0
_HUNG = 5.0  # times the longest
_HUNG_SECONDS = 900.0  # a first run, or short ones: starting a container may take minutes
_LOOPS = 5


@dataclass(frozen=True, slots=True)
class AtWork:
    """The run that holds the claim.

    Attributes:
        run: its id.
        execution: the platform's name of its process.
        seconds: since it began.
        ended: whether its process is over, so that it will never give its claim back.
        overdue: whether its deadline has passed.
        deaths: how many runs in a row before it ended without a record, too.
        next_start: when the next one starts by itself, if not at the next sweep (UTC).
    """

    run: str
    execution: str
    seconds: float
    ended: bool
    overdue: bool
    deaths: int = 0
    next_start: datetime | None = None


def describe(runs: Sequence[Mapping[str, Any]], at_work: AtWork | None) -> Jobs:
    """The figures of the last runs.

    Args:
        runs: summaries of their records, oldest first.
        at_work: the run that holds the claim.
    """
    times = [_seconds(run) for run in runs if run["outcome"] in _TRAINED]
    idle = list(takewhile(lambda run: run["outcome"] != "promoted", reversed(runs)))
    return Jobs(
        len(runs),
        dict(sorted(Counter(run["outcome"] for run in runs).items())),
        round(median(times), 3) if times else None,
        at_work.run if at_work else "",
        round(at_work.seconds, 1) if at_work else None,
        len(idle),
    )


def job_symptoms(
    pipeline: str, runs: Sequence[Mapping[str, Any]], at_work: AtWork | None, settings: Monitoring
) -> Iterator[Symptom]:
    """At most one of failed, looping and hung, and perhaps that the last run was slow."""
    looping = _looping(pipeline, runs)
    if looping is not None:
        yield looping
    elif runs and runs[-1]["outcome"] == "failed":
        yield _failed(pipeline, runs[-1])
    if at_work is not None and at_work.ended:
        yield _without_a_record(pipeline, at_work)
    elif at_work is not None:
        yield from _hung(pipeline, runs, at_work, settings)
    yield from _slow(pipeline, runs)


def _failed(pipeline: str, run: Mapping[str, Any]) -> Symptom:
    return Symptom(
        "job_failed", "", "error",
        f"run {run['run']} failed: {run['reason']}",
        f"the champion goes on serving; `perennial retrain {pipeline}` tries again and shows what "
        f"happens, and the log of {run['execution'] or 'its process'} has the traceback",
        {"run": run["run"], "execution": run["execution"], "ended": run["ended"],
         "reason": run["reason"]},
        news=run["run"],
    )  # fmt: skip


def _without_a_record(pipeline: str, at_work: AtWork) -> Symptom:
    which = f"run {at_work.run}"
    if at_work.deaths:
        which = f"{which}, like {at_work.deaths} before it,"
    after = f"the first sweep after {at_work.next_start:%H:%M:%S} UTC" if at_work.next_start else (
        "the next sweep"
    )  # fmt: skip
    return Symptom(
        "job_failed", "", "error",
        f"{which} ended without a record, perhaps for lack of memory",
        f"see the log of {at_work.execution or 'its process'}; {after} starts another run, "
        f"`perennial retrain {pipeline}` does so at once",
        {"run": at_work.run, "execution": at_work.execution, "seconds": round(at_work.seconds),
         "deaths": at_work.deaths + 1},
        strength=at_work.deaths + 1, news=at_work.run,
    )  # fmt: skip


def _looping(pipeline: str, runs: Sequence[Mapping[str, Any]]) -> Symptom | None:
    """Runs that begin again on the same files, one after another, and get nowhere."""
    if not runs or runs[-1]["outcome"] not in _IDLE:
        return None
    last = runs[-1]
    same = list(takewhile(lambda run: _work(run) == _work(last), reversed(runs)))
    if len(same) < _LOOPS:
        return None
    return Symptom(
        "job_looping", "", "error",
        f"the last {len(same)} runs did the same without a result, since {same[-1]['started']}: "
        f"{last['outcome']}: {last['reason']}",
        f"each costs as much as the first: mend what the reason names, or hold the files back; "
        f"`perennial status {pipeline}` shows the last runs",
        {"runs": len(same), "first": same[-1]["run"], "last": last["run"],
         "outcome": last["outcome"], "reason": last["reason"], "files": last["files"]},
        strength=len(same) / _LOOPS, news=last["run"],
    )  # fmt: skip


def _work(run: Mapping[str, Any]) -> tuple[Any, ...]:
    return run["outcome"], run["files"], run["rows"], run["champion"]


def _hung(
    pipeline: str, runs: Sequence[Mapping[str, Any]], at_work: AtWork, settings: Monitoring
) -> Iterator[Symptom]:
    times = [_seconds(run) for run in runs if run["outcome"] in _TRAINED]
    learned = max(_HUNG * max(times, default=0.0), _HUNG_SECONDS)
    limit = settings.hung_minutes * 60 if settings.hung_minutes is not None else learned
    if at_work.seconds < limit and not at_work.overdue:
        return
    usual = f"{median(times):,.0f} s are usual" if times else "none has ended before"
    yield Symptom(
        "job_hung", "", "error",
        f"run {at_work.run} has been at work for {at_work.seconds:,.0f} s, where {usual} and "
        f"{limit:,.0f} s are too long",
        f"no other run can begin until it ends or its claim runs out: see the log of "
        f"{at_work.execution or 'its process'} and cancel the execution; then "
        f"`perennial retrain {pipeline}`",
        {"run": at_work.run, "execution": at_work.execution, "seconds": round(at_work.seconds),
         "limit_seconds": round(limit), "usual_seconds": round(median(times), 1) if times else None,
         "overdue": at_work.overdue},
        strength=max(at_work.seconds / limit, 1.0), news=at_work.run,
    )  # fmt: skip


def _slow(pipeline: str, runs: Sequence[Mapping[str, Any]]) -> Iterator[Symptom]:
    trained = [run for run in runs if run["outcome"] in _TRAINED]
    if len(trained) <= _FEWEST_RUNS:
        return
    last, usual = _seconds(trained[-1]), median(map(_seconds, trained[:-1]))
    strength = min(last / (_SLOW * usual), (last - usual) / _SLOW_SECONDS)
    if strength < EASED:
        return
    steps = {name: round(seconds, 1) for name, seconds in trained[-1]["seconds"].items()}
    longest = max(steps, key=lambda name: steps[name], default="")
    yield Symptom(
        "job_slow", "", "warning",
        f"run {trained[-1]['run']} took {last:,.0f} s, where {usual:,.0f} s are usual"
        + (f"; {longest} alone took {steps[longest]:,.0f} s" if longest else ""),
        f"with more history each run takes longer: a training.window bounds it, as does a larger "
        f"job; `perennial replay {pipeline}` says what a window would cost",
        {"run": trained[-1]["run"], "seconds": round(last, 1), "usual_seconds": round(usual, 1),
         "steps": steps, "rows": trained[-1]["rows"]},
        strength, trained[-1]["run"],
    )  # fmt: skip


def _seconds(run: Mapping[str, Any]) -> float:
    started, ended = (datetime.fromisoformat(run[key]) for key in ("started", "ended"))
    return (ended - started).total_seconds()
