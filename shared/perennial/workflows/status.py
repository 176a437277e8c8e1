"""How a pipeline is: what serves, how well, what was judged, and what it waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from perennial.domain import names
from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.measuring import merged, told
from perennial.domain.evaluation.scoring import Score
from perennial.domain.evaluation.span import lacking, learnable
from perennial.domain.health import health
from perennial.domain.judging.redelivery import Superseded, counted_again, in_effect, superseded
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import Head
from perennial.domain.words import counted
from perennial.ports import Buckets, Clock, JobLauncher
from perennial.workflows.ageing import champions_ageing
from perennial.workflows.batch.queue import list_scored, waiting_files
from perennial.workflows.ledger import Entry, progressive
from perennial.workflows.monitoring.watches import latest_watch
from perennial.workflows.queue import counting_files, is_at_work
from perennial.workflows.recipe import recipe_changed
from perennial.workflows.registry import Registry
from perennial.workflows.runs import list_runs, read_considered, read_run
from perennial.workflows.upgrade_checks import latest_check
from perennial.workflows.verdicts import list_in_force

LAST = 10


def status(
    buckets: Buckets, registry: Registry, launcher: JobLauncher, clock: Clock, pipeline: str
) -> dict[str, Any]:
    """A pipeline's state, ready for JSON; the keys are contract.

    Raises:
        NotFoundError: for a pipeline that was never applied.
    """
    head = registry.require(pipeline)
    definition = registry.definition(head)
    files = list_in_force(buckets.data, pipeline)
    runs = list(list_runs(buckets.data, pipeline))
    accepted = [file for file in files if file.decision == "accepted"]
    replaced = superseded(definition, accepted)
    at_work = is_at_work(head, launcher, clock)
    champion = registry.manifest(pipeline, head.champion, head=head) if head.champion else None
    upgrade = latest_check(buckets.data, pipeline, champion, runs)
    watch = latest_watch(buckets.data, pipeline)
    findings = watch.findings if watch else ()
    probation = _on_probation(head, files, runs)
    upgraded = [upgrade.sentence] if upgrade and upgrade.outcome != "equal" else []
    return {
        "pipeline": pipeline,
        "health": health(
            head, files, runs, findings, at_work=at_work, more=[*probation, *upgraded]
        ).document(),
        "task": definition.task,
        "mode": definition.training.mode,
        "definition": head.definition,
        **_champion(champion, clock),
        "predecessors": list(head.predecessors),
        "pinned": head.pin and {"by": head.pin.by, "why": head.pin.why, "at": str(head.pin.at)},
        "progressive": _progressive(buckets, definition, files, replaced),
        "ageing": _ageing(buckets, registry, head, definition, files),
        "counts": dict(Counter(file.decision for file in files)),
        "verdicts": [_verdict(file, replaced) for file in _latest(files)],
        "superseded": [
            asdict(Superseded.of(file, replaced[file.file.stem]))
            for file in accepted
            if file.file.stem in replaced
        ],
        "run": _run(head) if at_work else None,
        "runs": runs[-LAST:],
        "repeated_keys": _repeated_keys(buckets, pipeline, runs),
        "waiting": [] if at_work else _waiting(buckets, registry, head, definition, files, runs),
        "scored": _scored_files(buckets, head, definition, files),
        "alerts": [
            *_suspects(pipeline, files),
            *probation,
            *_stopped(head, runs, at_work=at_work),
            *upgraded,
        ],
        "findings": watch.document()["findings"] if watch else [],
        "upgrade": upgrade and asdict(upgrade),
    }


def _champion(manifest: Manifest | None, clock: Clock) -> dict[str, Any]:
    if manifest is None:
        return {"champion": None, "age_seconds": None, "trained_through": None}
    return {
        "champion": manifest.version,
        "age_seconds": round((clock.now() - manifest.created).total_seconds(), 1),
        "trained_through": manifest.trained_through.isoformat(),
    }


def _progressive(
    buckets: Buckets,
    definition: Definition,
    files: list[VerdictSummary],
    replaced: Mapping[str, VerdictSummary],
) -> dict[str, Any]:
    """The loss on rows that the champion of the time had not learned, whole and by file.

    What is suspect, or in quarantine, is shown by file and counts in no sum, nor does a superseded
    file once its successor does.
    """
    scored = progressive(buckets.data, definition.name)
    known = sorted((f for f in files if f.file.stem in scored), key=lambda file: file.order)
    by_file = [_scored(file, scored[file.file.stem]) for file in known]
    twice = counted_again(replaced, scored)
    counting = [
        scored[file.file.stem]
        for file in known
        if file.decision == "accepted" and file.file.stem not in twice
    ]
    total = sum((entry.score for entry in counting), Score())
    metrics = total.metrics()
    return {
        "metric": definition.metric,
        "value": metrics.get(definition.metric),
        "metrics": metrics,
        "rows": total.rows,
        "sums": total.sums,
        "slices": told(merged(entry.measured.slices for entry in counting)),
        "files": by_file,
    }


def _ageing(
    buckets: Buckets,
    registry: Registry,
    head: Head,
    definition: Definition,
    files: Sequence[VerdictSummary],
) -> dict[str, Any] | None:
    """How a static champion ages; None where it is not one."""
    accepted = _counting(definition, files)
    found = champions_ageing(buckets.data, registry, head, definition, accepted)
    if found is None:
        return None
    return asdict(found) | {"trained_through": found.trained_through.isoformat()}


def _counting(definition: Definition, files: Sequence[VerdictSummary]) -> list[VerdictSummary]:
    """The accepted files that no later one replaces."""
    return [*in_effect(definition, [file for file in files if file.decision == "accepted"])]


def _scored(file: VerdictSummary, entry: Entry) -> dict[str, Any]:
    return {
        "name": file.file.name,
        "generation": file.file.generation,
        "at": file.order[0].isoformat(),
        "version": entry.version,
        "verdict": file.decision,
        "rows": entry.score.rows,
        "metrics": entry.score.metrics(),
        "sums": entry.score.sums,
    }


def _scored_files(
    buckets: Buckets, head: Head, definition: Definition, files: Sequence[VerdictSummary]
) -> dict[str, Any]:
    """How many files wait to be scored, and what came of the latest that were."""
    live = [file for file in files if file.decision == "to_score"]
    if not live:
        return {"waiting": 0, "files": []}
    waiting = live
    if head.champion is not None:
        waiting = waiting_files(buckets.data, definition, head.champion, live)
    done = list(list_scored(buckets.data, head.pipeline, since=live[0].file.stem))
    return {
        "waiting": len(waiting),
        "files": [
            {
                "name": one.file.name,
                "generation": one.file.generation,
                "version": one.version,
                "outcome": one.outcome,
                "reason": one.reason,
                "rows": one.rows,
                "created": one.created.isoformat(),
                "predictions": names.prediction(head.pipeline, one.file.stem, one.version),
            }
            for one in sorted(done, key=lambda one: one.created)[-LAST:]
        ],
    }


def _latest(files: list[VerdictSummary]) -> list[VerdictSummary]:
    """The latest decisions, by when they were made: a file may be healed long after its drop."""
    return sorted(files, key=lambda file: (file.decided, file.file))[-LAST:]


def _repeated_keys(
    buckets: Buckets, pipeline: str, runs: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """New files of the last run with keys of earlier ones; a listing shows a few, and in short."""
    if not runs or not runs[-1].get("repeated_keys"):
        return []
    last = read_run(buckets.data, pipeline, runs[-1]["run"])
    return [asdict(one) for one in last.repeated_keys]


def _verdict(file: VerdictSummary, replaced: Mapping[str, VerdictSummary]) -> dict[str, Any]:
    by = replaced.get(file.file.stem)
    return {
        "name": file.file.name,
        "generation": file.file.generation,
        "verdict": file.decision,
        "rows": file.rows,
        "reason": file.reason,
        "decided": file.decided.isoformat(),
        "superseded_by": by and {"name": by.file.name, "generation": by.file.generation},
    }


def _run(head: Head) -> dict[str, Any] | None:
    if head.claim is None:
        return None
    deadline = head.claim.deadline.isoformat()
    return {"run": head.claim.run, "execution": head.claim.execution, "deadline": deadline}


def _waiting(
    buckets: Buckets,
    registry: Registry,
    head: Head,
    definition: Definition,
    files: list[VerdictSummary],
    runs: list[dict[str, Any]],
) -> list[str]:
    """What has to happen before the next version serves, one sentence each."""
    reasons = []
    if pending := sum(file.decision == "pending" for file in files):
        to_judge = f"{counted(pending, 'file')} to be judged"
        reasons.append(f"{to_judge}: run `perennial sweep {head.pipeline}`")
    reasons += _waiting_for_rows(buckets, head, definition, files, runs)
    reasons += _waiting_to_be_told(registry, head, definition)
    reasons += [
        f"{version} waits for `perennial approve {head.pipeline}`" for version in head.waiting
    ]
    if head.pin is not None:
        reasons.append(
            f"{head.champion} is pinned by {head.pin.by} ({head.pin.why}): nothing is promoted "
            f"until `perennial unpin {head.pipeline}`"
        )
    return reasons


def _waiting_to_be_told(registry: Registry, head: Head, definition: Definition) -> Iterator[str]:
    """What a static model is trained anew for only when somebody says so."""
    if head.champion is None or definition.training.mode == "dynamic":
        return
    made_by = registry.manifest(head.pipeline, head.champion, head=head).definition
    if recipe_changed(registry, head, definition, made_by):
        yield (
            f"the recipe changed since {head.champion} was made: `perennial retrain "
            f"{head.pipeline}` trains by it"
        )


def _waiting_for_rows(
    buckets: Buckets,
    head: Head,
    definition: Definition,
    files: list[VerdictSummary],
    runs: list[dict[str, Any]],
) -> Iterator[str]:
    """What has to be dropped before the next run, or before it can train."""
    training, pipeline = definition.training, head.pipeline
    accepted = [file for file in files if file.decision == "accepted"]
    if not accepted:
        yield f"a first file: `perennial drop {pipeline} FILE`"
        return
    if head.champion is None and (lack := lacking(training, accepted)):
        yield lack
        return
    rows = sum(file.rows for file in learnable(training, _counting(definition, accepted)))
    enough = head.champion is not None or rows >= training.min_rows
    if not enough:
        yield f"a first version needs {training.min_rows:,} rows, has {rows:,}: drop more files"
    if head.relearn:
        yield "a run is due, because a file was recalled"
        return
    considered = read_considered(buckets.data, pipeline, head.last_run)
    counting = counting_files(head, accepted, considered)
    if counting:
        have, need, what = (
            (len(counting), training.trigger.files, "new file")
            if training.trigger.files is not None
            else (sum(file.rows for file in counting), training.trigger.rows, "new row")
        )
        if have < (need or 0):
            yield f"the next run starts at {counted(need or 0, what)}, has {have:,}"
        elif enough:
            yield f"a run is due, on {counted(have, what)}"
    elif enough and runs and runs[-1]["outcome"] == "waiting":
        yield f"new files: no model can be made of what there is ({runs[-1]['reason']})"


def _stopped(head: Head, runs: list[dict[str, Any]], *, at_work: bool) -> Iterator[str]:
    """Runs that broke."""
    if runs and runs[-1]["outcome"] == "failed":
        yield f"the last run, {runs[-1]['run']}, failed: {runs[-1]['reason']}"
    if head.claim is not None and not at_work:
        yield (
            f"run {head.claim.run} ended without a record, perhaps for lack of memory: see the log "
            f"of {head.claim.execution or 'its process'}"
        )


def _suspects(pipeline: str, files: list[VerdictSummary]) -> Iterator[str]:
    """Files that training set aside, together where the reason is one."""
    by_reason: dict[str, list[str]] = {}
    for file in files:
        if file.decision == "suspect":
            by_reason.setdefault(file.reason, []).append(file.file.name)
    for reason, held in by_reason.items():
        yield (
            f"{counted(len(held), 'file')} set aside as suspect, {', '.join(held)}: {reason}; "
            f"`perennial quarantine release {pipeline} FILE --why …` has one learned after all"
        )


def _on_probation(head: Head, files: list[VerdictSummary], runs: list[dict[str, Any]]) -> list[str]:
    """What the last runs found about earlier champions, while it still matters.

    It does while the predecessor is one, and a file that it names still counts.
    """
    counting = {file.file.name for file in files if file.decision == "accepted"}
    found: dict[str, str] = {}
    for run in runs[-LAST:]:
        for alert in run.get("alerts", ()):
            if alert["kind"] != "probation" or alert["version"] not in head.predecessors:
                continue
            if counting.intersection(alert["files"]):
                found[alert["version"]] = alert["message"]
    return list(found.values())[-1:]
