"""Troubles on a running cloud: each is found by a tick, told once, shown, and over when mended.

Files are dropped, predictions asked for over HTTP, jobs are processes; only limits of what takes
hours by nature, silence and hanging, are declared in seconds.
"""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from localdev.processes import MARK

from .conftest import PERENNIAL, LocalCloud

DEFINITION = """
name: shop
task: binary
columns:
  id: {type: category, role: key}
  at: {type: timestamp, role: event_time}
  amount: {type: number}
  channel: {type: category}
  bought: {type: integer, role: label, classes: [0, 1]}
training: {model: hist_gradient_boosting, seed: 0}
serving:
  log: {features: 1.0, keys: true}
monitoring:
  ignore: [job_slow]  # machines that run tests are
  holdout: 0.3
"""
PATIENCE = 120.0
START = datetime(2026, 1, 5, tzinfo=UTC)
SECONDS = 1 / 3600
"""Of an hour."""


def visits(day: int, count: int = 300) -> list[dict[str, Any]]:
    """A day of a stationary shop: who spends more, buys more often, and much is left to chance."""
    chance = random.Random(day)
    rows = []
    for number in range(count):
        amount = chance.gammavariate(2, 10)
        rows.append(
            {
                "id": f"{day}-{number}",
                "at": (START + timedelta(days=day, minutes=number)).isoformat(),
                "amount": round(amount, 2),
                "channel": chance.choice(["mail", "shop", "web"]),
                "bought": int(amount + chance.gauss(0, 12) > 17),
            }
        )
    return rows


@dataclass
class Shop:
    """The pipeline on its cloud, and what its monitor told."""

    cloud: LocalCloud
    folder: Path
    session: requests.Session = field(default_factory=requests.Session)
    asked: int = 0

    def apply(self, monitoring: str = "") -> None:
        path = self.folder / "shop.yaml"
        path.write_text(DEFINITION + monitoring)
        self.cloud.run("apply", str(path))

    def drop(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Until it is judged, and the run is over that it causes."""
        dropped = self.cloud.json("drop", "shop", str(self.write(name, rows)), "--wait")
        assert [file["verdict"] for file in dropped["files"]] == ["accepted"]

    def write(self, name: str, rows: list[dict[str, Any]]) -> Path:
        path = self.folder / name
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        return path

    def ask(self, rows: list[dict[str, Any]], scale: float = 1.0) -> dict[str, Any]:
        """What predict says of rows, whose amounts the caller has in another unit."""
        instances = [{**row, "amount": row["amount"] * scale} for row in rows]
        for one in instances:
            del one["bought"]
        answer = self.session.post(
            f"{self.cloud.endpoints['predict']}/v1/models/shop:predict",
            json={"instances": instances},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        self.asked += 1
        return answer.json()

    def wait_for_the_log(self) -> None:
        """Until a line of every request lies in the bucket of prediction logs."""
        bucket = f"{self.cloud.endpoints['storage']}/storage/v1/b/perennial-predictions/o"

        def lines() -> int:
            names = [one["name"] for one in self._json(bucket).get("items", [])]
            places = [f"{bucket}/{requests.utils.quote(name, safe='')}?alt=media" for name in names]
            texts = [self.session.get(place, timeout=30).text for place in places]
            return sum(len(text.splitlines()) for text in texts)

        eventually(lambda: lines() >= self.asked, "not all requests are in the log")

    def is_idle(self) -> bool:
        """Whether no run is at work, and none is due."""
        status = self.cloud.json("status", "shop")
        return status["run"] is None and not any("is due" in one for one in status["waiting"])

    def told(self) -> list[tuple[str, str, str]]:
        """Change, kind and subject of each line that the monitor logged of a finding."""
        log = self.cloud.folder / "logs" / "monitor.log"
        lines = [json.loads(line) for line in log.read_text().splitlines() if line[:1] == "{"]
        found = [line for line in lines if line.get("logger") == "perennial.monitor.findings"]
        return [(line["change"], line["finding"], line["subject"]) for line in found]

    def tick_until_told(self, change: str, kind: str, subject: str = "") -> None:
        eventually(lambda: (change, kind, subject) in self.tick(), f"{kind} is not {change}")

    def tick(self) -> list[tuple[str, str, str]]:
        """Call the monitor as the scheduler does; all that was told since the beginning.

        Not left to the scheduler: at short intervals it would start a run at each tick until the
        first of them has begun.
        """
        url = self.cloud.endpoints["monitor"]
        answer = self.session.post(url, json={}, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        return self.told()

    def shown(self, kind: str, subject: str = "") -> dict[str, Any]:
        """A finding that is open, by the command line; the console's page has it, too."""
        found = self.cloud.json("monitor", "shop")["findings"]
        [one] = [one for one in found if (one["kind"], one["subject"]) == (kind, subject)]
        page = self._page().partition('id="closed"')[0]
        assert f"<b>{kind.replace('_', ' ')}</b>" in page
        assert subject in page
        assert one["advice"]
        return one

    def shown_as_over(self, kind: str) -> None:
        watch = self.cloud.json("monitor", "shop")
        assert kind not in [one["kind"] for one in watch["findings"]]
        assert kind in [one["kind"] for one in watch["closed"]]
        before, _, closed = self._page().partition('id="closed"')
        assert f"<b>{kind.replace('_', ' ')}</b>" in closed
        assert f"<b>{kind.replace('_', ' ')}</b>" not in before

    def _page(self) -> str:
        page = self.session.get(f"{self.cloud.endpoints['console']}/p/shop/findings", timeout=30)
        assert page.status_code == 200
        return page.text

    def claim(self) -> dict[str, Any] | None:
        """What the registry's head says of the run at work."""
        head = f"{self.cloud.endpoints['storage']}/storage/v1/b/perennial-models/o/"
        return self._json(f"{head}shop%2Fregistry%2Fhead.json?alt=media")["claim"]

    def _json(self, url: str) -> Any:
        answer = self.session.get(url, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @contextmanager
    def stopped_run(self) -> Iterator[str]:
        """A training run whose process stands still while it holds the pipeline; its id."""
        for _ in range(10):
            retrain = subprocess.Popen(
                [PERENNIAL, "retrain", "shop"],
                env={**os.environ, "PERENNIAL_LOCAL": str(self.cloud.folder)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            claim = eventually(
                lambda retrain=retrain: self.claim() or retrain.poll() is not None, "no claim"
            )
            process = self._process_of(claim["execution"]) if isinstance(claim, dict) else None
            if process is not None:
                os.killpg(process, signal.SIGSTOP)
                try:
                    if self.claim() == claim:
                        yield claim["run"]
                        return
                finally:
                    os.killpg(process, signal.SIGCONT)
                    assert retrain.wait(PATIENCE) == 0
            retrain.wait(PATIENCE)  # it was over before it could be stopped
        raise AssertionError("no run could be stopped at work")

    def _process_of(self, execution: str) -> int | None:
        mine = {"CLOUD_RUN_EXECUTION": execution.rsplit("/", 1)[-1], MARK: str(self.cloud.folder)}
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if mine.items() <= process.environ().items():
                    return os.getpgid(process.pid)
        return None


def eventually(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
    return found


@pytest.fixture
def shop(new_cloud: LocalCloud, tmp_path: Path) -> Shop:
    """Two days learned."""
    new_cloud.up("--tick", "86400")
    shop = Shop(new_cloud, tmp_path)
    shop.apply()
    for day in (1, 2):
        shop.drop(f"day{day}.csv", visits(day))
    return shop


def test_troubles_of_a_running_cloud_are_found_told_once_shown_and_over_when_mended(
    shop: Shop,
) -> None:
    assert shop.tick() == []
    a_caller_sends_cents(shop)
    labels_are_the_models_own(shop)
    a_job_hangs(shop)
    a_source_stops(shop)
    expected = [("serving_skew", "amount"), ("feedback_loop", ""), ("job_hung", "")]
    told = [(change, (kind, subject)) for change, kind, subject in shop.told()]
    of_the_source = [one for one in told if one[1] == ("source_down", "")]
    assert of_the_source[:2] == [("opened", ("source_down", "")), ("closed", ("source_down", ""))]
    assert [one for one in told if one not in of_the_source] == [
        (change, one) for one in expected for change in ("opened", "closed")
    ]


def a_caller_sends_cents(shop: Shop) -> None:
    shop.ask(visits(100, 60), scale=100)
    shop.tick_until_told("opened", "serving_skew", "amount")
    evidence = shop.shown("serving_skew", "amount")["evidence"]
    assert evidence["quartiles_requests"][1] > 10 * evidence["quartiles_learned"][1]
    for day in range(101, 107):  # mended, and by far the most of the day's requests
        shop.ask(visits(day, 100))
    shop.tick_until_told("closed", "serving_skew", "amount")
    shop.shown_as_over("serving_skew")


def labels_are_the_models_own(shop: Shop) -> None:
    """Nature labels the rows of requests that were held out, and the model all others."""
    rows = visits(3, 400)
    for row in rows:
        answer = shop.ask([row])
        if not answer.get("holdout"):
            row["bought"] = answer["predictions"][0]["label"]
    shop.wait_for_the_log()  # which is read once a file
    shop.drop("echo.csv", rows)
    shop.tick_until_told("opened", "feedback_loop")
    evidence = shop.shown("feedback_loop")["evidence"]
    assert evidence["exposed_correlation"] > evidence["holdout_correlation"] + 0.1
    shop.cloud.run("recall", "shop", "echo.csv", "--why", "its labels are our own answers")
    shop.tick_until_told("closed", "feedback_loop")
    shop.shown_as_over("feedback_loop")


def a_job_hangs(shop: Shop) -> None:
    eventually(shop.is_idle, "the run after the recall does not end")
    shop.apply(f"  hung_minutes: {5 / 60}\n")
    with shop.stopped_run() as run:
        shop.tick_until_told("opened", "job_hung")
        evidence = shop.shown("job_hung")["evidence"]
        assert (evidence["run"], evidence["limit_seconds"]) == (run, 5)
    shop.tick_until_told("closed", "job_hung")
    shop.shown_as_over("job_hung")


def a_source_stops(shop: Shop) -> None:
    shop.apply(f"  rhythm_hours: {15 * SECONDS}\n")
    shop.tick_until_told("opened", "source_down")
    evidence = shop.shown("source_down")["evidence"]
    # In whole seconds: a quick machine ticks within the very second that follows the limit.
    assert evidence["quiet_seconds"] >= evidence["limit_seconds"] == 30
    for day in range(4, 14):  # on a slow machine a tick may come too late to see it alive
        shop.cloud.run("drop", "shop", str(shop.write(f"day{day}.csv", visits(day))))
        if ("closed", "source_down", "") in shop.tick():
            break
    assert ("closed", "source_down", "") in shop.told()
    shop.apply()  # half a minute is no silence any more, so that it stays closed
    shop.tick()
    shop.shown_as_over("source_down")
