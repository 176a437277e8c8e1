"""After an upgrade the champion is trained again, once, and `status` tells what came of it."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from functions.train import main as job
from perennial.cli import context
from perennial.cli.main import main
from perennial.domain import names
from perennial.domain.versioning.rebuilding import Rebuild
from perennial.domain.versioning.upgrades import Check, environment_digest, in_short, upgrade
from perennial.errors import StoreUnavailable
from perennial.workflows import rebuild as rebuilding
from perennial.workflows.status import status
from perennial.workflows.train import train
from perennial.workflows.upgrade import check_upgrade
from perennial.workflows.upgrade_checks import RECENT

from .conftest import ENVIRONMENT, LINEAR, Stalls

NEWER = {"scikit-learn": "1.9.2", "dependencies": "e" * 64}


@pytest.fixture
def made(stalls: Stalls) -> Stalls:
    """With one version, made by the environment of `ENVIRONMENT`."""
    stalls.apply(LINEAR)
    stalls.drop()
    assert stalls.train() == ["promoted"]
    return stalls


@pytest.fixture
def otherwise(monkeypatch) -> None:
    """A release by which the same recipe, rows and seed give another model."""
    fit = rebuilding.fit
    monkeypatch.setattr(
        rebuilding, "fit", lambda definition, frame, *, seed: fit(definition, frame[5:], seed=seed)
    )


def upgraded(stalls: Stalls, **changes: str) -> None:
    """From here on the job runs with other libraries."""
    environment = {**stalls.trainer.environment, **(changes or NEWER)}
    stalls.trainer = replace(stalls.trainer, environment=environment)


def run_job(stalls: Stalls, monkeypatch, capsys, *, force: bool = False) -> list[dict[str, Any]]:
    """The lines that an execution of the job logs."""
    monkeypatch.setenv("PERENNIAL_PIPELINE", "stalls")
    monkeypatch.setenv("PERENNIAL_FORCE", str(int(force)))
    monkeypatch.delenv("PERENNIAL_REBUILD", raising=False)
    monkeypatch.setattr(job, "trainer", lambda _: stalls.trainer)
    log = logging.getLogger("perennial")
    before = (log.handlers, log.level, log.propagate)
    try:
        assert job.main() == 0
    finally:
        log.handlers, log.level, log.propagate = before
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def execution(made, monkeypatch, capsys):
    """Runs the job once on what was dropped; gives what it logged after its runs."""

    def run(*, force: bool = False) -> list[dict[str, Any]]:
        logged = run_job(made, monkeypatch, capsys, force=force)
        return [line for line in logged if "upgrade" in line]

    return run


def look(stalls: Stalls) -> dict[str, Any]:
    parts = stalls.trainer
    return status(parts.buckets, parts.registry, parts.launcher, parts.clock, "stalls")


def checks(stalls: Stalls) -> list[str]:
    data = stalls.trainer.buckets.data
    return [info.name for info in data.list("stalls/rebuilds/")]


def test_without_an_upgrade_nothing_is_trained_again(made, execution):
    made.drop(rows=150)
    assert execution() == []
    assert checks(made) == []
    assert look(made)["upgrade"] is None


def test_another_machine_is_no_upgrade(made, execution):
    upgraded(made, threads="8", platform="Linux aarch64 glibc 2.36")
    made.drop(rows=150)
    assert execution() == []
    assert checks(made) == []


def test_the_champion_that_served_is_trained_again_and_the_result_is_on_record(made, execution):
    upgraded(made)
    made.drop(rows=150)
    (line,) = execution()
    assert (line["severity"], line["version"], line["outcome"]) == ("INFO", "v000001", "equal")
    assert line["upgrade"] == "scikit-learn 1.9.1 → 1.9.2"
    digest = environment_digest({**ENVIRONMENT, **NEWER})
    (name,) = checks(made)
    assert name == names.upgrade("stalls", "v000001", digest)
    found = Rebuild.from_json(made.trainer.buckets.data.read(name).data)
    assert (found.outcome, found.rebuilt) == ("equal", found.recorded)


def test_a_version_that_comes_out_the_same_is_shown_without_an_alert(made, execution):
    upgraded(made)
    made.drop(rows=150)
    execution()
    shown = look(made)
    assert shown["champion"] == "v000002"
    assert (shown["upgrade"]["version"], shown["upgrade"]["outcome"]) == ("v000001", "equal")
    assert shown["alerts"] == []


@pytest.mark.usefixtures("otherwise")
def test_a_version_that_comes_out_otherwise_is_an_alert_that_names_upgrade_and_difference(
    made, execution
):
    upgraded(made)
    made.drop(rows=150)
    (line,) = execution()
    assert line["severity"] == "WARNING"
    shown = look(made)
    (alert,) = shown["alerts"]
    assert alert == line["message"]
    assert alert.startswith(
        "since an upgrade (scikit-learn 1.9.1 → 1.9.2) v000001 comes out otherwise: another graph: "
    )
    assert "recorded instances differ, by " in alert
    assert " at most" in alert
    assert shown["upgrade"]["outcome"] == "different"


@pytest.mark.usefixtures("otherwise")
def test_people_read_it_in_status(made, execution, monkeypatch, capsys):
    upgraded(made)
    made.drop(rows=150)
    execution()
    for role in context.BUCKETS:
        monkeypatch.setenv(f"PERENNIAL_{role.upper()}_BUCKET", role)
    monkeypatch.setattr(context, "open_buckets", lambda _: made.trainer.buckets)
    monkeypatch.setattr(context, "CloudRunJobs", lambda _: made.trainer.launcher)
    assert main(["status", "stalls"]) == 0
    assert (
        "alert      since an upgrade (scikit-learn 1.9.1 → 1.9.2) v000001 comes out otherwise"
        in (capsys.readouterr().out)
    )


def test_it_happens_once_for_a_champion_and_an_environment(made, execution, mocker):
    upgraded(made)
    again = mocker.spy(rebuilding, "fit")
    assert len(execution(force=True)) == 1  # nothing is new: v000001 stays
    assert execution(force=True) == []
    assert again.call_count == 1
    upgraded(made, code="f" * 64)
    (line,) = execution(force=True)
    assert line["upgrade"] == "scikit-learn 1.9.1 → 1.9.2, other code"
    assert len(checks(made)) == 2


@pytest.mark.usefixtures("otherwise")
def test_back_in_the_environment_that_made_the_champion_the_alert_is_gone(made, execution):
    upgraded(made)
    execution(force=True)
    assert look(made)["alerts"]
    upgraded(made, **ENVIRONMENT)
    assert execution(force=True) == []
    assert look(made)["alerts"] == []


@pytest.mark.usefixtures("otherwise")
def test_a_champion_that_stays_keeps_its_alert_and_one_that_was_succeeded_for_some_runs(
    made, execution
):
    upgraded(made)
    for _ in range(RECENT + 2):
        execution(force=True)
    assert look(made)["alerts"]
    made.drop(rows=150)
    execution()
    assert look(made)["champion"] == "v000002"
    assert look(made)["alerts"] == []


def test_what_a_library_cannot_do_any_more_is_an_alert_too(made, execution, monkeypatch):
    def breaks(*_: object, **__: object) -> None:
        raise ValueError("unknown solver")

    upgraded(made)
    made.drop(rows=150)
    monkeypatch.setattr(rebuilding, "fit", breaks)
    (line,) = execution()
    assert line["outcome"] == "impossible"
    assert look(made)["alerts"] == [
        (
            "since an upgrade (scikit-learn 1.9.1 → 1.9.2) v000001 cannot be trained again: "
            "ValueError: unknown solver"
        )
    ]


def test_a_check_that_breaks_off_fails_no_run_and_is_made_up_for(made, monkeypatch, capsys, mocker):
    unreachable = StoreUnavailable("no answer", bucket="data", name="x")
    broken = mocker.patch("perennial.workflows.upgrade.rebuild", side_effect=unreachable)
    upgraded(made)
    run, error = run_job(made, monkeypatch, capsys, force=True)
    assert (run["outcome"], error["severity"]) == ("nothing_new", "ERROR")
    assert (look(made)["upgrade"], checks(made)) == (None, [])
    mocker.stop(broken)
    _, check = run_job(made, monkeypatch, capsys, force=True)
    assert check["outcome"] == "equal"


def test_a_check_that_no_process_lived_to_make_is_made_by_the_next_that_finds_no_work(
    made, execution
):
    """And `status` shows it, although no record says any more what served then."""
    upgraded(made)
    made.drop(rows=150)
    train(made.trainer, "stalls")
    (line,) = execution(force=True)
    assert (line["version"], line["outcome"]) == ("v000001", "equal")
    shown = look(made)
    assert (shown["champion"], shown["upgrade"]["version"]) == ("v000002", "v000001")
    assert execution(force=True) == []


def test_of_two_processes_that_check_at_once_the_first_ones_result_stays(made, mocker):
    upgraded(made)
    runs = train(made.trainer, "stalls", force=True)
    others: list[Check] = []

    def overtaken(*parts: Any) -> Rebuild:
        mocker.stop(patched)
        others.extend(check_upgrade(made.trainer, "stalls", runs))
        return rebuilding.rebuild(*parts)

    patched = mocker.patch("perennial.workflows.upgrade.rebuild", side_effect=overtaken)
    (mine,) = check_upgrade(made.trainer, "stalls", runs)
    (other,) = others
    assert len(checks(made)) == 1
    assert other.ended < mine.ended
    assert look(made)["upgrade"]["ended"] == other.ended


@pytest.mark.parametrize(
    "recorded", [{}, {"imported": "scikit-learn 1.2"}, {**ENVIRONMENT, "imported": "by ada"}]
)
def test_what_was_trained_elsewhere_is_not_checked(recorded):
    assert upgrade(recorded, ENVIRONMENT | NEWER) == ()


def test_an_upgrade_in_a_few_words():
    later = {
        **ENVIRONMENT, "python": "3.12.1", "numpy": "3.0", "code": "0" * 64, "threads": "4",
        "dependencies": "1" * 64,
    }  # fmt: skip
    assert in_short(upgrade(ENVIRONMENT, later)) == (
        "python 3.11.7 → 3.12.1, numpy 2.4.6 → 3.0, other code"
    )
    gone = {key: value for key, value in ENVIRONMENT.items() if key != "numpy"}
    assert in_short(upgrade(ENVIRONMENT, gone)) == "numpy 2.4.6 → none"
    only_packages = ENVIRONMENT | {"dependencies": "1" * 64}
    assert in_short(upgrade(ENVIRONMENT, only_packages)) == "other packages"
