"""The pages: each gathers what it shows, and names the template that shows it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from perennial.domain import names
from perennial.domain.charts.figure import Chart
from perennial.domain.charts.pipeline import drift_by_feature, run_durations, score_over_time
from perennial.domain.charts.replays import ageing, policies, static_against_retrained
from perennial.domain.charts.sparkline import sparkline
from perennial.domain.verdict import STATES, lying_there
from perennial.errors import NotFoundError, PerennialError, StoreUnavailable
from perennial.wiring.console import Console
from perennial.workflows.at_once import at_once
from perennial.workflows.console import files as listed
from perennial.workflows.console.history import history
from perennial.workflows.console.pipeline import Glance
from perennial.workflows.console.trying import instance_of
from perennial.workflows.replays import latest_replay
from perennial.workflows.retrain import Begun, look, unfinished
from perennial.workflows.verdicts import verdict_in_force

log = logging.getLogger("perennial.console")

SPARKS = 40
LATEST = 8
EXCERPT_BYTES = 16 << 20
"""Of larger files a page shows no rows: several people may look at once, in one small instance."""
_RUNS = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for.

    Attributes:
        console: the parts.
        query: parameters, the first of each name.
    """

    console: Console
    query: Mapping[str, str]

    @property
    def page(self) -> int:
        """The page that is wanted, from 1."""
        given = self.query.get("page", "1")
        return int(given) if given.isdecimal() and len(given) < 8 else 1


Shown = tuple[str, dict[str, Any]]
"""A template, and what it shows."""

Page = Callable[..., Shown]


def overview(asked: Asked) -> Shown:
    """All pipelines."""
    console = asked.console
    names_of_all = console.registry.pipelines()
    found = at_once(lambda name: _glance_or_why(asked, name), names_of_all)
    glances = [one for one in found if isinstance(one, Glance)]
    broken = {
        name: why for name, why in zip(names_of_all, found, strict=True) if isinstance(why, str)
    }
    order = ("bad", "attention", "waiting", "good")
    glances.sort(key=lambda glance: (order.index(glance.health), glance.name))
    unknown = console.hospital(names.UNKNOWN_PIPELINE).list()
    sparks = {glance.name: _spark(glance) for glance in glances}
    return "overview.html", {
        "glances": glances,
        "sparks": sparks,
        "unknown": len(unknown),
        "broken": broken,
    }


def _glance_or_why(asked: Asked, name: str) -> Glance | str:
    """A pipeline; or why it cannot be shown, which must not hide the others.

    Raises:
        StoreUnavailable: when the store does not answer, which is not about one pipeline.
    """
    try:
        return asked.console.gatherer.glance(name)
    except StoreUnavailable:
        raise
    except PerennialError as error:
        log.exception("%s cannot be shown", name)
        return str(error)


def pipeline(asked: Asked, name: str) -> Shown:
    """One pipeline."""
    glance = asked.console.gatherer.glance(name)
    predict = asked.console.predict
    kept = latest_replay(asked.console.buckets.data, name)
    return "pipeline.html", {
        "replay": kept.document if kept else None,
        "against_static": static_against_retrained(kept.document) if kept else None,
        "glance": glance,
        "score": score_over_time(glance.definition.metric, glance.points),
        "drift": _drift(glance),
        "files": glance.snapshot.files[: -LATEST - 1 : -1],
        "runs": glance.snapshot.runs[: -LATEST - 1 : -1],
        "address": predict.address(name) if predict else "",
        "tried": None,
        "typed": {},
    }


def versions(asked: Asked, name: str) -> Shown:
    """All versions of a pipeline."""
    known = asked.console.gatherer.versions(name)
    page = known.page(asked.page)
    return "versions.html", {"head": known.head, "page": page, "metric": known.metric}


def version(asked: Asked, name: str, version: str) -> Shown:
    """One version."""
    known = asked.console.gatherer.versions(name)
    (row,) = known.rows([version])
    lineage = known.records.lineage(known.head, version)
    return "version.html", {
        "head": known.head,
        "row": row,
        "metric": known.metric,
        "standing": known.head.standing(version),
        "card": known.records.card(known.head, version),
        "evaluation": json.dumps(row.evaluation, indent=2),
        "lineage": listed.page_of(lineage.files[::-1], asked.page),
        "duel": row.evaluation["duel"],
    }


def compare(asked: Asked, name: str) -> Shown:
    """Two versions side by side."""
    known = asked.console.gatherer.versions(name)
    names_of_all = known.newest_first
    if len(names_of_all) < 2:
        raise NotFoundError(f"{name} has {len(names_of_all)} version: it takes two to compare")
    chosen = asked.query.get("a") or known.head.champion or names_of_all[0]
    other = asked.query.get("b") or next(one for one in names_of_all if one != chosen)
    rows = known.rows([chosen, other])
    met = known.meetings(chosen, other)
    return "compare.html", {
        "head": known.head,
        "rows": rows,
        "metric": known.metric,
        "known": names_of_all,
        "met": met[::-1][: listed.PAGE],
        "met_all": len(met),
    }


def files(asked: Asked, name: str) -> Shown:
    """The files of a pipeline."""
    console = asked.console
    head = console.registry.require(name)
    words, state = asked.query.get("q", "")[:200], asked.query.get("state", "")[:20]
    found = listed.narrowed(console.snapshots.of(name).files, words, state)
    page = listed.page_of(found, asked.page)
    return "files.html", {"head": head, "page": page, "words": words, "state": state}


def file(asked: Asked, name: str, stem: str) -> Shown:
    """One file: its verdict, or its diagnosis."""
    console = asked.console
    hospital = console.hospital(name)
    summary = listed.find_file(console.buckets.data, name, stem)
    verdict = verdict_in_force(console.buckets.data, name, summary.file)
    held = summary.state in STATES
    return "file.html", {
        "name": name,
        "summary": summary,
        "verdict": verdict,
        "held": held,
        "belongs": name != names.UNKNOWN_PIPELINE,
        "too_large": held and verdict is not None and verdict.size > EXCERPT_BYTES,
        "excerpts": hospital.excerpts(summary.file, EXCERPT_BYTES) if held else [],
    }


def quarantine(asked: Asked, name: str) -> Shown:
    """The files that are held back."""
    console = asked.console
    hospital = console.hospital(name)
    unknown = name == names.UNKNOWN_PIPELINE
    held = hospital.list() if unknown else lying_there(console.snapshots.of(name).files)
    return "quarantine.html", {"name": name, "page": listed.page_of(held[::-1], asked.page)}


def findings(asked: Asked, name: str) -> Shown:
    """What the monitor found."""
    glance = asked.console.gatherer.glance(name)
    return "findings.html", {"glance": glance, "drift": _drift(glance)}


def replayed(asked: Asked, name: str) -> Shown:
    """A replay that was kept: would a static model have sufficed?"""
    head = asked.console.registry.require(name)
    kept = latest_replay(asked.console.buckets.data, name)
    charts = {
        title: draw(kept.document) for title, draw in _OF_REPLAYS.items()
    } if kept else {}  # fmt: skip
    return "replay.html", {"head": head, "kept": kept, "charts": charts}


_OF_REPLAYS = {
    "File by file": static_against_retrained,
    "Every policy": policies,
    "How a model ages": ageing,
}


def runs(asked: Asked, name: str) -> Shown:
    """Training runs."""
    head = asked.console.registry.require(name)
    found = asked.console.snapshots.of(name).runs
    return "runs.html", {
        "head": head,
        "page": listed.page_of(found[::-1], asked.page, _RUNS),
        "chart": run_durations(found) if found else None,
    }


def run(asked: Asked, name: str, execution: str) -> Shown:
    """A run that was asked for, watched until its end."""
    return "run.html", {"name": name, "execution": execution, **_sight(asked, name, execution)}


def run_state(asked: Asked, name: str, execution: str) -> Shown:
    """The part of that page which changes."""
    return "run_state.html", {"name": name, **_sight(asked, name, execution)}


def commits(asked: Asked, name: str) -> Shown:
    """What was done, by whom, and why."""
    head = asked.console.registry.require(name)
    number, _, commit = asked.query.get("before", "").partition("-")
    before = (int(number), commit) if number.isdecimal() and len(number) < 12 and commit else None
    found = history(asked.console.buckets.models, head, before)
    return "history.html", {"head": head, "commits": found}


def _sight(asked: Asked, name: str, execution: str) -> dict[str, Any]:
    console = asked.console
    console.registry.require(name)
    begun = Begun(name, execution, asked.query.get("since", ""))
    sight = look(console.buckets.data, console.registry, console.launcher, begun)
    lost = unfinished(begun, sight) if sight.ended and sight.record is None else ""
    if sight.ended:
        console.snapshots.forget(name)
    return {"sight": sight, "lost": lost, "since": begun.since}


def _spark(glance: Glance) -> str:
    values = [one.value for one in glance.points if one.value is not None][-SPARKS:]
    return sparkline(f"{glance.definition.metric} on the last {len(values)} files", values)


def _drift(glance: Glance) -> Chart | None:
    features = glance.watch.features if glance.watch else ()
    return drift_by_feature(features) if features else None


def tried(asked: Asked, name: str, form: Mapping[str, str]) -> Shown:
    """One pipeline, with the answer to what was typed into its form."""
    console = asked.console
    template, shown = pipeline(asked, name)
    champion = shown["glance"].champion
    if champion is None or console.predict is None:
        raise NotFoundError(f"nothing serves for {name} yet")
    typed = {one.name: form.get(f"x-{one.name}", "")[:10_000] for one in champion.inputs}
    instance = instance_of(champion.inputs, typed)
    try:
        status, answer = console.predict.ask(name, instance)
    except PerennialError as error:
        status, answer = 0, {"detail": str(error)}
    body = json.dumps({"instances": [instance]}, ensure_ascii=False)
    shown |= {"typed": typed, "tried": {"status": status, "answer": answer, "body": body}}
    return template, shown
