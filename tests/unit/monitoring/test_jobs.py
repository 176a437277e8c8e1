"""Runs that fail, hang, take too long or start over and over, each by its name."""

from __future__ import annotations

import pytest


@pytest.fixture
def trained(world, visits):
    """Ten files, each learned in 20 seconds."""
    for number in range(10):
        world.wait(hours=24)
        world.drop(visits(number))
        world.run(seconds=20)
    assert world.look().findings == ()
    return world


def found(world) -> list[tuple[str, str]]:
    world.wait(minutes=1)
    return [(one.kind, one.severity) for one in world.look().findings]


def test_a_run_that_failed_is_found_until_another_does_not(trained):
    trained.run("failed", reason="StoreUnavailable: no answer")
    assert found(trained) == [("job_failed", "error")]
    assert "no answer" in trained.look().findings[0].summary
    trained.run()
    assert found(trained) == []


def test_a_run_that_ended_without_a_record_failed(trained):
    trained.claim(execution="job-9")
    assert found(trained) == []
    trained.launcher.ended.add("job-9")
    assert found(trained) == [("job_failed", "error")]
    trained.release()
    assert found(trained) == []


def test_runs_that_do_the_same_over_and_over_loop(trained):
    for number in range(5):
        trained.run("failed", reason="StoreUnavailable: no answer")
        trained.wait(minutes=10)
        kinds = [kind for kind, _ in found(trained)]
        assert kinds == (["job_looping"] if number == 4 else ["job_failed"])


def test_runs_that_learn_new_files_do_not_loop(trained, visits):
    for number in range(6):
        trained.drop(visits(100 + number))
        trained.run("rejected", files=number + 1)
    assert found(trained) == []


def test_a_run_that_takes_much_longer_than_usual_is_slow(trained, visits):
    trained.drop(visits(100))
    trained.run(seconds=55)
    assert found(trained) == []  # three times as long, but what is a minute
    trained.drop(visits(101))
    trained.run(seconds=600)
    assert found(trained) == [("job_slow", "warning")]
    assert trained.look().findings[0].evidence["usual_seconds"] == 20.0
    trained.drop(visits(102))
    trained.run(seconds=20)
    assert found(trained) == []


def test_what_hangs_may_be_declared(trained):
    trained.apply(trained.text + "monitoring: {hung_minutes: 5}\n")
    trained.claim()
    trained.wait(minutes=6)
    assert found(trained) == [("job_hung", "error")]


def test_a_claim_past_its_deadline_hangs(trained):
    trained.claim(seconds=120)
    assert found(trained) == []
    trained.wait(minutes=3)
    assert found(trained) == [("job_hung", "error")]


def test_a_champion_is_old_from_the_declared_age_on(trained, visits):
    trained.apply(trained.text + "monitoring: {champion_days: 3, ignore: [source_down]}\n")
    trained.wait(hours=70)
    assert found(trained) == []
    trained.wait(hours=3)
    assert found(trained) == [("champion_old", "warning")]
    trained.drop(visits(100))
    trained.run()
    assert found(trained) == []
