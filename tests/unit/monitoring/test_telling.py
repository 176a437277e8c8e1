"""Each change is told once to each channel, also where a tick dies or a channel is silent."""

from __future__ import annotations

import http.server
import json
import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from perennial.adapters.memory import MemoryStore
from perennial.adapters.webhook import HttpWebhook
from perennial.domain.monitoring.alert import document, sentence
from perennial.domain.monitoring.findings import Finding
from perennial.domain.monitoring.report import Change, Watch
from perennial.errors import ConfigError, NotDelivered
from perennial.workflows.monitoring.telling import CATCH_UP, tell
from perennial.workflows.monitoring.watches import add_watch, latest_watch

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOUND = Finding("jump", "amount", "warning", "it jumped", "look at it", NOW, NOW)


def looked(data, *, changed: bool = True) -> Watch:
    """A look that found something, as it is kept."""
    changes = (Change("opened", FOUND),) if changed else ()
    watch = add_watch(
        data, "shop", latest_watch(data, "shop"), lambda _: Watch("shop", 1, NOW, changes=changes)
    )
    assert watch is not None
    return watch


class Channel:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.silent = False

    def __call__(self, pipeline: str, change: Change) -> None:
        if self.silent:
            raise NotDelivered("nobody there")
        self.told.append((pipeline, change.what))


def test_a_change_is_told_once():
    data, channel = MemoryStore("data"), Channel()
    watch = looked(data)
    for _ in range(3):
        assert tell(data, "shop", watch, {"log": channel}) == {}
    assert channel.told == [("shop", "opened")]


def test_what_a_tick_that_died_did_not_tell_the_next_one_tells():
    data, channel = MemoryStore("data"), Channel()
    looked(data)  # and nobody was told
    quiet = looked(data, changed=False)
    tell(data, "shop", quiet, {"log": channel})
    assert channel.told == [("shop", "opened")]


def test_a_silent_channel_is_told_later_and_keeps_no_other_from_being_told():
    data, chat, log = MemoryStore("data"), Channel(), Channel()
    chat.silent = True
    watch = looked(data)
    for _ in range(2):
        failed = tell(data, "shop", watch, {"webhook": chat, "log": log})
        assert failed == {"webhook": "NotDelivered: nobody there"}
    assert (chat.told, log.told) == ([], [("shop", "opened")])
    chat.silent = False
    assert tell(data, "shop", watch, {"webhook": chat, "log": log}) == {}
    assert (chat.told, log.told) == ([("shop", "opened")], [("shop", "opened")])


def test_a_channel_that_was_silent_for_long_is_told_of_the_last_looks_only():
    data, channel = MemoryStore("data"), Channel()
    for _ in range(CATCH_UP + 5):
        watch = looked(data)
    tell(data, "shop", watch, {"log": channel})
    assert len(channel.told) == CATCH_UP


def test_an_alert_is_one_bounded_line_whatever_users_call_things():
    odd = replace(FOUND, subject="a\nb\x1b[31m", summary="x" * 5000)
    text = sentence("shop", Change("worsened", odd))
    assert text.isprintable()
    assert text.startswith("shop: jump of a b [31m got worse: xxx")
    assert len(text) == 1500
    assert len(json.dumps(document("shop", Change("closed", replace(odd, closed=NOW))))) < 7000


@pytest.fixture
def server():
    """A webhook that answers what it is told to, and remembers what it got."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            size = int(self.headers["Content-Length"])
            self.server.got.append((self.path, json.loads(self.rfile.read(size))))
            self.send_response(self.server.answers)
            self.send_header("Location", "http://elsewhere.example/")
            self.end_headers()

        def log_message(self, *_):
            pass

    made = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    made.got, made.answers = [], 204
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def test_a_webhook_gets_one_document(server):
    webhook = HttpWebhook(f"http://127.0.0.1:{server.server_port}/hooks/secret?token=7")
    webhook.post(document("shop", Change("opened", FOUND)))
    [(path, got)] = server.got
    assert path == "/hooks/secret?token=7"
    assert (got["kind"], got["severity"], got["change"]) == ("jump", "warning", "opened")
    assert got["text"] == "shop: jump of amount: it jumped"


@pytest.mark.parametrize("answers", [302, 404, 500])
def test_a_webhook_that_does_not_take_it_is_told_again_and_its_address_is_no_ones_business(
    server, answers, caplog
):
    caplog.set_level(logging.DEBUG)
    server.answers = answers
    webhook = HttpWebhook(f"http://127.0.0.1:{server.server_port}/hooks/secret")
    with pytest.raises(NotDelivered, match=str(answers)) as failed:
        webhook.post({"text": "hello"})
    assert len(server.got) == 1  # no redirect is followed
    assert "secret" not in str(failed.value)


def test_a_webhook_that_is_not_there_names_its_host_alone(server):
    server.shutdown()
    server.server_close()
    webhook = HttpWebhook(f"http://127.0.0.1:{server.server_port}/hooks/secret")
    with pytest.raises(NotDelivered, match=r"127\.0\.0\.1 took no alert") as failed:
        webhook.post({"text": "hello"})
    assert "secret" not in str(failed.value)
    assert failed.value.__cause__ is None


@pytest.mark.parametrize(
    "url",
    ["http://chat.example/hooks", "ftp://chat.example", "chat.example", "https://", "http://[::1",
     "file:///etc/passwd", "http://10.0.0.1/x"],
)  # fmt: skip
def test_only_https_or_this_machine_is_told(url):
    with pytest.raises(ConfigError, match="alert webhook"):
        HttpWebhook(url)
