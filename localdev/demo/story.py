"""The main job on the flower shop, step by step. Yields what happened; prints nothing.

Everything happens through public commands and URLs, so the story can only be told if files are
really delivered, judged, learned from and served.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from localdev.demo import shop
from localdev.demo.comparison import instance, months
from localdev.demo.crowds import Visit
from localdev.demo.drops import drop
from localdev.demo.events import (
    Chapter,
    Closed,
    Command,
    Curled,
    Diagnosed,
    Event,
    Finding,
    Opened,
    Scored,
    Served,
    Trained,
    Week,
)
from localdev.demo.tools import PIPELINE, StepFailed, Tools

DEFINITION = Path(__file__).with_name("shop.yaml")
STATIC = "v000001"
"""The version that learned July and August and nothing else."""
AUTUMN = date(2025, 9, 1)
FILES_A_RUN = 4
"""The trigger in shop.yaml; the story drops as many files at a time."""
SERVED_WITHIN_SECONDS = 10.0
VALENTINE = Visit(
    visit_id="",
    visited_at="2026-02-13T19:20:00Z",
    channel="messenger",
    bouquet="roses",
    basket_eur=79.0,
    pages=14,
    returning=False,
    gift_card=True,
    days_to_holiday=1,
    bought=True,
)
"""A first visit on the eve: roses, a full basket, many pages, and a card."""


class Story:
    """One telling.

    Args:
        tools: run commands and ask the predict function.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._champion = ""
        self._weeks: dict[str, date] = {}
        self._scored: dict[date, Scored] = {}

    def tell(self, *, stay: bool = False) -> Iterator[Event]:
        """The whole story.

        Args:
            stay: leave the local cloud running at the end.

        Raises:
            StepFailed: with one clear line; the local cloud may still be up.
        """
        started = time.monotonic()
        yield from self._open()
        yield from self._summer()
        yield from self._autumn_and_winter()
        yield from self._compare()
        yield from self._roll_back_and_return()
        yield from self._predict_by_curl()
        if not stay:
            yield Command("perennial down")
            self.close()
        yield Closed(time.monotonic() - started, stays=stay)

    def close(self) -> None:
        """Take the local cloud down."""
        self._tools.perennial("down", "--dir", str(self._tools.directory))

    def _open(self) -> Iterator[Event]:
        yield Chapter("A cloud on this machine, and a pipeline in it")
        yield Command("perennial up --detach")
        # Without the scheduler's sweep, which would stand in for events that are never delivered.
        folder = str(self._tools.directory)
        self._tools.perennial("up", "--dir", folder, "--detach", "--tick", "86400")
        yield Opened(str(self._tools.directory), self._tools.endpoints())
        yield Command("perennial apply shop.yaml")
        self._tools.perennial("apply", str(DEFINITION))

    def _summer(self) -> Iterator[Event]:
        yield Chapter("July and August", "nine weeks at once, and one model that has learned them")
        summer = [shop.uploads(week)[0] for week in shop.weeks() if week < AUTUMN]
        yield from self._drop(summer, "--backfill")
        if self._champion != STATIC:
            raise StepFailed(
                f"{STATIC} should serve after the summer, not {self._champion}; was a story told "
                f"in {self._tools.directory} before? choose another --dir"
            )

    def _autumn_and_winter(self) -> Iterator[Event]:
        yield Chapter(
            "September to February",
            "a file a week, a training after every fourth; what is bad is sent again",
        )
        weeks = [shop.uploads(week) for week in shop.weeks() if week >= AUTUMN]
        for start in range(0, len(weeks), FILES_A_RUN):
            batch = weeks[start : start + FILES_A_RUN]
            yield from self._drop([first for first, *_ in batch])
            for second in [second for _, *rest in batch for second in rest]:
                yield from self._drop([second], again=True)
        yield Command("perennial retrain shop")
        yield self._trained(self._tools.perennial("retrain", PIPELINE))

    def _drop(
        self, uploads: Sequence[shop.Upload], *options: str, again: bool = False
    ) -> Iterator[Event]:
        """Drop files; tell their verdicts, diagnoses, and the training that they led to."""
        names = dict.fromkeys((uploads[0].name, uploads[-1].name))
        yield Command(" ".join(["perennial drop shop", " … ".join(names), *options, "--wait"]))
        dropped = drop(self._tools, uploads, *options)
        for upload, file in zip(uploads, dropped["files"], strict=True):
            self._weeks[file["name"]] = upload.week
            visits = len(shop.visits(upload.week))
            yield Week(upload.week, file["name"], visits, file["verdict"], upload.mishap, again)
        for file in dropped["files"]:
            if file["verdict"] == "quarantined":
                yield from self._diagnose(file["name"])
        for run in dropped["runs"]:
            yield self._trained(run)

    def _diagnose(self, name: str) -> Iterator[Event]:
        yield Command(f"perennial quarantine show shop {name}")
        report = self._tools.perennial("quarantine", "show", PIPELINE, name)
        findings = (Finding(found["rule"], found["message"]) for found in report["findings"])
        yield Diagnosed(name, tuple(findings))

    def _trained(self, run: dict[str, Any]) -> Trained:
        if run["outcome"] == "failed":
            raise StepFailed(f"training run {run['run']} failed: {run['reason']}")
        status = self._tools.perennial("status", PIPELINE)
        self._champion = status["champion"]
        scored = [
            Scored(
                self._weeks[file["name"]],
                file["version"],
                file["rows"],
                file["metrics"]["log_loss"],
            )
            for file in status["progressive"]["files"]
            if self._weeks[file["name"]] not in self._scored
        ]
        self._scored |= {score.week: score for score in scored}
        return Trained(
            run=run["run"],
            outcome=run["outcome"],
            reason=run["reason"],
            version=run["version"],
            champion=self._champion,
            scored=tuple(scored),
        )

    def _compare(self) -> Iterator[Event]:
        yield Chapter(
            "What retraining was worth",
            f"{STATIC} never learned again: ask it over HTTP about every week that followed",
        )
        yield Command(f"POST {self._tools.predict_url(STATIC)}")
        yield from months(self._tools, STATIC, self._scored)

    def _roll_back_and_return(self) -> Iterator[Event]:
        newest = self._champion
        yield Chapter("There and back", f"somebody distrusts {newest}")
        yield self._served(newest)
        for version, why in ((STATIC, "the old one was fine"), (newest, "in summer, it was")):
            yield Command(f"perennial rollback shop --to {version} --why '{why}'")
            self._tools.perennial("rollback", PIPELINE, "--to", version, "--why", why)
            yield self._served(version, moved=time.monotonic())
        yield Command("perennial unpin shop")
        self._tools.perennial("unpin", PIPELINE)

    def _served(self, version: str, *, moved: float | None = None) -> Served:
        """Ask about one visitor until the answer comes from `version`."""
        started = time.monotonic()
        while (answer := self._tools.predict([instance(VALENTINE)])).version != version:
            if time.monotonic() - started > SERVED_WITHIN_SECONDS:
                raise StepFailed(
                    f"predict answers with {answer.version} {SERVED_WITHIN_SECONDS:g} s after "
                    f"{version} became champion; see {self._tools.log('predict')}"
                )
            time.sleep(0.1)
        waited = None if moved is None else time.monotonic() - moved
        return Served(version, answer.bought[0], waited)

    def _predict_by_curl(self) -> Iterator[Event]:
        yield Chapter("A prediction by curl", "the same visitor, and the answer as it comes")
        line, answer = self._tools.curl([instance(VALENTINE)])
        yield Command(line)
        yield Curled(line, answer)
