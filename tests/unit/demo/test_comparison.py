"""Static against dynamic: sums over visits, month by month."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import cast

import pytest

from localdev.demo import shop
from localdev.demo.comparison import COIN_TOSS, instance, losses, months
from localdev.demo.events import Scored
from localdev.demo.tools import Answer, Tools


class CoinTosser:
    """Answers one half to every instance, and remembers whom it was asked to be."""

    def __init__(self) -> None:
        self.versions: set[str | None] = set()

    def predict(self, instances: Sequence[dict[str, object]], version: str | None = None) -> Answer:
        self.versions.add(version)
        return Answer(version or "", (0.5,) * len(instances))


def test_loss_is_minus_the_logarithm_of_what_was_given_to_the_outcome() -> None:
    assert list(losses([0.8, 0.8], [True, False])) == pytest.approx(
        [-math.log(0.8), -math.log(0.2)]
    )


def test_a_certain_mistake_costs_a_finite_loss() -> None:
    assert all(10 < loss < 20 for loss in losses([0.0, 1.0], [True, False]))


def test_months_weigh_weeks_by_their_visits_and_ask_the_static_version_alone() -> None:
    first, second, other = date(2026, 2, 3), date(2026, 2, 10), date(2026, 1, 27)
    dynamic = {other: 0.3, first: 0.5, second: 0.4}
    scored = {week: Scored(week, "v000007", 1, loss) for week, loss in dynamic.items()}
    tosser = CoinTosser()

    january, february = months(cast(Tools, tosser), "v000001", scored)

    visits = [len(shop.visits(week)) for week in (first, second)]
    assert (january.month, february.month) == ("2026-01", "2026-02")
    assert february.visits == sum(visits)
    assert february.static == pytest.approx(COIN_TOSS)
    assert february.dynamic == pytest.approx((0.5 * visits[0] + 0.4 * visits[1]) / sum(visits))
    assert tosser.versions == {"v000001"}


def test_an_instance_says_neither_who_came_nor_what_happened() -> None:
    [visit, *_] = shop.visits(shop.FIRST_DAY)
    assert set(shop.COLUMNS) - set(instance(visit)) == {"visit_id", "bought"}
