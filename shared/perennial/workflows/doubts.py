"""What new files make a run doubt: the champion, which learned earlier ones, or the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perennial.domain.definitions.definition import Definition
from perennial.domain.evaluation.surprise import Surprise, usual_band
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.lineage import Batch, Lineage
from perennial.domain.versioning.registry import Head
from perennial.workflows import probation
from perennial.workflows.challenge import NOTHING_LEARNED
from perennial.workflows.ledger import Entry, serving
from perennial.workflows.loaded import LoadedVersion
from perennial.workflows.runs import Alert
from perennial.workflows.suspects import set_aside
from perennial.workflows.trainer import Trainer
from perennial.workflows.verdicts import read_verdict


@dataclass(frozen=True, slots=True)
class Doubts:
    """What a gate must know of new rows.

    Attributes:
        learned: hashes of the rows that the champion has learned: they prove nothing.
        surprises: the files on which the champion did not do as usual.
    """

    learned: NDArray[np.uint64]
    surprises: Sequence[Surprise]


NO_DOUBTS = Doubts(NOTHING_LEARNED, ())


def on_probation(
    trainer: Trainer,
    head: Head,
    definition: Definition,
    ledger: Sequence[Entry],
    batch: Batch,
    champion: LoadedVersion,
    run: str,
) -> tuple[list[Alert], bool]:
    """Compare the champion with its predecessors; alert, or return to one that is better.

    The files go before the champion: after a crash in between, the champion has learned what is
    suspect, which the next run finds (see `complete_return`).

    Returns:
        What a person should know, and whether the champion went back.

    Raises:
        CommitConflict: when the champion changed meanwhile.
    """
    finding = probation.judge(
        definition, head, ledger, batch.history, trainer.registry, champion.lineage
    )
    if finding is None:
        return [], False
    names = tuple(file.file.name for file in finding.files)
    version = finding.evidence.predecessor
    since = [file for file in finding.files if not file.cleared]
    if definition.promotion.probation == "alert" or head.pin is not None or not since:
        advice = f"`perennial rollback {head.pipeline} --to {version} --why …` returns to it"
        return [Alert("probation", f"{finding.sentence}; {advice}", version, names)], False
    alerts = put_aside(trainer, head.pipeline, run, since, finding.sentence)
    probation.go_back(trainer.registry, head, version, finding.sentence, run)
    return [*alerts, _returned(version, finding.sentence, names)], True


def _returned(version: str, why: str, names: tuple[str, ...]) -> Alert:
    return Alert("returned", f"returned to {version}: {why}", version, names)


def complete_return(
    trainer: Trainer,
    head: Head,
    definition: Definition,
    files: Sequence[VerdictSummary],
    champion: LoadedVersion,
    run: str,
) -> list[Alert]:
    """Let the champion follow the files that a run set aside, which ended before it went back.

    No champion has learned what is suspect otherwise. The evidence need not be there any more: it
    may have been those very files. The oldest is set aside first, so the newest predecessor that
    has learned none of them is the one that was meant.

    Args:
        trainer: the parts to work with.
        head: with the run's claim.
        definition: the one in force.
        files: the decision in force about every file.
        champion: what serves.
        run: the run that asks.

    Returns:
        What a person should know; nothing where the champion stays.

    Raises:
        CommitConflict: when the champion changed meanwhile.
    """
    aside = [f for f in files if f.decision == "suspect" and f.file.stem in champion.lineage.used]
    if not aside or head.pin is not None or definition.promotion.probation != "return":
        return []
    stems = {file.file.stem for file in aside}
    for version in head.predecessors:
        manifest = trainer.registry.manifest(head.pipeline, version, head=head)
        known = Lineage.from_json(trainer.registry.read_version_file(manifest, "lineage.json"))
        if not known.used & stems:
            break
    else:
        return []
    why = read_verdict(trainer.buckets.data, head.pipeline, aside[0]).reason
    learned = champion.lineage.used - known.stems
    since = [
        f for f in files
        if f.decision == "accepted" and f.file.stem in learned and not f.cleared
    ]  # fmt: skip
    put_aside(trainer, head.pipeline, run, since, why)
    probation.go_back(trainer.registry, head, version, why, run)
    files = sorted([*aside, *since], key=lambda file: file.order)
    names = tuple(file.file.name for file in files)
    return [_suspect(head.pipeline, names, why), _returned(version, why, names)]


def put_aside(
    trainer: Trainer, pipeline: str, run: str, files: Sequence[VerdictSummary], reason: str
) -> list[Alert]:
    """Set files aside as suspect; returns what a person should know."""
    set_aside(
        trainer.buckets.data, pipeline, files, by=f"run {run}", reason=reason,
        decided=trainer.clock.now(),
    )  # fmt: skip
    return [_suspect(pipeline, tuple(file.file.name for file in files), reason)]


def _suspect(pipeline: str, names: tuple[str, ...], reason: str) -> Alert:
    advice = f"`perennial quarantine release {pipeline} FILE --why …` has one learned after all"
    message = f"{', '.join(names)} set aside as suspect: {reason}; {advice}"
    return Alert("suspect", message, None, names)


def surprises(
    definition: Definition, ledger: Sequence[Entry], batch: Batch
) -> tuple[Surprise, ...]:
    """The new files that nobody predicted as champions usually do, or better than a constant.

    Earlier champions have a say: a good file surprises a champion that has learned from a bad one,
    and none that has not. A file that a person vouches for never surprises.
    """
    width = definition.promotion.surprise
    if width is None:
        return ()
    metric = definition.metric
    usual = {stem: _loss(entry, metric) for stem, entry in serving(ledger).items()}
    new = {file.file.stem for file in batch.proof}
    before = [
        loss
        for file in batch.history
        if file.file.stem not in new and (loss := usual.get(file.file.stem)) is not None
    ]
    band = usual_band(before, width)
    if band is None:
        return ()
    least: dict[str, tuple[float, float]] = {}
    for entry in ledger:
        loss, constant = _loss(entry, metric), entry.measured.constant
        if entry.part == "waiting" or entry.measured.metric != metric:
            continue
        if entry.stem in new and loss is not None and constant is not None:
            least[entry.stem] = min((loss, constant), least.get(entry.stem, (loss, constant)))
    return tuple(
        Surprise(file.file.name, file.file.stem, loss, band, constant)
        for file in batch.proof
        for loss, constant in [least.get(file.file.stem, (0.0, 0.0))]
        if not file.cleared and band.surprises(loss) and loss >= constant
    )


def _loss(entry: Entry, metric: str) -> float | None:
    """A version's loss on a file; None where no row counts, or it was another task's."""
    return entry.score.metrics().get(metric)
