"""What changes by time alone: sources that fall silent, runs that hang, champions that grow old."""

from __future__ import annotations

from perennial.domain.monitoring.age import champion_old
from perennial.domain.monitoring.arrivals import source_down, sources
from perennial.domain.monitoring.jobs import AtWork, describe, job_symptoms
from perennial.domain.monitoring.reliability import describe as describe_source
from perennial.domain.monitoring.reliability import source_unreliable
from perennial.ports import JobLauncher
from perennial.workflows.monitoring.seen import Scene, Seen
from perennial.workflows.relaunching import died_at_work
from perennial.workflows.runs import started_of


def look_at_sources(scene: Scene) -> Seen:
    """Where files come from, how regularly, and how good they are."""
    settings = scene.definition.monitoring
    grouped = sources(scene.pipeline, scene.files)
    found = tuple(describe_source(prefix, files, settings) for prefix, files in grouped.items())
    symptoms = [
        *source_down(scene.pipeline, found, scene.now),
        *source_unreliable(scene.pipeline, found, settings),
    ]
    return Seen(symptoms, figures={"sources": found})


def look_at_jobs(scene: Scene, launcher: JobLauncher) -> Seen:
    """How the last runs went, and how the one at work does."""
    at_work = _at_work(scene, launcher)
    symptoms = list(job_symptoms(scene.pipeline, scene.runs, at_work, scene.definition.monitoring))
    return Seen(symptoms, figures={"jobs": describe(scene.runs, at_work)})


def look_at_champion(scene: Scene) -> Seen:
    """How old what serves is."""
    if scene.champion is None:
        return Seen(figures={"champion": ""})
    days = scene.definition.monitoring.champion_days
    return Seen(
        list(champion_old(scene.champion, days, scene.now)),
        figures={"champion": scene.champion.version},
    )


def _at_work(scene: Scene, launcher: JobLauncher) -> AtWork | None:
    claim = scene.head.claim
    if claim is None:
        return None
    began = started_of(claim.run)
    # Whoever else claims has no start; the deadline tells.
    seconds = (scene.now - began).total_seconds() if began else 0.0
    recorded = any(run["run"] == claim.run for run in scene.runs)
    ended = bool(claim.execution) and not recorded and launcher.has_ended(claim.execution)
    overdue = scene.now >= claim.deadline
    next_start = died_at_work(scene.head).next_start if ended else None
    return AtWork(
        claim.run, claim.execution, seconds, ended, overdue, claim.deaths, next_start
    )  # fmt: skip
