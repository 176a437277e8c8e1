"""What lies in the buckets: heads, champions and verdicts, on stores in memory."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from perennial.adapters.memory import MemoryStore
from perennial.domain import names
from perennial.domain.doctoring.findings import Finding
from perennial.domain.names import FileId
from perennial.domain.verdict import Verdict
from perennial.domain.versioning.manifest import FileDigest, Manifest
from perennial.errors import PermissionDenied
from perennial.ports import Buckets
from perennial.workflows.doctoring import pipelines
from perennial.workflows.doctoring.pipelines import examine_landing, examine_pipelines
from perennial.workflows.registry import Registry
from perennial.workflows.verdicts import write_verdict

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SWEEP = 600.0
GRAPH = b"a graph"
DEFINITION = """\
name: flowers
task: binary
columns:
  petals: {type: integer}
  bought: {type: boolean, role: label}
"""


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Refusing(MemoryStore):
    """Lists nothing for this identity."""

    def list(self, *_: object, **__: object):  # type: ignore[no-untyped-def,override]
        raise PermissionDenied("403 rosa lacks storage.objects.list", bucket=self.bucket)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def buckets(clock: Clock) -> Buckets:
    return Buckets(
        landing=MemoryStore("landing", clock, versioned=True),
        quarantine=MemoryStore("quarantine", clock),
        data=MemoryStore("data", clock),
        models=MemoryStore("models", clock, versioned=True),
    )


@pytest.fixture
def registry(buckets: Buckets, clock: Clock) -> Registry:
    return Registry(buckets.models, clock)


def apply(registry: Registry, name: str, champion: str | None = None) -> None:
    """Put a pipeline in force, with a champion whose files are there."""
    text = DEFINITION.replace("flowers", name)
    digest = registry.store_definition(name, text)
    if champion:
        registry.write_version(manifest(name, champion), {"model.onnx": GRAPH})
    registry.commit(
        name,
        lambda head: replace(head, definition=digest, champion=champion),
        action="apply",
        by="rosa",
    )


def manifest(pipeline: str, version: str) -> Manifest:
    digest = FileDigest(hashlib.sha256(GRAPH).hexdigest(), len(GRAPH))
    return Manifest(
        pipeline=pipeline,
        version=version,
        task="binary",
        label="bought",
        classes=(False, True),
        inputs=(),
        text="",
        files={"model.onnx": digest},
        run="r1",
        champion=None,
        definition="d",
        trained_rows=2,
        trained_through=NOW,
        created=NOW,
        seed=1,
    )


class TestPipelines:
    def test_none_yet_is_well(self, registry: Registry) -> None:
        assert list(examine_pipelines(registry)) == [Finding("pipelines", "ok", found="none yet")]

    def test_each_has_a_line(self, registry: Registry) -> None:
        apply(registry, "bikes")
        apply(registry, "flowers", "v000001")
        registry.models.create("deployment.json", b"{}")

        assert [(one.check, one.state, one.found) for one in examine_pipelines(registry)] == [
            ("pipeline bikes", "ok", "no champion yet"),
            ("pipeline flowers", "ok", "champion v000001"),
        ]

    @pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"format": 99}'])
    def test_a_head_that_cannot_be_read_is_named_and_the_others_are_looked_at(
        self, registry: Registry, damage: bytes
    ) -> None:
        apply(registry, "bikes", "v000001")
        apply(registry, "flowers", "v000001")
        registry.models.overwrite(names.head("bikes"), damage)

        bikes, flowers = examine_pipelines(registry)

        assert (bikes.check, bikes.state) == ("pipeline bikes", "problem")
        assert names.head("bikes") in bikes.fix
        assert flowers.state == "ok"

    @pytest.mark.parametrize("file", ["manifest.json", "model.onnx"])
    def test_a_champion_that_lacks_a_file_is_a_problem(self, registry: Registry, file: str) -> None:
        apply(registry, "flowers", "v000001")
        registry.models.delete(names.version("flowers", "v000001", file))

        (found,) = examine_pipelines(registry)

        assert (found.check, found.state) == ("pipeline flowers", "problem")
        assert "v000001" in found.found
        assert found.fix.startswith("run `perennial rollback flowers")

    def test_a_champion_with_half_a_file_is_a_problem(self, registry: Registry) -> None:
        apply(registry, "flowers", "v000001")
        registry.models.overwrite(names.version("flowers", "v000001", "model.onnx"), GRAPH[:3])

        (found,) = examine_pipelines(registry)

        assert found.state == "problem"
        assert found.found == "3 bytes"

    def test_a_definition_that_is_gone_is_a_problem(self, registry: Registry) -> None:
        apply(registry, "flowers")
        head = registry.require("flowers")
        registry.models.delete(names.definition("flowers", head.definition))

        (found,) = examine_pipelines(registry)

        assert found.state == "problem"
        assert found.fix.startswith("run `perennial apply`")

    def test_what_may_not_be_listed_is_unknown(self, clock: Clock) -> None:
        (found,) = examine_pipelines(Registry(Refusing("models"), clock))

        assert (found.check, found.state) == ("pipelines", "unknown")
        assert found.fix == "ask for the role roles/storage.objectViewer"


def judge(buckets: Buckets, name: str, generation: int) -> None:
    write_verdict(
        buckets.data,
        Verdict(
            pipeline=name.split("/")[0],
            file=FileId(generation, name),
            decision="quarantined",
            decided=NOW,
            reason="no",
        ),
    )


class TestLanding:
    def look(self, buckets: Buckets, clock: Clock) -> Finding:
        (found,) = examine_landing(buckets, clock, SWEEP)
        return found

    def test_is_well_when_empty(self, buckets: Buckets, clock: Clock) -> None:
        assert self.look(buckets, clock).state == "ok"

    def test_a_young_file_may_wait(self, buckets: Buckets, clock: Clock) -> None:
        buckets.landing.create("flowers/a.csv", b"x")
        clock.time += timedelta(seconds=2 * SWEEP - 1)

        assert self.look(buckets, clock).state == "ok"

    def test_two_sweeps_later_it_may_not(self, buckets: Buckets, clock: Clock) -> None:
        buckets.landing.create("flowers/a.csv", b"x")
        clock.time += timedelta(seconds=60)
        buckets.landing.create("flowers/b.csv", b"x")
        clock.time += timedelta(seconds=2 * SWEEP + 1)

        found = self.look(buckets, clock)

        assert found.state == "problem"
        assert found.found == ("2 files without one, the oldest flowers/a.csv of 2026-11-21 12:00")
        assert found.expected == "a verdict for every file within 20 minutes"

    @pytest.mark.parametrize("home", ["flowers", "_unknown"])
    def test_a_verdict_counts_wherever_it_lies(
        self, buckets: Buckets, clock: Clock, home: str
    ) -> None:
        info = buckets.landing.create("flowers/a.csv", b"x")
        judge(buckets, "flowers/a.csv", info.generation)
        if home != "flowers":
            (verdict,) = list(buckets.data.list())
            stored = buckets.data.read(verdict.name).data
            buckets.data.delete(verdict.name)
            moved = verdict.name.replace("flowers/", "_unknown/", 1)
            buckets.data.create(moved, stored, metadata=verdict.metadata)
        clock.time += timedelta(days=1)

        assert self.look(buckets, clock).state == "ok"

    def test_an_overwritten_generation_needs_its_own(self, buckets: Buckets, clock: Clock) -> None:
        buckets.landing.create("flowers/a.csv", b"x")
        info = buckets.landing.overwrite("flowers/a.csv", b"y")
        judge(buckets, "flowers/a.csv", info.generation)
        clock.time += timedelta(days=1)

        assert self.look(buckets, clock).found.startswith("1 file without one")

    def test_a_large_bucket_is_looked_at_in_part(
        self, buckets: Buckets, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pipelines, "MOST_FILES", 2)
        for name in "abc":
            buckets.landing.create(f"flowers/{name}.csv", b"x")
        clock.time += timedelta(days=1)

        assert self.look(buckets, clock).found.startswith("2 files of the first 2 without one")

    def test_what_may_not_be_listed_is_unknown(self, buckets: Buckets, clock: Clock) -> None:
        closed = replace(buckets, landing=Refusing("landing"))

        assert self.look(closed, clock).state == "unknown"
