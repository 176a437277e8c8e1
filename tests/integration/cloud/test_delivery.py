"""Events reach the function at least once, whatever happens, and as badly as was asked for."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from localdev.delivery.dial import Dial
from localdev.storage.database import connect

QUICK = ("--retry-first=0.05", "--retry-longest=0.1")


@dataclass
class Received:
    headers: dict[str, str]
    data: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.data["name"])


class Target:
    """A function: answers with a status that a test decides, and remembers what it got."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[Received], int] = lambda _: 200
        self.finished: list[str] = []
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                names = {name.lower(): value for name, value in self.headers.items()}
                received = Received(names, json.loads(body))
                target.received.append(received)
                status = target.answer(received)
                target.finished.append(received.name)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def arrived(self) -> Counter[str]:
        return Counter(received.name for received in self.received)

    def count(self, name: str) -> int:
        return self.arrived()[name]


@pytest.fixture
def target() -> Iterator[Target]:
    target = Target()
    yield target
    target.server.shutdown()
    target.server.server_close()


class Outbox:
    """The emulator's side: commits events."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "storage.sqlite3"
        self.dead_letters = folder / "dead-letter.jsonl"
        self._database = connect(self.path)
        self._count = 0

    def add(self, *names: str) -> None:
        for name in names:
            self._count += 1
            data = {"bucket": "landing", "name": name, "generation": str(self._count)}
            self._database.execute(
                "INSERT INTO events (event_id, type, bucket, name, generation, time, data)"
                " VALUES (?, 'google.cloud.storage.object.v1.finalized', 'landing', ?, ?, ?, ?)",
                (
                    f"id-{self._count}",
                    name,
                    self._count,
                    "2026-01-02T03:04:05.678Z",
                    json.dumps(data, ensure_ascii=False),
                ),
            )

    def states(self) -> dict[str, str]:
        return dict(self._database.execute("SELECT name, state FROM events").fetchall())

    def all_are(self, state: str) -> bool:
        return set(self.states().values()) == {state}


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path)


class Delivery:
    def __init__(self, outbox: Outbox, target: Target, port: int, arguments: tuple[str, ...]):
        self.url = f"http://127.0.0.1:{port}/"
        command = [sys.executable, "-m", "localdev.delivery", f"--port={port}"]
        command += [f"--database={outbox.path}", f"--target={target.url}"]
        command += [f"--dead-letters={outbox.dead_letters}"]
        self.process = subprocess.Popen([*command, *arguments], stderr=subprocess.DEVNULL)

    def counts(self) -> dict[str, int]:
        try:
            return dict(httpx.get(self.url).json())
        except httpx.ConnectError:
            return {}

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def delivering(outbox: Outbox, target: Target, unused_port: int) -> Any:
    @contextmanager
    def run(*arguments: str) -> Iterator[Delivery]:
        delivery = Delivery(outbox, target, unused_port, arguments)
        try:
            yield delivery
        finally:
            delivery.kill()

    return run


def test_acknowledged_event_is_delivered_once(outbox, target, delivering, eventually):
    outbox.add("shop/a.csv")
    with delivering():
        eventually(lambda: outbox.all_are("delivered"))
        outbox.add("shop/b.csv")
        eventually(lambda: outbox.all_are("delivered"))
    assert [received.name for received in target.received] == ["shop/a.csv", "shop/b.csv"]


def test_event_has_the_attributes_that_eventarc_sends(outbox, target, delivering, eventually):
    outbox.add("shop/a.csv")
    with delivering():
        eventually(lambda: target.received)
    headers = target.received[0].headers
    assert {name: value for name, value in headers.items() if name.startswith("ce-")} == {
        "ce-id": "id-1",
        "ce-source": "//storage.googleapis.com/projects/_/buckets/landing",
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.storage.object.v1.finalized",
        "ce-time": "2026-01-02T03:04:05.678Z",
        "ce-subject": "objects/shop/a.csv",
        "ce-bucket": "landing",
    }
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("name", ["shop/blüten über.csv", "shop/花 100%.csv", 'a"b\n?#.csv', "🌷"])
def test_odd_name_is_whole_in_the_data_and_ascii_in_the_header(
    name, outbox, target, delivering, eventually
):
    outbox.add(name)
    with delivering():
        eventually(lambda: target.received)
    assert target.received[0].data["name"] == name
    subject = target.received[0].headers["ce-subject"]
    assert subject.isascii()
    assert unquote(subject) == f"objects/{name}"


@pytest.mark.parametrize("status", [500, 404, 301])
def test_event_is_sent_again_until_the_answer_is_2xx(
    status, outbox, target, delivering, eventually
):
    target.answer = lambda _: 204 if len(target.received) >= 3 else status
    outbox.add("shop/a.csv")
    with delivering(*QUICK):
        eventually(lambda: outbox.all_are("delivered"))
    assert target.count("shop/a.csv") == 3


def test_event_waits_while_no_server_listens(outbox, target, delivering, eventually):
    """A platform holds events back while it has no instance: these are no failed attempts."""
    target.server.shutdown()
    target.server.server_close()
    outbox.add("shop/a.csv")
    with delivering(*QUICK, "--attempts=2") as delivery:
        eventually(delivery.counts)
        time.sleep(0.6)
        assert outbox.all_are("pending")


def test_after_the_last_attempt_event_is_a_dead_letter(outbox, target, delivering, eventually):
    target.answer = lambda received: 503 if "bad" in received.name else 200
    outbox.add("shop/bad.csv", "shop/good.csv")
    with delivering(*QUICK, "--attempts=3") as delivery:
        eventually(
            lambda: outbox.states() == {"shop/bad.csv": "dead", "shop/good.csv": "delivered"}
        )
        assert delivery.counts() == {"pending": 0, "delivered": 1, "dead": 1, "in_flight": 0}
    assert target.count("shop/bad.csv") == 3
    [letter] = map(json.loads, outbox.dead_letters.read_text().splitlines())
    assert letter["data"]["name"] == "shop/bad.csv"
    assert letter["attempts"] == 3
    assert letter["reason"].startswith("503")


def test_event_past_its_ack_deadline_is_sent_again_while_the_handler_goes_on(
    outbox, target, delivering, eventually
):
    released = threading.Event()

    def slow_at_first(_: Received) -> int:
        if len(target.received) == 1:
            released.wait(10)
        return 200

    target.answer = slow_at_first
    outbox.add("shop/a.csv")
    with delivering(*QUICK, "--ack-deadline=0.2", "--senders=1"):
        eventually(lambda: outbox.all_are("delivered"))
        assert target.count("shop/a.csv") == 2
        assert target.finished == ["shop/a.csv"], "the first handler still runs"
        released.set()
        eventually(lambda: len(target.finished) == 2)


def test_as_many_deliveries_as_senders_run_at_once(outbox, target, delivering, eventually):
    everyone_is_here = threading.Barrier(4)

    def wait_for_the_others(_: Received) -> int:
        everyone_is_here.wait(10)
        return 200

    target.answer = wait_for_the_others
    outbox.add(*(f"shop/{number}.csv" for number in range(8)))
    with delivering("--senders=4"):
        eventually(lambda: outbox.all_are("delivered"))
    assert len(target.received) == 8


def test_duplicates_follow_the_seed(outbox, target, delivering, eventually):
    names = [f"shop/{number}.csv" for number in range(40)]
    expected = _deliveries(names, seed=7)
    outbox.add(*names)
    with delivering("--duplicates=0.3", "--seed=7", "--delay=0.1"):
        eventually(lambda: target.arrived() >= expected)
        eventually(lambda: outbox.all_are("delivered"))
    assert target.arrived() == expected
    assert set(expected.values()) >= {1, 2}
    assert expected != _deliveries(names, seed=8)


def _deliveries(names: list[str], seed: int) -> Counter[str]:
    """How often each event arrives, by the dial alone."""
    dial = Dial(duplicates=0.3, seed=seed, delay_seconds=0.1)
    return Counter({name: 1 + len(dial.repeats(row)) for row, name in enumerate(names, start=1)})


def test_lost_events_never_arrive_and_are_not_missed(outbox, target, delivering, eventually):
    names = [f"shop/{number}.csv" for number in range(40)]
    outbox.add(*names)
    with delivering("--loss=0.3", "--seed=7"):
        eventually(lambda: outbox.all_are("delivered"))
    arrived = [received.name for received in target.received]
    assert len(arrived) == len(set(arrived))
    assert 15 <= len(arrived) <= 37


def test_shuffled_events_all_arrive_in_another_order(outbox, target, delivering, eventually):
    names = [f"shop/{number}.csv" for number in range(30)]
    outbox.add(*names)
    with delivering("--shuffle=30", "--senders=1", "--seed=7"):
        eventually(lambda: outbox.all_are("delivered"))
    arrived = [received.name for received in target.received]
    assert sorted(arrived) == sorted(names)
    assert arrived != names


def test_killed_delivery_sends_again_what_was_not_acknowledged(
    outbox, target, delivering, eventually
):
    held = threading.Event()
    target.answer = lambda received: 200 if "quick" in received.name else (held.wait(10) and 200)
    outbox.add("shop/quick.csv", "shop/slow.csv")
    with delivering() as delivery:
        eventually(
            lambda: target.count("shop/slow.csv") == 1 and "shop/quick.csv" in target.finished
        )
        eventually(lambda: outbox.states()["shop/quick.csv"] == "delivered")
        delivery.kill()
    outbox.add("shop/quick-too.csv")
    with delivering():
        eventually(lambda: target.count("shop/slow.csv") == 2)
        held.set()
        eventually(lambda: outbox.all_are("delivered"))
    assert target.count("shop/quick.csv") == 1
    assert target.count("shop/quick-too.csv") == 1
