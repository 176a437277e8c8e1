"""Put a champion through the five deployment tests: gather what is known, and ask what serves.

Nothing is written. What cannot be looked at is part of the result, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from perennial.domain.checking.data import DataFacts, judge_data
from perennial.domain.checking.features import FeatureFacts, judge_features
from perennial.domain.checking.looks import TESTS, Check, DeploymentTest, Look, Trouble
from perennial.domain.checking.quality import QualityFacts, judge_quality
from perennial.domain.checking.served import Answered, Served
from perennial.domain.checking.serving import judge_infrastructure, judge_integration
from perennial.domain.evaluation.scoring import Score
from perennial.domain.modelling.frames import columns_of
from perennial.domain.modelling.precision import check_precision
from perennial.domain.versioning.rebuilding import Change
from perennial.domain.words import counted
from perennial.errors import (
    ConfigError,
    ModelError,
    NotFoundError,
    NotTrainable,
    PerennialError,
)
from perennial.ports import Clock, Graphs, ObjectStore, Scorer, Serving
from perennial.workflows.champion_record import ChampionRecord
from perennial.workflows.gate_test import BEFORE_TRUST, try_gate
from perennial.workflows.ledger import entries
from perennial.workflows.registry import Registry
from perennial.workflows.verdicts import list_in_force, verdict_in_force

VERDICTS = 10
"""Verdicts that are read whole, of the newest learned files: each costs a listing and a read."""

LOOK_UP_SECONDS = 1.5
"""After which a function that served an earlier champion must have looked for a new one."""

NO_RUNTIME = "onnxruntime is not installed here: pip install 'perennial[check]'"


def check(
    data: ObjectStore,
    registry: Registry,
    clock: Clock,
    pipeline: str,
    graphs: Graphs | None,
    serving: Callable[[], Serving],
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> Check:
    """Put a pipeline's champion through every test.

    Args:
        data: the data bucket.
        registry: where versions are.
        clock: waits for the function's next look-up.
        pipeline: whose champion.
        graphs: runs graphs; None where onnxruntime is not installed.
        serving: finds what serves; it may raise as the methods of `Serving` do.
        progress: told the result of each test.

    Raises:
        NotFoundError: for a pipeline that was never applied, or has no champion.
        DigestMismatch: when its evaluation or lineage is not what its manifest states.
        StoreError: when the store does not answer.
    """
    head = registry.require(pipeline)
    if head.champion is None:
        raise NotFoundError(f"{pipeline} has no champion yet")
    champion = ChampionRecord(
        registry, data, head, registry.manifest(pipeline, head.champion, head=head)
    )
    tests = []
    for name, looks in zip(TESTS, _looks(champion, graphs, serving, clock), strict=True):
        tests.append(DeploymentTest(name, [*looks]))
        progress(f"{name}: {tests[-1].result}")
    return Check(pipeline, champion.manifest.version, tests)


def _looks(
    champion: ChampionRecord,
    graphs: Graphs | None,
    serving: Callable[[], Serving],
    clock: Clock,
) -> Iterator[Iterable[Look]]:
    """What each of `TESTS` looks at, gathered when it is its turn."""
    manifest = champion.manifest
    yield judge_data(_data(champion))
    yield judge_features(_features(champion, graphs))
    yield judge_quality(_quality(champion))
    served = _served(champion, clock, serving)
    yield judge_infrastructure(manifest, served, _smoke(champion, graphs))
    yield judge_integration(manifest, *_asked(champion, serving))


def _data(champion: ChampionRecord) -> DataFacts:
    pipeline = champion.head.pipeline
    learned = [file for file in champion.lineage.files if file.used]
    return DataFacts(
        manifest=champion.manifest,
        definition=champion.definition,
        learned=learned,
        in_force={one.file.stem: one for one in list_in_force(champion.data, pipeline)},
        verdicts=[
            found for file in learned[-VERDICTS:]
            if (found := verdict_in_force(champion.data, pipeline, file.summary.file)) is not None
        ],
    )  # fmt: skip


def _features(champion: ChampionRecord, graphs: Graphs | None) -> FeatureFacts:
    manifest, recorded = champion.manifest, champion.recorded
    scorer = _loaded(champion, graphs)
    answers = () if isinstance(recorded, Trouble) else recorded.predictions
    return FeatureFacts(
        manifest=manifest,
        parity=champion.evaluation.get("parity"),
        graph=scorer if isinstance(scorer, Trouble) else None,
        again=_again(champion, scorer, answers),
        largest=float(np.abs(np.array(answers)).max(initial=0.0)),
        precision=_precision(champion),
    )


def _loaded(champion: ChampionRecord, graphs: Graphs | None) -> Scorer | Trouble:
    if isinstance(champion.graph, Trouble):
        return champion.graph
    if graphs is None:
        return Trouble(NO_RUNTIME, ours=False)
    try:
        return graphs.load(champion.graph, champion.manifest)
    except ModelError as error:
        return Trouble(str(error), ours=True)


def _again(
    champion: ChampionRecord, scorer: Scorer | Trouble, answers: Sequence[Any]
) -> Change | Trouble:
    """What the graph answers to the recorded rows now, against what is on record."""
    rows = champion.rows
    if isinstance(rows, Trouble):
        return rows
    if isinstance(scorer, Trouble):
        return scorer
    try:
        now = scorer.predict(columns_of(champion.manifest.inputs, rows)).tolist()
    except ModelError as error:
        return Trouble(str(error), ours=True)
    return Change.between(answers, now)


def _precision(champion: ChampionRecord) -> str | Trouble:
    rows = champion.rows
    if isinstance(rows, Trouble):
        return rows
    inputs = champion.manifest.inputs
    try:
        check_precision(inputs, columns_of(inputs, rows))
    except NotTrainable as error:
        return str(error)
    return ""


def _quality(champion: ChampionRecord) -> QualityFacts:
    version = champion.manifest.version
    scores = [
        entry.score
        for entry in entries(champion.data, champion.head.pipeline)
        if entry.version == version
    ]
    return QualityFacts(
        version=version,
        status=champion.head.statuses[version],
        evaluation=champion.evaluation,
        metric=champion.definition.metric,
        progressive=sum(scores, Score()),
        files=len(scores),
        gate=try_gate(champion.definition, BEFORE_TRUST),
    )


def _served(
    champion: ChampionRecord, clock: Clock, serving: Callable[[], Serving]
) -> Served | Trouble:
    """What is served, asked again where that is an earlier champion: look-ups take their time."""
    version = champion.manifest.version
    try:
        found = serving().served()
        if found.version != version:
            clock.sleep(LOOK_UP_SECONDS)
            found = serving().served()
    except PerennialError as error:
        return _trouble(error)
    if found.version != version:
        latest = champion.registry.require(champion.head.pipeline).champion
        if latest != version:
            return Trouble(f"{latest} became the champion meanwhile: check again", ours=False)
    return found


def _smoke(champion: ChampionRecord, graphs: Graphs | None) -> str | Trouble:
    if isinstance(champion.graph, Trouble):
        return champion.graph
    if graphs is None:
        return Trouble(NO_RUNTIME, ours=False)
    asked = champion.requests
    if isinstance(asked, Trouble):
        return asked
    instances, expected = asked
    try:
        graphs.smoke(champion.graph, champion.manifest, instances, np.array(expected))
    except ModelError as error:
        return Trouble(str(error), ours=True)
    rows = counted(len(instances), "recorded row")
    return f"a fresh process loads the graph as the function does and answers {rows}"


def _asked(
    champion: ChampionRecord, serving: Callable[[], Serving]
) -> tuple[Sequence[Any] | Trouble, Answered | Trouble]:
    """What must be answered over HTTP, and what is."""
    asked = champion.requests
    if isinstance(asked, Trouble):
        return asked, asked
    instances, expected = asked
    try:
        return expected, serving().answered(instances)
    except PerennialError as error:
        return expected, _trouble(error)


def _trouble(error: PerennialError) -> Trouble:
    """Where the address or the right to call is lacking, nothing is known of what serves."""
    return Trouble(str(error), ours=not isinstance(error, ConfigError))
