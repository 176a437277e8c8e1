"""The table of scenarios is complete, its shortcut is none, and its comparison can fail."""

from __future__ import annotations

import json

import pytest

from perennial.workflows import deciding, ingest
from tests.calls import Crash
from tests.crash_points.coverage import Sites, writing_sites
from tests.crash_points.driver import Scenario, again
from tests.crash_points.scenarios import SCENARIOS
from tests.crash_points.state import differences, end_state, wrong

ELSEWHERE = {
    "attempts.py": "notes of attempts, which are counted; what follows is integration/ingest's",
    "replay.py": "writes into a store of its own, in memory",
    "doctoring/": "a probe writes into a room of its own, which it clears (unit/doctor/test_probe)",
    "retrain.py": "a note that somebody asked; who asks twice is noted twice",
}
"""Files and folders of which no write must come to one end."""


def named(name: str) -> Scenario:
    return next(scenario for scenario in SCENARIOS if scenario.name == name)


def test_every_place_where_a_workflow_writes_is_covered_by_a_scenario() -> None:
    """By what the undisturbed runs did: a new write that no scenario comes by fails this."""
    places = [site for site in writing_sites() if not site[0].startswith(tuple(ELSEWHERE))]
    assert len(places) > 40
    sites = Sites()
    for scenario in sorted(SCENARIOS, key=lambda one: one.dear):
        if all(map(sites.covers, places)):
            break
        sites |= scenario.calm.sites
    assert [
        f"{name}:{first}" for name, first, last in places if not sites.covers((name, first, last))
    ] == []


def test_names_of_scenarios_are_their_own() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(names) == len({*names})


@pytest.mark.parametrize("name", ["ingest, a few bad rows", "repair", "import, first version"])
def test_a_process_that_really_ends_leaves_what_the_copies_show(name: str) -> None:
    """At each call, before and after: so trying what follows a copy is trying what follows it."""
    scenario = named(name)
    for end in scenario.calm.ends:
        for number, when in (end.moments[0], end.moments[-1]):
            world = scenario.world
            with world.calls.ended(number, after=when == "after"):
                scenario.act(world)
            assert differences(end_state(end.left), end_state(world)) == [], (number, when)
            assert sorted(world.platform.asked) == sorted(end.left.platform.asked)


def test_the_process_is_dead_to_its_own_cleaning_up() -> None:
    """A claim is released by a `finally`, which a process that is killed does not come to."""
    scenario = named("import, first version")
    world = scenario.world
    with world.calls.ended(("models", "create", 3)):
        scenario.act(world)
    assert world.head().claim is not None
    assert world.head().claim.execution == "job-0"


def test_a_crash_is_reported_where_the_workflow_does_not_come_so_far() -> None:
    world = named("ingest, good").world
    with pytest.raises(AssertionError, match="expected a crash at 999"), world.calls.ended(999):
        named("ingest, good").act(world)
    world.calls.dead = True
    with pytest.raises(Crash):
        world.buckets.data.list("")


def test_a_verdict_before_its_rows_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: readers would meet an accepted file whose rows are not there."""
    write = deciding.create_once
    late: list[tuple] = []

    def after_the_verdict(store, name, data, **options):
        if "/rows/" in name:
            late.append((store, name, data))
            return None
        return write(store, name, data, **options)

    commit = deciding.write_verdict

    def and_then_the_rows(data, verdict):
        made = commit(data, verdict)
        while late:
            write(*late.pop())
        return made

    monkeypatch.setattr(deciding, "create_once", after_the_verdict)
    monkeypatch.setattr(deciding, "write_verdict", and_then_the_rows)
    scenario = _copy("ingest, good")
    found = list(scenario.crashes(scenario.pairs()))
    assert any(
        "right after the crash, verdict on shop/a.csv: ObjectNotFound" in one for one in found
    )


def test_a_launch_that_is_not_considered_again_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sabotage: only whoever makes the verdict launches, and no sweep comes."""
    launch = ingest.launch_if_due

    def once(buckets, registry, launcher, clock, pipeline, verdict):
        if (clock.now() - verdict.decided).total_seconds() < 0.5:
            launch(buckets, registry, launcher, clock, pipeline, verdict)

    monkeypatch.setattr(ingest, "launch_if_due", once)

    def later(world, act):
        world.clock.sleep(1)
        again(world, act)

    scenario = _copy("ingest, good", recoveries=(later,), settle=lambda world: None)
    found = list(scenario.crashes(scenario.pairs()))
    assert any("asked for" in one for one in found)


def test_a_file_of_a_version_that_was_altered_is_found_out() -> None:
    world = named("rebuild").world
    name = "taps/versions/v000001/evaluation.json"
    models = world.stores["models"]
    models.overwrite(name, json.dumps({"status": "approved"}).encode())
    (found,) = wrong(world)
    assert "DigestMismatch" in found


def _copy(name: str, **changes: object) -> Scenario:
    """The same, with nothing remembered of it."""
    of = named(name)
    facts = {"recoveries": (again,), "settle": of.settle, **changes}
    return Scenario(of.name, of.prepare, of.act, **facts)  # type: ignore[arg-type]
