"""One attempt of a run: predict what is new, make a version of it, prove it, and bring it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.repeated_keys import RepeatedKeys
from perennial.domain.evaluation.static import Task
from perennial.domain.judging.lateness import watermark_of
from perennial.domain.judging.redelivery import Superseded, superseded
from perennial.domain.modelling.training import Model, fit
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning import registry as state
from perennial.domain.versioning.lineage import Batch, Lineage
from perennial.domain.versioning.rebuilding import environment_of
from perennial.domain.versioning.registry import Head
from perennial.workflows.challenge import Candidate, challenge, require_rows
from perennial.workflows.doubts import (
    NO_DOUBTS,
    Doubts,
    complete_return,
    on_probation,
    put_aside,
    surprises,
)
from perennial.workflows.key_index import Keys, keys_of
from perennial.workflows.ledger import Entry
from perennial.workflows.loaded import LoadedVersion, load
from perennial.workflows.packaging import Origin, package
from perennial.workflows.progress import contenders, score_first
from perennial.workflows.rows import Rows
from perennial.workflows.runs import Alert, Outcome
from perennial.workflows.static import (
    plan,
    what_came_of_scoring,
    whole_span,
    with_what_came_before,
)
from perennial.workflows.stopwatch import Stopwatch
from perennial.workflows.trainer import Trainer
from perennial.workflows.unfinished import Judged, judged_before
from perennial.workflows.verdicts import list_in_force


@dataclass(slots=True)
class Result:
    """How a run ends, filled in as it becomes known: a run that fails had its new files too.

    Attributes:
        outcome: how it ended.
        reason: one sentence.
        version: the version that it made.
        new: rows of the files that were new to the champion, by stem.
        considered: the accepted files that it is done with.
        later: stems of those that it leaves to the next run.
        alerts: what a person should know.
        recalls: those that the head told of before the files were listed: what is recalled later
            may be in the listing.
        repeated_keys: what there is to say of new files that bring keys of earlier ones.
        superseded: files that another replaces, as the champion does not know yet.
        watermark: how far the accepted files reach that were listed.
    """

    outcome: Outcome = "failed"
    reason: str = ""
    version: str | None = None
    new: dict[str, int] = field(default_factory=dict)
    considered: tuple[VerdictSummary, ...] = ()
    later: frozenset[str] = frozenset()
    alerts: list[Alert] = field(default_factory=list)
    recalls: int | None = None
    repeated_keys: tuple[RepeatedKeys, ...] = ()
    superseded: tuple[Superseded, ...] = ()
    watermark: state.Watermark | None = None

    def alert(self, alerts: Sequence[Alert]) -> None:
        """Add what is not there yet: an attempt may be made again."""
        self.alerts += [one for one in alerts if one not in self.alerts]


class Again(Exception):
    """What was listed is not what there is any more: list again, and start over."""


def attempt(
    trainer: Trainer, head: Head, run: str, watch: Stopwatch, result: Result, *, force: bool
) -> None:
    """Make a version and bring it in; `result` says how that went, as far as it came.

    Args:
        trainer: the parts to work with.
        head: with the run's claim.
        run: its id.
        watch: times the steps.
        result: filled in.
        force: whether somebody asked for a new version.

    Raises:
        Again: when files were set aside, or the champion went back.
        CommitConflict: when champion or recipe changed meanwhile.
        NotTrainable: when the rows cannot give a model.
    """
    result.recalls = head.recalls
    definition = trainer.registry.definition(head)
    files = list_in_force(trainer.buckets.data, head.pipeline)
    accepted = [file for file in files if file.decision == "accepted"]
    result.watermark, result.considered = watermark_of(accepted), tuple(accepted)
    champion = load_champion(trainer, head)
    if champion is not None and definition.training.mode == "dynamic":
        _complete_return(trainer, head, definition, files, champion, run, result)
    known = champion.lineage if champion else Lineage()
    batch = Batch.of(accepted, known, superseded(definition, accepted))
    result.superseded = _newly_superseded(batch, known)
    force = force or head.relearn
    task = _task(trainer, head, definition, batch, champion, force=force)
    result.later = frozenset(file.file.stem for file in task.later)
    result.considered = tuple(f for f in accepted if f.file.stem not in result.later)
    rows = Rows(trainer.buckets.data, definition)
    keys = Keys()
    if definition.names("key"):
        with watch("read"):
            keys = keys_of(trainer.buckets.data, definition, batch, rows)
    result.repeated_keys = keys.repeated
    scored: Sequence[Entry] = ()
    doubts = NO_DOUBTS
    if champion is not None and batch.proof:
        with watch("read"):
            models = contenders(
                trainer.registry, trainer.codec, head, champion, definition, rows, keys.index
            )
        ledger, scored = score_first(
            trainer.buckets.data, trainer.clock, definition, batch, rows, models, watch, keys.before
        )
        doubts = Doubts(models[0].learned, ())
        if definition.training.mode == "dynamic":
            _doubt_champion(trainer, head, definition, ledger, batch, champion, run, result)
            doubts = Doubts(models[0].learned, surprises(definition, ledger, batch))
    if task.learn is None:
        _only_scored(head, definition, champion, scored, task, result)
        return
    result.new |= {file.file.stem: file.rows for file in task.learn.fresh}
    judged = judged_before(trainer.registry, head, batch)
    if judged is None:
        candidate = _candidate(definition, batch, task.learn, rows, champion, watch, doubts)
        if keys.index is not None:
            found = [asdict(one) for one in keys.repeated]
            evaluation = candidate.evaluation | {"repeated_keys": found}
            candidate = replace(candidate, evaluation=evaluation)
        judged = _bring_in(trainer, head, definition, candidate, run, watch)
    result.outcome, result.reason = _OUTCOMES[judged.status], judged.reason
    result.version = judged.version
    if judged.suspect:
        result.outcome = "set_aside"
        suspect = [file for file in batch.fresh if file.file.stem in judged.suspect]
        told = "; ".join(one.sentence for one in doubts.surprises)
        reason = f"{told}; {judged.version}, which learned from it, does not explain it"
        result.alert(put_aside(trainer, head.pipeline, run, suspect, reason))
        raise Again


def load_champion(trainer: Trainer, head: Head) -> LoadedVersion | None:
    """The version that serves, verified and ready to predict; None before there is one."""
    if head.champion is None:
        return None
    return load(trainer.registry, trainer.codec, head, head.champion)


def _newly_superseded(batch: Batch, champion: Lineage) -> tuple[Superseded, ...]:
    known = {(file.stem, file.superseded_by) for file in champion.files}
    found = (Superseded.of(earlier, later) for earlier, later in batch.superseded)
    return tuple(one for one in found if (one.stem, one.by) not in known)


def _task(
    trainer: Trainer,
    head: Head,
    definition: Definition,
    batch: Batch,
    champion: LoadedVersion | None,
    *,
    force: bool,
) -> Task:
    """What there is to learn: for a dynamic model, whatever is new."""
    if definition.training.mode == "static":
        return plan(trainer.registry, head, definition, batch, champion, force=force)
    return Task(batch if batch.fresh else None)


def _doubt_champion(
    trainer: Trainer,
    head: Head,
    definition: Definition,
    ledger: Sequence[Entry],
    batch: Batch,
    champion: LoadedVersion,
    run: str,
    result: Result,
) -> None:
    alerts, went_back = on_probation(trainer, head, definition, ledger, batch, champion, run)
    result.alert(alerts)
    if went_back:
        raise Again


def _complete_return(
    trainer: Trainer,
    head: Head,
    definition: Definition,
    files: Sequence[VerdictSummary],
    champion: LoadedVersion,
    run: str,
    result: Result,
) -> None:
    if alerts := complete_return(trainer, head, definition, files, champion, run):
        result.alert(alerts)
        raise Again


def _only_scored(
    head: Head,
    definition: Definition,
    champion: LoadedVersion | None,
    scored: Sequence[Entry],
    task: Task,
    result: Result,
) -> None:
    """End without a version."""
    result.new |= {entry.stem: entry.score.rows for entry in scored}
    if definition.training.mode == "static":
        result.outcome, result.reason = what_came_of_scoring(head, definition, scored, task.reason)
    elif result.outcome != "set_aside":  # else that is what there is to say
        result.outcome, result.reason = "nothing_new", _nothing_new(head, champion)


def _candidate(
    definition: Definition,
    batch: Batch,
    learn: Batch,
    rows: Rows,
    champion: LoadedVersion | None,
    watch: Stopwatch,
    doubts: Doubts,
) -> Candidate[Model]:
    """Train and judge."""
    if champion is None:
        require_rows(definition, learn.fresh)
    static = definition.training.mode == "static"
    candidate = challenge(
        whole_span(definition) if static else definition,
        learn,
        rows,
        champion,
        watch,
        fit,
        learned=doubts.learned,
        surprises=doubts.surprises,
    )
    return with_what_came_before(candidate, batch, learn) if static else candidate


def _bring_in(
    trainer: Trainer,
    head: Head,
    definition: Definition,
    candidate: Candidate[Model],
    run: str,
    watch: Stopwatch,
) -> Judged:
    """Write the version, and commit what the gate decided about it."""
    version = trainer.registry.reserve_version(head.pipeline, run)
    environment = environment_of(definition.training.package, trainer.environment)
    origin = Origin(head.pipeline, version, run, head.definition, trainer.clock.now(), environment)
    manifest, files = package(candidate, definition, origin, trainer.codec, watch)
    with watch("write"):
        digest = trainer.registry.write_version(manifest, files)
        after = _commit(trainer, head, candidate, version, run, digest)
    return Judged(version, after.statuses[version], candidate.reason, candidate.suspect)


def _commit(
    trainer: Trainer, head: Head, candidate: Candidate[Model], version: str, run: str, digest: str
) -> Head:
    return trainer.registry.commit(
        head.pipeline,
        partial(
            state.judge_version,
            version=version,
            status=candidate.status,
            epoch=head.epoch,
            against=head.champion,
            definition=head.definition,
            recalls=head.recalls,
            manifest=digest,
        ),
        action=lambda after: "promote" if after.champion == version else "judge",
        by=f"run {run}",
        why=candidate.reason,
        version=version,
    )


def _nothing_new(head: Head, champion: LoadedVersion | None) -> str:
    if champion is None:
        return "no file was accepted yet"
    if champion.manifest.definition != head.definition:
        return (
            f"{head.champion} has learned every accepted file; the new definition takes effect "
            "with the next one, on whose rows both can be judged"
        )
    return f"{head.champion} has learned every accepted file"


_OUTCOMES: Mapping[state.Status, Outcome] = {
    "approved": "promoted",
    "waiting": "waiting_approval",
    "rejected": "rejected",
}
