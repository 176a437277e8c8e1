"""Each part of a deployment in turn is gone: what callers see, and what becomes of data and models.

One test for each row of the README's table "When a part is gone", by the name that it gives.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from perennial.adapters import storage_reader
from perennial.adapters.access_token import MetadataTokens
from perennial.adapters.graph import Graph
from perennial.adapters.storage_reader import CloudStorageReader, Connection
from perennial.adapters.webhook import HttpWebhook
from perennial.errors import (
    ClaimLost,
    LaunchError,
    PermissionDenied,
    StoreError,
    StoreUnavailable,
)
from perennial.workflows.monitoring.tick import watch
from perennial.workflows.serve import Server
from perennial.workflows.serving.pipeline import Timing
from perennial.workflows.train import train
from tests.degraded.parts import Deployment
from tests.integration.ingest.world import BAD, GOOD, OTHER
from tests.unit.monitoring.conftest import World as Monitored
from tests.unit.predict.conftest import Client, client, clock, store  # noqa: F401 (fixtures)
from tests.unit.predict.versions import crown, write_regression
from tests.unit.training.conftest import Clock, Taps, made_taps

NOWHERE = "127.0.0.1:9"


@pytest.fixture
def world() -> Deployment:
    world = Deployment()
    world.apply()
    return world


class Pipe(list[bytes]):
    """Standard output, as long as somebody reads it."""

    broken = False

    def append(self, line: bytes) -> None:
        if self.broken:
            raise BrokenPipeError("nobody reads")
        super().append(line)


@pytest.fixture
def lines() -> Pipe:
    """The prediction log."""
    return Pipe()


@pytest.fixture
def taps() -> Taps:
    """A champion, and a file that it has not learned."""
    taps = made_taps()
    taps.drop()
    taps.train()
    taps.drop()
    return taps


def test_landing_unreachable(world):
    file = world.drop("shop/a.csv")
    with world.without("landing"):
        with pytest.raises(StoreUnavailable):
            world.ingest(file)  # the event comes again
        with pytest.raises(StoreUnavailable):
            world.sweep()  # monitor answers 500
    assert world.decisions() == {}
    assert world.ingest(file).decision == "accepted"
    assert world.sweep().judged == {}


def test_quarantine_unreachable(world):
    good, bad = world.drop("shop/a.csv"), world.drop("shop/b.csv", BAD)
    with world.without("quarantine"):
        assert world.ingest(good).decision == "accepted"  # good files need it not
        with pytest.raises(StoreUnavailable):
            world.ingest(bad)
        assert world.decisions() == {"shop/a.csv": "accepted"}  # no verdict without the bytes
        assert "quarantine" in world.sweep().errors["shop"]
    assert world.sweep().judged == {"quarantined": 1}
    assert world.objects("quarantine")["quarantine", f"shop/{bad.stem}/original"] == BAD


def test_data_unreachable(world):
    file = world.drop("shop/a.csv")
    with world.without("data"):
        with pytest.raises(StoreUnavailable):
            world.ingest(file)
        swept = world.sweep()
        assert "data" in swept.errors["shop"]
        assert (swept.judged, swept.launched, world.launcher.launched) == ({}, [], [])
    assert world.ingest(file).decision == "accepted"
    assert world.launcher.launched == ["shop"]


def test_models_unreachable(world, taps):
    file = world.drop("shop/a.csv")
    with world.without("models"):
        with pytest.raises(StoreUnavailable):
            world.ingest(file)  # without its definition nothing can be judged
        with pytest.raises(StoreUnavailable):
            world.sweep()
    assert world.decisions() == {}
    assert world.sweep().judged == {"accepted": 1}

    before = taps.head
    models = taps.trainer.buckets.models

    def goes() -> None:
        for verb in ("create", "replace", "stat", "read"):
            setattr(models, verb, _refusing)

    taps.trainer.codec.on_export = goes
    with pytest.raises(StoreUnavailable):
        taps.train()
    for verb in ("create", "replace", "stat", "read"):
        delattr(models, verb)
    assert taps.head.champion == before.champion
    taps.trainer.launcher.ended.add("job-1")
    assert [one.outcome for one in taps.train()] == ["promoted"]
    assert len(taps.learned()) == 2


def _refusing(*_: object, **__: object) -> None:
    raise StoreUnavailable("models: no answer")


def test_no_permission(world):
    file = world.drop("shop/a.csv")

    def denied(what: str) -> Exception:
        return PermissionDenied(f"{what}: ingest does not have storage.objects.create access")

    with world.without("data", denied):
        with pytest.raises(PermissionDenied, match=r"storage\.objects\.create"):
            world.ingest(file)  # which says the right that is missing
        assert world.sweep().errors["shop"].startswith("PermissionDenied: ")
    assert world.sweep().judged == {"accepted": 1}


def test_events_lost(world):
    world.drop("shop/a.csv")
    world.drop("shop/b.csv", BAD)
    swept = world.sweep()
    assert swept.judged == {"accepted": 1, "quarantined": 1}
    assert swept.launched == ["shop"]


def test_ingest_failing(world):
    """Whatever it is that fails, and unforeseen."""
    file, other = world.drop("shop/a.csv"), world.drop("stall/b.csv")
    with world.without("data", lambda what: ZeroDivisionError(what)):
        for _ in range(10):  # events.max_attempts, and then it is a dead letter
            with pytest.raises(ZeroDivisionError):
                world.ingest(file)
        assert set(world.sweep().errors) == {"shop", "stall"}
    assert world.stores["landing"].read(file.name).data == GOOD
    assert world.sweep().judged == {"accepted": 1, "pending": 1}
    assert world.ingest(other).decision == "pending"


def test_jobs_refused(world):
    def refuses() -> None:
        raise LaunchError("the platform answered 429: quota")

    world.launcher.before = refuses
    file = world.drop("shop/a.csv")
    with pytest.raises(LaunchError):
        world.ingest(file)  # after its verdict; the event comes again
    assert world.decisions() == {"shop/a.csv": "accepted"}
    assert world.sweep().errors == {"shop": "LaunchError: the platform answered 429: quota"}
    world.launcher.before = lambda: None
    assert world.sweep().launched == ["shop"]
    assert world.decisions() == {"shop/a.csv": "accepted"}


def test_job_dies(taps):
    class Killed(BaseException):
        pass

    def dies() -> None:
        raise Killed

    champion = taps.head.champion
    taps.trainer.codec.on_export = dies
    with pytest.raises(Killed):
        taps.train()
    assert taps.head.champion == champion
    another = replace(taps.trainer, execution="job-2")
    assert train(another, "taps") == []  # the claim of the dead one still lives
    taps.trainer.launcher.ended.add("job-1")
    assert [one.outcome for one in train(another, "taps")] == ["promoted"]
    assert len(taps.learned()) == len(set(taps.learned())) == 2


def test_predict_warm_without_models(client, clock, store):  # noqa: F811
    write_regression(store, "v000001", 10)
    crown(store, "v000001")
    assert client.predict({"visits": 0}).json()["predictions"] == [10.0]
    store.unreachable = True
    clock.pass_(3600)
    answer = client.predict({"visits": 0})
    assert (answer.status_code, answer.json()["predictions"]) == (200, [10.0])
    told = client.get("/v1/models/shop").json()
    assert told["stale"] is True
    assert "no answer" in told["error"]
    store.unreachable = False
    write_regression(store, "v000002", 20)
    crown(store, "v000002")
    clock.pass_(1)
    assert client.predict({"visits": 0}).json()["predictions"] == [20.0]


def test_predict_cold_without_models(client, clock, store):  # noqa: F811
    write_regression(store, "v000001", 10)
    crown(store, "v000001")
    store.unreachable = True
    answer = client.predict({"visits": 0})
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1
    assert "10.0" not in answer.text
    store.unreachable = False
    clock.pass_(1)
    assert client.predict({"visits": 0}).json()["predictions"] == [10.0]


def test_token_server_gone(monkeypatch):
    """The very reader of `predict`, whose metadata server does not answer."""
    monkeypatch.setattr(storage_reader, "_PATIENCE", 0.0)
    pool = storage_reader._pool()
    reader = CloudStorageReader(Connection(pool, MetadataTokens(pool, NOWHERE)), "models")
    with pytest.raises(StoreUnavailable, match="no access token") as error:
        reader.read("shop/registry/head.json")
    assert isinstance(error.value, StoreError)
    patience = Timing(patience=0.2, cold_patience=5.0)
    server = Server(reader, Clock(), Graph, timing=patience)
    served = Client(None)._runner.run(server.pipeline("shop"))
    assert served is not None
    assert served.champion is None
    assert "no access token" in str(served.error)


def test_monitor_not_running(world):
    """Events alone do everything; what needs the sweep waits for it, or for a person's."""
    heard = world.drop("shop/a.csv")
    assert world.ingest(heard).decision == "accepted"
    assert world.launcher.launched == ["shop"]
    world.drop("shop/unheard.csv", OTHER)
    assert world.decisions() == {"shop/a.csv": "accepted"}
    assert world.sweep("shop").judged == {"accepted": 1}  # `perennial sweep shop`


def test_webhook_gone():
    world = Monitored()
    world.run("failed")
    told: list[str] = []
    hook = HttpWebhook(f"http://{NOWHERE}/hooks/s3cr3t")
    channels = {
        "log": lambda _, change: told.append(change.finding.kind),
        "webhook": lambda pipeline, _: hook.post({"pipeline": pipeline}),
    }
    watched = watch(world.lookout, ["shop"], channels)
    assert (watched.looked, watched.errors, told) == (1, {}, ["job_failed"])
    assert "took no alert" in watched.untold["shop"]["webhook"]
    assert "s3cr3t" not in str(watched)
    channels["webhook"] = lambda _, change: told.append(f"webhook {change.finding.kind}")
    world.wait(minutes=10)
    assert watch(world.lookout, ["shop"], channels).untold == {}
    assert told == ["job_failed", "webhook job_failed"]


def test_log_sink_gone(client, store, lines, caplog):  # noqa: F811
    write_regression(store, "v000001", 10)
    crown(store, "v000001")
    lines.broken = True
    assert client.predict({"visits": 0}).json()["predictions"] == [10.0]
    assert "no line in the prediction log" in caplog.text
    lines.broken = False
    client.predict({"visits": 0})
    assert len(lines) == 1

    world = Monitored()
    world.run("failed")
    world.predictions.list = _refusing  # type: ignore[method-assign]
    with caplog.at_level(logging.WARNING):
        watched = watch(world.lookout, ["shop"], {"log": lambda *_: None})
    assert (watched.looked, watched.open) == (1, {"error": 1})
    assert "no answer" in caplog.text


def test_clock_wrong(taps):
    """A machine three hours ahead takes a living run for dead; only one of the two can commit."""

    class Ahead(Clock):
        def now(self):
            return super().now() + timedelta(hours=3)

    hasty = replace(taps.trainer, clock=Ahead(), execution="job-2")
    taken = []

    def takes_over() -> None:
        taken.extend(one.outcome for one in train(hasty, "taps"))

    taps.trainer.codec.on_export = takes_over
    with pytest.raises(ClaimLost):
        taps.train()
    assert taken == ["promoted"]
    assert len(taps.learned()) == len(set(taps.learned())) == 2
    assert list(taps.head.statuses) == ["v000001", "v000003"]  # v000002 never counted
