"""Who comes to the flower shop, when, and how they decide.

A visit belongs to one of three crowds, which no column names. Each crowd has its own tastes and its
own way to decide, and the *mix* of crowds drifts with the calendar. So what a visit's columns say
about buying drifts as well: nothing else in the demo knows in which month a model will be wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import TypeVar

_T = TypeVar("_T")

PRICES_UP = date(2025, 10, 6)
"""From this day on the same flowers cost `PRICE_RISE` times as much."""
PRICE_RISE = 1.25
MESSENGER_OPENED = date(2025, 12, 1)
"""From this day on the shop takes orders in a messenger: a channel nobody has seen before."""
VALENTINE = date(2026, 2, 14)
HOLIDAYS = (date(2025, 11, 1), date(2025, 12, 24), VALENTINE, date(2026, 3, 8))

_IN_SEASON = {
    "lavender": range(6, 10),
    "sunflowers": range(7, 11),
    "dahlias": range(7, 11),
    "chrysanthemums": range(9, 13),
    "tulips": (1, 2, 3, 4, 12),
    "roses": range(1, 13),
    "mixed": range(1, 13),
}


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """A kind of visitor.

    Attributes:
        channels: how they find the shop, with weights.
        bouquets: what they look at, with weights (out of season: nothing).
        basket_eur: median worth of what they put into the basket, at summer prices.
        pages: median number of pages that they look at.
        returning: share that has bought here before.
        gift_card: share that writes a card.
        hour: when they come, on average.
        buys: log-odds of buying with an ordinary basket of 30 euros after 6 pages, without a card.
        per_doubled_basket, per_doubled_pages, with_card: what that adds to the log-odds.
    """

    channels: Mapping[str, float]
    bouquets: Mapping[str, float]
    basket_eur: float
    pages: float
    returning: float
    gift_card: float
    hour: float
    buys: float
    per_doubled_basket: float
    per_doubled_pages: float
    with_card: float


DAY_TRIPPERS = Crowd(
    # They dream of big bouquets and long visits, and buy something small at once, or nothing.
    channels={"search": 0.5, "social": 0.4, "newsletter": 0.1},
    bouquets={"lavender": 3, "sunflowers": 3, "roses": 2, "dahlias": 1, "mixed": 2},
    basket_eur=36,
    pages=7,
    returning=0.1,
    gift_card=0.25,
    hour=15,
    buys=-0.8,
    per_doubled_basket=-1.8,
    per_doubled_pages=-1.4,
    with_card=-1.0,
)
REGULARS = Crowd(
    # Flowers for the table: they know what they want.
    channels={"newsletter": 0.6, "search": 0.25, "social": 0.15},
    bouquets={"mixed": 3, "tulips": 3, "dahlias": 2, "chrysanthemums": 2, "sunflowers": 1},
    basket_eur=24,
    pages=4,
    returning=0.85,
    gift_card=0.1,
    hour=11,
    buys=0.2,
    per_doubled_basket=-0.9,
    per_doubled_pages=-0.8,
    with_card=0.3,
)
GIVERS = Crowd(
    # Once or twice a year, for somebody: the more they have chosen and read, the surer they are.
    channels={"search": 0.6, "social": 0.3, "newsletter": 0.1},
    bouquets={"roses": 6, "tulips": 2, "mixed": 1, "chrysanthemums": 1},
    basket_eur=46,
    pages=9,
    returning=0.15,
    gift_card=0.6,
    hour=19,
    buys=0.2,
    per_doubled_basket=1.4,
    per_doubled_pages=1.1,
    with_card=1.0,
)


@dataclass(frozen=True, slots=True)
class Visit:
    """One row: a visit to the shop, and whether it ended in a sale.

    Field names are the columns' names. `visited_at` is ISO 8601, UTC.
    """

    visit_id: str
    visited_at: str
    channel: str
    bouquet: str
    basket_eur: float
    pages: int
    returning: bool
    gift_card: bool
    days_to_holiday: int
    bought: bool


def crowds_on(day: date) -> Mapping[Crowd, float]:
    """How strongly each crowd comes on a day; 1 is the regulars' own strength."""
    summer_left = (date(2025, 9, 14) - day).days
    before_christmas = (date(2025, 12, 24) - day).days
    before_valentine = (VALENTINE - day).days
    return {
        REGULARS: 1.0,
        DAY_TRIPPERS: 0.1 + 1.6 / (1 + math.exp(-summer_left / 5)),
        GIVERS: 0.02 + _rise(before_christmas, 0.9, 12) + _rise(before_valentine, 3.0, 9),
    }


def visit(key: str, day: date, random: Random) -> Visit:
    """One visit on a day, with its outcome drawn from the crowd's way to decide."""
    strengths = crowds_on(day)
    crowd = _pick(strengths, random)
    prices = PRICE_RISE if day >= PRICES_UP else 1.0
    basket = crowd.basket_eur * prices * math.exp(random.gauss(0, 0.45))
    pages = max(1, round(crowd.pages * math.exp(random.gauss(0, 0.5))))
    gift_card = random.random() < crowd.gift_card
    returning = random.random() < crowd.returning
    channel = _pick(crowd.channels, random)
    if day >= MESSENGER_OPENED and random.random() < 0.3:
        channel = "messenger"
    log_odds = (
        crowd.buys
        + crowd.per_doubled_basket * math.log2(basket / (30 * prices))
        + crowd.per_doubled_pages * math.log2(pages / 6)
        + crowd.with_card * gift_card
        + 1.2 * (channel == "messenger")  # who writes to the shop has mostly decided
    )
    in_season = {b: w for b, w in crowd.bouquets.items() if day.month in _IN_SEASON[b]}
    hour = min(23, max(6, round(random.gauss(crowd.hour, 3))))
    return Visit(
        visit_id=key,
        visited_at=f"{day}T{hour:02d}:{random.randrange(60):02d}:{random.randrange(60):02d}Z",
        channel=channel,
        bouquet=_pick(in_season, random),
        basket_eur=round(basket, 2),
        pages=pages,
        returning=returning,
        gift_card=gift_card,
        days_to_holiday=min((h - day).days for h in HOLIDAYS if h >= day),
        bought=random.random() < 1 / (1 + math.exp(-log_odds)),
    )


def _rise(days_left: int, height: float, days: float) -> float:
    """A crowd that grows until the day and is gone on the next."""
    return height * math.exp(-days_left / days) if days_left >= 0 else 0.0


def _pick(weights: Mapping[_T, float], random: Random) -> _T:
    return random.choices(list(weights), list(weights.values()))[0]
