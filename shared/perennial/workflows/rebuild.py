"""Train a version again from what is on record about it, and compare. Writes no registry."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pandas as pd

from perennial.domain import names
from perennial.domain.modelling.frames import columns_of
from perennial.domain.modelling.training import fit
from perennial.domain.verdict import VerdictSummary
from perennial.domain.versioning.importing import IMPORTED, IMPORTED_FILE
from perennial.domain.versioning.lineage import Lineage, Portion
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.rebuilding import (
    ROWS,
    Change,
    Difference,
    Rebuild,
    conclude,
    environment_differences,
    environment_of,
)
from perennial.domain.versioning.registry import Head
from perennial.domain.words import counted
from perennial.errors import (
    DefinitionError,
    ModelError,
    NotTrainable,
    ObjectNotFound,
    PerennialError,
    RefusedError,
)
from perennial.ports import Scorer
from perennial.workflows.packaging import RECORDED_ROWS
from perennial.workflows.rows import Rows
from perennial.workflows.stopwatch import Stopwatch
from perennial.workflows.trainer import Trainer
from perennial.workflows.writing import create_once


def rebuild(trainer: Trainer, pipeline: str, version: str) -> Rebuild:
    """Train a version again and say whether the result is the same, and if not, what differs.

    Whatever stands in the way of that is a result too.

    Args:
        trainer: the parts to work with; its environment is what the recorded one is compared with.
        pipeline: whose version.
        version: which one, whatever became of it.

    Raises:
        NotFoundError: for a version that does not exist.
        StoreError: when the store does not answer.
    """
    head = trainer.registry.require(pipeline)
    try:
        manifest = trainer.registry.manifest(pipeline, version, head=head)
    except ModelError as error:  # it is not what the head states, or cannot be read
        return Rebuild(
            pipeline, version, "impossible", str(error), recorded="", ended=trainer.clock.now(),
            execution=trainer.execution,
        )  # fmt: skip
    watch = Stopwatch(trainer.clock)
    blank = Rebuild(
        pipeline=pipeline,
        version=version,
        outcome="impossible",
        reason="",
        recorded=manifest.files["model.onnx"].sha256,
        ended=trainer.clock.now(),
        differences=environment_differences(manifest.environment, trainer.environment),
        unrecorded=tuple(
            sorted(environment_of("", trainer.environment).keys() - manifest.environment.keys())
        ),
        execution=trainer.execution,
    )
    if IMPORTED in manifest.environment:
        made = manifest.environment[IMPORTED_FILE]
        reason = f"it was trained elsewhere, and handed in as {made}: nothing here could train it"
        return replace(blank, reason=reason, differences=(), ended=trainer.clock.now())
    try:
        found = _again(trainer, head, manifest, blank, watch)
    except ObjectNotFound as error:
        found = replace(blank, reason=f"gs://{error.bucket}/{error.name} is gone")
    except (DefinitionError, RefusedError, ModelError) as error:
        found = replace(blank, reason=str(error))
    except PerennialError:
        raise
    except Exception as error:  # noqa: BLE001 (a library that cannot do what it did is a result)
        found = replace(blank, reason=f"{type(error).__name__}: {error}")
    return replace(found, ended=trainer.clock.now(), seconds=dict(watch.seconds))


def record(trainer: Trainer, found: Rebuild) -> str:
    """Keep a result where whoever asked for it looks; returns the object's name."""
    execution = trainer.execution or secrets.token_hex(8)
    name = names.rebuild(found.pipeline, found.version, execution)
    create_once(trainer.buckets.data, name, found.to_json())
    return name


def _again(
    trainer: Trainer, head: Head, manifest: Manifest, blank: Rebuild, watch: Stopwatch
) -> Rebuild:
    registry, codec = trainer.registry, trainer.codec
    # The definition that it was trained by, whichever is in force now.
    definition = registry.definition(replace(head, definition=manifest.definition))
    stored = codec.load(registry.read_version_file(manifest, "model.onnx"), manifest)
    lineage = Lineage.from_json(registry.read_version_file(manifest, "lineage.json"))
    rows = Rows(trainer.buckets.data, definition)
    files = {file.stem: file.summary for file in lineage.files}
    with watch("read"):
        wanted = _wanted(lineage)
        missing = _missing(rows, [files[stem] for stem in wanted])
        if missing:
            return replace(blank, missing=missing, reason=_gone(missing))
        frame = _learned(rows, files, lineage, manifest)
        instances, answers = _instances(rows, files, lineage, frame)
        differences = _differences(rows, files, lineage.rows or ())
    with watch("train"):
        model = fit(definition, frame, seed=manifest.seed)
    with watch("export"):
        artefact = codec.export(model)
    if artefact.classes != manifest.classes:
        raise NotTrainable(f"its classes would be {artefact.classes}, and are {manifest.classes}")
    with watch("compare"):
        # The inputs are those of today's code, which the differences name where it is another's.
        signature = replace(manifest, inputs=artefact.inputs, text=artefact.text)
        now = _answers(stored, manifest, instances)
        again = _answers(codec.load(artefact.graph, signature), signature, instances)
        predictions = Change.between(now, again)
        serving = None if answers is None else Change.between(answers, now)
    digest = hashlib.sha256(artefact.graph).hexdigest()
    outcome, reason = conclude(blank.recorded, digest, predictions, serving)
    return replace(
        blank,
        outcome=outcome,
        reason=reason,
        rebuilt=digest,
        predictions=predictions,
        serving=serving,
        differences=(*differences, *blank.differences),
        rows=len(frame),
        files=len(wanted),
    )


def _wanted(lineage: Lineage) -> list[str]:
    """Stems of the files that it learned, in order."""
    if lineage.rows is None:
        return [file.stem for file in lineage.files if file.used]
    return list(dict.fromkeys(portion.stem for portion in lineage.rows))


def _missing(rows: Rows, files: Sequence[VerdictSummary]) -> dict[str, str]:
    """The objects that are gone, by the names of the files whose rows they held."""
    missing = {}
    with suppress(ObjectNotFound):
        rows.load(files)
    for file in files:
        try:
            rows.of(file)
        except ObjectNotFound:
            missing[file.file.name] = file.rows_object
    return missing


def _gone(missing: Mapping[str, str]) -> str:
    are = "are" if len(missing) > 1 else "is"
    return f"{counted(len(missing), 'file')} that it learned {are} gone: {', '.join(missing)}"


def _learned(
    rows: Rows, files: Mapping[str, VerdictSummary], lineage: Lineage, manifest: Manifest
) -> pd.DataFrame:
    """The rows that it was fitted to.

    Raises:
        NotTrainable: when the files do not have them any more, or nobody noted which they were.
    """
    if lineage.rows is not None:
        return rows.take(files, lineage.rows)
    frame = rows.of_all([files[stem] for stem in _wanted(lineage)])
    if len(frame) != manifest.trained_rows:
        raise NotTrainable(
            f"{manifest.version} learned {manifest.trained_rows} of {len(frame)} rows, and the "
            "release that made it did not note which"
        )
    return frame


def _instances(
    rows: Rows, files: Mapping[str, VerdictSummary], lineage: Lineage, learned: pd.DataFrame
) -> tuple[pd.DataFrame, Sequence[Any] | None]:
    """The rows whose answers are compared, and the answers on record, where there are any."""
    recorded = lineage.recorded
    if recorded is not None:
        try:
            return rows.take(files, recorded.rows), recorded.predictions
        except ObjectNotFound:
            pass  # it never learned them, and any others tell two graphs apart too
    return learned.head(RECORDED_ROWS), None


def _differences(
    rows: Rows, files: Mapping[str, VerdictSummary], learned: Sequence[Portion]
) -> list[Difference]:
    """Files whose typed rows lie there in other bytes: written again, by another library, say."""
    noted = {one.stem: one.sha256 for one in learned if one.sha256}
    return [
        Difference(ROWS, digest, found, files[stem].file.name)
        for stem, digest in noted.items()
        if (found := rows.digest(files[stem])) != digest
    ]


def _answers(scorer: Scorer, manifest: Manifest, frame: pd.DataFrame) -> list[Any]:
    answers: list[Any] = scorer.predict(columns_of(manifest.inputs, frame)).tolist()
    return answers
