"""Noise and poison are named, and what a model needs is not."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from perennial.adapters.clock import SystemClock
from perennial.adapters.fitting import FitCache, ProcessFitter
from perennial.adapters.memory import MemoryStore
from perennial.domain.ablating.effects import named
from perennial.domain.ablating.variants import WHOLE, Variant, make_plan, source_of
from perennial.domain.definitions.definition import Definition, parse
from perennial.domain.replaying.fits import Fit, key_of, learn
from perennial.errors import RefusedError
from perennial.workflows.ablate import Ablated, ablate
from perennial.workflows.replay import Source, plain_files

START = datetime(2025, 1, 1, tzinfo=UTC)

DEFINITION = """
name: taps
task: binary
columns:
  at: {type: timestamp, role: event_time}
  heat: {type: number}
  fever: {type: number}
  room: {type: category}
  noise: {type: number}
  open: {type: integer, role: label, classes: [0, 1]}
training: {model: linear, min_rows: 40, window: {files: 9}}
"""

Name = Callable[[int], str]


def by_turns(day: int) -> str:
    """Files of three sources, one after the other; `west` is the one that gets poisoned."""
    return f"{('north', 'south', 'west')[day % 3]}/{day:03}.csv"


def taps(days: int, *, name: Name = by_turns, poisoned: str = "", rows: int = 60) -> Source:
    """Taps that open when it is hot, more so in room b; `fever` is `heat` by another name."""
    files = []
    for day in range(days):
        chance = random.Random(day)
        lines, opens = [], []
        for n in range(rows):
            heat, room = chance.gauss(0, 1), chance.choice("ab")
            opens.append(int(2 * heat + 2 * (room == "b") - 1 + chance.gauss(0, 1) > 0))
            time = START + timedelta(days=day, minutes=n)
            told = f"{time:%Y-%m-%dT%H:%M:%S},{heat:.4f},{2 * heat + 1:.4f},{room}"
            lines.append(f"{told},{chance.gauss(0, 1):.4f}")
        if poisoned and name(day).startswith(poisoned):
            chance.shuffle(opens)
        text = ["at,heat,fever,room,noise,open", *map("{},{}".format, lines, opens)]
        files.append((name(day), "\n".join(text).encode()))
    return plain_files(definition(), files, MemoryStore("scratch"), SystemClock())


def definition(text: str = DEFINITION) -> Definition:
    return parse(text)


def run(source: Source, cache: Path | None = None, **options) -> Ablated:
    plan = make_plan(
        source.definition,
        source.history,
        **{"features": True, "sources": True, "files": 30} | options,
    )
    return ablate(source, plan, fitter(source, cache))


def fitter(source: Source, cache: Path | None = None) -> ProcessFitter:
    folder = cache and FitCache(cache, source.definition, source.history, {"sklearn": "1"})
    return ProcessFitter(source.definition, source.history, folder, jobs=1)


@pytest.fixture(scope="module")
def poisoned() -> Source:
    return taps(42, poisoned="west")


@pytest.fixture(scope="module")
def found(poisoned: Source) -> Ablated:
    return run(poisoned)


class TestFeatures:
    def test_noise_is_named_and_what_informs_is_not(self, found: Ablated) -> None:
        doubtful = named(found.effects, "feature", ("unproven", "hurts"))

        assert "noise" in doubtful
        assert "room" not in doubtful

    def test_two_that_tell_the_same_stand_in_for_each_other(self, found: Ablated) -> None:
        """Either can go, and not both, which is asked too."""
        assert {"heat", "fever"} <= set(named(found.effects, "feature", ("unproven", "hurts")))
        assert found.together is not None
        assert {"heat", "fever", "noise"} <= set(found.together.variant.names)
        assert found.together.verdict == "helps"

    def test_the_difference_is_that_of_trainings_without_the_column(self, poisoned: Source) -> None:
        """Against the same trainings by a definition in which the column was ignored."""
        ignoring = definition(
            DEFINITION.replace("{type: category}", "{type: category, role: ignore}")
        )
        fit = Fit(tuple(range(3, 12)), without=("room",))
        mine = learn(poisoned.definition, poisoned.history, fit)
        theirs = learn(ignoring, poisoned.history, Fit(fit.files))

        assert [one.name for one in mine.inputs] == ["at", "heat", "fever", "noise"]
        rows = poisoned.history.frame.tail(60)
        assert np.array_equal(mine.predict(rows), theirs.predict(rows))


class TestSources:
    def test_a_poisoned_source_is_named_and_no_other(self, found: Ablated) -> None:
        assert named(found.effects, "source", ("hurts",)) == ["west"]

    def test_a_clean_stream_has_no_source_that_hurts(self) -> None:
        assert named(run(taps(36), features=False).effects, "source", ("hurts",)) == []

    def test_it_is_what_a_source_is_to_the_others_that_decides(self, found: Ablated) -> None:
        """On its own shuffled rows a model that learned them may well do better."""
        (west,) = [one for one in found.effects if one.name == "west"]

        assert west.change.files == 30
        assert west.others.files == 20
        assert {name: on.files for name, on in west.by_source.items()} == {
            "north": 10, "south": 10, "west": 10,
        }  # fmt: skip
        assert west.others.high is not None
        assert west.others.high < 0

    def test_its_files_are_predicted_and_not_learned(self, poisoned: Source) -> None:
        plan = make_plan(
            poisoned.definition, poisoned.history, features=False, sources=True, files=30
        )
        variant = Variant("source", ("west",))

        for place, file in enumerate(plan.scored):
            whole, without = plan.fit(WHOLE, place), plan.fit(variant, place)
            assert whole.files == tuple(range(file - 9, file))
            assert without.files == tuple(f for f in whole.files if f % 3 != 2)

    def test_a_source_that_the_window_has_left_behind_takes_no_training(self) -> None:
        """Leaving it out is the same training then, and changes nothing."""
        source = taps(40, name=lambda day: f"{'old' if day < 3 else 'new'}/{day}.csv")
        found = run(source, features=False, files=20)

        (old,) = [one for one in found.effects if one.name == "old"]
        assert (old.change.difference, old.verdict) == (0.0, "unproven")

    def test_where_nothing_else_was_learned_files_are_left_out_and_counted(self) -> None:
        """Without the only source that there was, there is no model to compare."""
        source = taps(24, name=lambda day: f"{'old' if day < 14 else 'new'}/{day}.csv")
        found = run(source, features=False, files=12)

        (old,) = [one for one in found.effects if one.name == "old"]
        # Files 12 to 14 follow nothing but `old` in their windows.
        assert (old.untrained, old.change.files) == (3, 9)

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("taps/north/a.csv", "north"),
            ("taps/north/2026/a.csv", "north/2026"),
            ("taps/a.csv", ""),
            ("north/a.csv", "north"),
            ("a.csv", ""),
        ],
    )
    def test_a_source_is_the_folder_below_the_pipeline(self, name: str, expected: str) -> None:
        assert source_of(name, "taps") == expected


class TestPlans:
    def test_a_window_of_days_is_counted_back_from_the_newest_file(self, poisoned: Source) -> None:
        days = definition(DEFINITION.replace("{files: 9}", "{days: 4.5}"))
        plan = make_plan(days, poisoned.history, features=True, sources=False, files=10)

        assert plan.learned[0] == (27, 28, 29, 30, 31)

    def test_the_window_can_be_another(self, poisoned: Source) -> None:
        plan = make_plan(
            poisoned.definition, poisoned.history, features=True, sources=True, files=10, window=2
        )

        assert plan.learned[-1] == (39, 40)

    def test_without_a_window_all_that_came_before_is_learned(self, poisoned: Source) -> None:
        everything = definition(DEFINITION.replace("{files: 9}", "all"))
        plan = make_plan(everything, poisoned.history, features=True, sources=True, files=10)

        assert plan.learned[-1] == tuple(range(41))

    def test_too_few_files_are_refused(self) -> None:
        with pytest.raises(RefusedError, match="needs 8 files to predict after the first 1"):
            run(taps(8))

    def test_a_single_source_cannot_be_left_out(self) -> None:
        with pytest.raises(RefusedError, match="all files lie in the folder west"):
            run(taps(12, name=lambda day: f"west/{day}.csv"), features=False)


def test_another_column_left_out_is_another_fit(poisoned: Source) -> None:
    key = key_of(poisoned.definition, poisoned.history, {})
    fits = [Fit((1, 2)), Fit((1, 2), without=("heat",)), Fit((1, 2), without=("heat", "room"))]

    assert len({key(fit) for fit in fits}) == 3


def test_what_was_trained_once_is_remembered(poisoned: Source, tmp_path: Path) -> None:
    once = run(poisoned, tmp_path, files=8)
    plan = make_plan(poisoned.definition, poisoned.history, features=True, sources=True, files=8)
    again = fitter(poisoned, tmp_path)

    assert ablate(poisoned, plan, again).effects == once.effects
    assert again.counts.made == 0
    assert again.counts.remembered == once.trainings
