"""What a day's requests say: skew, prediction drift, failed look-ups."""

from __future__ import annotations

from datetime import timedelta

from perennial.domain.monitoring.answers import PREDICTION, folding, prediction_drift
from perennial.domain.monitoring.distances import JENSEN_SHANNON, KOLMOGOROV_SMIRNOV
from perennial.domain.monitoring.look_ups import look_ups_failing
from perennial.domain.monitoring.report import Answers, Distance, Feature, Traffic
from perennial.domain.monitoring.requests import Tally
from perennial.domain.monitoring.sampled import describe, describe_predictions
from perennial.domain.monitoring.skew import skew
from perennial.workflows.monitoring.logs import Logs
from perennial.workflows.monitoring.seen import Scene, Seen
from perennial.workflows.references import reference_of

WINDOW = timedelta(hours=24)


def look_at_requests(scene: Scene, logs: Logs) -> Seen | None:
    """What the log of the last day says; None where that was looked at before."""
    champion = scene.champion
    mark = f"{champion.version if champion else ''} {scene.head.definition[:16]} {logs.mark}"
    if mark == scene.mark("requests"):
        return None
    tally = logs.tallies.get(scene.pipeline, Tally())
    settings = scene.definition.monitoring
    symptoms = list(look_ups_failing(scene.pipeline, tally, settings.failed_look_ups, scene.now))
    if champion is None:
        return Seen(symptoms, mark, {"traffic": _traffic(tally, logs, {})})
    columns = scene.definition.columns
    logged = {
        name: describe(values, columns[name])
        for name, values in tally.features.items()
        if name in columns
    }
    learned = reference_of(scene.data, scene.pipeline, champion.run)
    news = f"{tally.through:%Y-%m-%dT%H}" if tally.through else ""
    skews, skewed = skew(scene.definition, learned, logged, len(tally.distinct), news)
    answers = scene.before.answers if scene.before else Answers()
    predicted = describe_predictions(tally.predictions, champion)
    moved, drifted = prediction_drift(
        scene.pipeline, answers, predicted, settings.prediction_drift, news
    )
    symptoms += skewed
    if drifted is not None and not any(one.strength >= 1 for one in skewed):
        symptoms.append(drifted)  # else what is asked explains what is answered
    figures = {
        "traffic": _traffic(tally, logs, predicted),
        "skews": skews,
        "prediction": _prediction(predicted, moved),
        "answers": folding(answers, predicted, moved, scene.now),
    }
    return Seen(symptoms, mark, figures)


def _prediction(facts: dict[str, object], moved: Distance) -> Feature:
    measure = KOLMOGOROV_SMIRNOV if "quantiles" in facts else JENSEN_SHANNON
    return Feature(PREDICTION, "prediction", measure, drift=moved)


def _traffic(tally: Tally, logs: Logs, predicted: dict[str, object]) -> Traffic:
    return Traffic(
        tally.since,
        tally.through,
        tally.requests,
        tally.rows,
        dict(sorted(tally.versions.items())),
        sum(tally.failed.values()),
        logs.partial,
        predicted,
    )
