"""A stationary stream has no findings, whatever chance does in two hundred files."""

from __future__ import annotations

import random

import pytest

FILES = 200


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_hundred_stationary_files_have_no_finding(world, visits, seed, capsys):
    """About a day apart, some late, of 60 to 160 rows; each learned, scored and asked about."""
    chance = random.Random(seed)
    for number in range(FILES):
        world.wait(hours=24 * chance.uniform(0.7, 1.3))
        rows = chance.randint(60, 160)
        stem = world.drop(visits(f"{seed}/{number}", rows))
        world.wait(seconds=30)
        world.run(seconds=chance.uniform(15, 30))
        world.score(stem, 0.45 * chance.lognormvariate(0, 0.12), rows=rows)
        world.ask_about(visits(f"{seed}/{number} asked", 60))
        world.wait(minutes=5)
        world.look()
    with capsys.disabled():
        print(f"\nseed {seed}: {len(world.opened())} false alarms in {FILES} files")
    assert world.opened() == []
