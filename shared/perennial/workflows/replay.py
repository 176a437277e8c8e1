"""Replay a history: what static models, cadences, windows and gates would have done on it.

It reads, and writes nothing: the registry, the verdicts and the rows stay as they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from perennial.domain import names
from perennial.domain.definitions.definition import Definition
from perennial.domain.judging.redelivery import Superseded, superseded
from perennial.domain.judging.validation import judge_bytes, to_parquet
from perennial.domain.names import FileId
from perennial.domain.replaying.advice import Advice, Verdict, advise, choose, judge
from perennial.domain.replaying.decay import Decay, decay
from perennial.domain.replaying.fits import Fit, Fitted, Fitter
from perennial.domain.replaying.gates import expected, follow_gated, gated
from perennial.domain.replaying.history import History, digest_of
from perennial.domain.replaying.policies import Plan, Policy
from perennial.domain.replaying.ranking import Ranked, rank
from perennial.domain.replaying.trials import Trial, follow, scored_rows
from perennial.domain.verdict import VerdictSummary
from perennial.errors import NotFoundError, RefusedError
from perennial.ports import Clock, ObjectStore
from perennial.workflows.queue import accepted_files
from perennial.workflows.registry import Registry
from perennial.workflows.rows import Rows


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that is not part of the history, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Source:
    """What is replayed.

    Attributes:
        definition: the recipe.
        history: the files, in order.
        left_out: files that were given and are no part of it.
        late: files that came after some whose rows are newer; they stand at their place in time,
            as if each had come then.
    """

    definition: Definition
    history: History
    left_out: tuple[LeftOut, ...] = ()
    late: int = 0


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay found.

    Attributes:
        plan: what was tried.
        ranked: every policy, static first, gates last.
        decay: how models age.
        verdict: physics or fashion.
        advice: what to write into the definition.
        asked: trainings that all policies together asked for.
        distinct: how many of these were distinct, and so were made.
        seconds: processor time of the distinct ones.
    """

    plan: Plan
    ranked: tuple[Ranked, ...]
    decay: Decay
    verdict: Verdict
    advice: Advice
    asked: int
    distinct: int
    seconds: float


def accepted_history(data: ObjectStore, registry: Registry, pipeline: str) -> Source:
    """A pipeline's accepted files, read as training reads them.

    Raises:
        NotFoundError: for a pipeline that was never applied.
    """
    definition = registry.definition(registry.require(pipeline))
    accepted = accepted_files(data, pipeline)
    replaced = superseded(definition, accepted)
    left_out = [
        LeftOut(file.file.name, Superseded.of(file, replaced[file.file.stem]).sentence)
        for file in accepted
        if file.file.stem in replaced
    ]
    counting = [file for file in accepted if file.file.stem not in replaced]
    history = _history(data, definition, counting)
    return Source(definition, history, tuple(left_out), late=_late(counting))


def plain_files(
    definition: Definition,
    files: Iterable[tuple[str, bytes]],
    scratch: ObjectStore,
    clock: Clock,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> Source:
    """Files that were never dropped, judged as ingest would judge them.

    Args:
        definition: the rules and the recipe.
        files: names and bytes, in the order in which they would arrive.
        scratch: keeps their typed rows meanwhile.
        clock: what time it is, since nothing happens after it was uploaded.
        progress: is told of each file.

    Raises:
        NotFoundError: when there is no file.
        RefusedError: when the definition accepts none.
    """
    began, seen = clock.now(), dict[str, str]()
    accepted: list[VerdictSummary] = []
    left_out: list[LeftOut] = []
    count = 0
    for count, (name, data) in enumerate(files, start=1):
        sha256 = hashlib.sha256(data).hexdigest()
        if (twin := seen.setdefault(sha256, name)) != name:
            left_out.append(LeftOut(name, f"the same content as {twin}"))
            continue
        found = _judged(definition, name, data, sha256, scratch, began, count)
        if isinstance(found, LeftOut):
            left_out.append(found)
        else:
            accepted.append(found)
        progress(f"judged {name}")
    if not count:
        raise NotFoundError("no file to replay")
    if not accepted:
        raise RefusedError(f"no file would be accepted: {left_out[0].name}: {left_out[0].reason}")
    return Source(definition, _history(scratch, definition, accepted), tuple(left_out))


def replay(source: Source, plan: Plan, fitter: Fitter, *, seed: int = 0) -> Replayed:
    """Follow every policy through a history.

    Args:
        source: what to replay.
        plan: what to try.
        fitter: makes the distinct trainings.
        seed: of the resampling.

    Raises:
        NotTrainable: when the first files give no model.
    """
    definition, history = source.definition, source.history
    metric, tolerance = definition.metric, definition.promotion.tolerance
    fits = dict(fitter(plan.wanted))
    rows = scored_rows(plan, history)
    trials = [follow(plan, history, policy, metric, fits) for policy in plan.policies]
    squared = metric == "rmse"
    free = rank(trials, rows, squared=squared, tolerance=tolerance, seed=seed)
    aged = decay(plan, history, metric, fits, rows, tolerance=tolerance, seed=seed)
    behind_gates = _gates(source, plan, choose(free, tolerance).trial.policy, fits, fitter)
    ranked = rank([*trials, *behind_gates], rows, squared=squared, tolerance=tolerance, seed=seed)
    verdict = judge(aged, metric, tolerance)
    advice = advise(
        plan, verdict, ranked, behind_gates, rows, metric=metric, tolerance=tolerance, seed=seed
    )
    return Replayed(
        plan=plan,
        ranked=tuple(ranked),
        decay=aged,
        verdict=verdict,
        advice=advice,
        asked=sum(one.trial.trainings for one in ranked),
        distinct=len(fits),
        seconds=sum(fitted.seconds for fitted in fits.values()),
    )


def _gates(
    source: Source, plan: Plan, policy: Policy, fits: dict[Fit, Fitted], fitter: Fitter
) -> list[Trial]:
    """Follow one policy behind each gate; the fits that it makes join the others."""
    definition, history = source.definition, source.history

    def make(wanted: Mapping[Fit, int]) -> None:
        missing = {
            fit: through
            for fit, through in wanted.items()
            if fit not in fits or fits[fit].through < through
        }
        if missing:
            fits.update(fitter(missing))

    def obtain(fit: Fit, through: int) -> Fitted:
        if fit in fits and fits[fit].through < through:
            through = plan.files  # a model that serves this long may serve on: make it only once
        make({fit: through})
        return fits[fit]

    make(expected(definition, plan, history, policy))
    return [follow_gated(definition, plan, history, one, obtain) for one in gated(policy)]


def _late(accepted: Sequence[VerdictSummary]) -> int:
    """How many files came after one whose place in time is later."""
    orders = [file.order for file in sorted(accepted, key=lambda file: file.file)]
    newest = accumulate(orders, max)
    return sum(order < before for order, before in zip(orders[1:], newest, strict=False))


def _history(
    data: ObjectStore, definition: Definition, accepted: Sequence[VerdictSummary]
) -> History:
    rows = Rows(data, definition)
    rows.load(accepted)
    return History.of(
        definition,
        (
            (file.file.name, digest_of(file.rows_object, definition.schema_digest), rows.of(file))
            for file in sorted(accepted, key=lambda file: file.order)
        ),
    )


def _judged(
    definition: Definition,
    name: str,
    data: bytes,
    sha256: str,
    scratch: ObjectStore,
    began: datetime,
    number: int,
) -> VerdictSummary | LeftOut:
    judgement = judge_bytes(definition, name, data)
    if not judgement.accepted or judgement.frame is None:
        broken = judgement.rejections
        return LeftOut(name, broken[0].message if broken else "it has no rows")
    rows_object = names.rows(definition.name, sha256, definition.schema_digest)
    scratch.create(rows_object, to_parquet(judgement.frame))
    return VerdictSummary(
        file=FileId(round(began.timestamp() * 1e6) + number, name),
        number=1,
        decision="accepted",
        decided=began,
        reason="",
        sha256=sha256,
        rows=judgement.frame.height,
        rows_object=rows_object,
        first_event=judgement.first_event,
        last_event=judgement.last_event,
    )
