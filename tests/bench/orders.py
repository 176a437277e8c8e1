"""A large CSV of 14 columns, all good or with rows that break a known rule, and its definition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

DEFINITION = """
name: orders
task: regression
columns:
  order: {type: category, role: key}
  at: {type: timestamp, role: event_time}
  region: {type: category, rules: [{allowed: [north, east, south, west]}]}
  sku: {type: category, rules: [{pattern: '[A-Z]{2}-[0-9]{4}'}]}
  channel: {type: category, nullable: true, rules: [{allowed: [web, shop, phone]}]}
  quantity: {type: integer, rules: [{range: [1, 100]}]}
  visits: {type: integer, rules: [{range: [0, 1000]}]}
  age: {type: integer, nullable: true, rules: [{range: [0, 120]}]}
  price: {type: number, rules: [{range: [0, 10000]}]}
  discount: {type: number, nullable: true, rules: [{range: [0, 1]}]}
  weight: {type: number, rules: [{range: [0, 500]}]}
  distance: {type: number, rules: [{range: [0, 20000]}]}
  member: {type: boolean}
  amount: {type: number, role: label, rules: [{range: [0, null]}]}
"""

FAULTS = {
    "quantity": "many",
    "visits": "4321",
    "age": "-7",
    "price": "10000.01",
    "discount": "n/a",
    "weight": None,
    "region": "Atlantis",
    "sku": "zz-12",
    "member": "perhaps",
    "at": "2024-13-45T00:00:00Z",
}
"""A cell of each of these columns that breaks one rule; a repeated key is one fault more."""

_FIRST = 1_704_067_200


def write(path: Path, rows: int, faulty: int, *, seed: int = 5) -> list[int]:
    """Write such a file.

    Args:
        path: where to.
        rows: below the header.
        faulty: how many of them break one rule each, the kinds of fault in turn.
        seed: of everything random.

    Returns:
        The lines of the faulty rows, increasing; the header is line 1.
    """
    random = np.random.default_rng(seed)
    frame = _good(random, rows)
    places = np.sort(random.choice(np.arange(1, rows), faulty, replace=False))
    turns = random.permutation(faulty) % (len(FAULTS) + 1)
    for kind, (column, cell) in enumerate(FAULTS.items()):
        frame = _spoilt(frame, column, places[turns == kind], cell)
    for place in places[turns == len(FAULTS)]:
        # Of the row before, which may be faulty in another way, but has a key of its own.
        frame = _spoilt(frame, "order", np.array([place]), f"O{place - 1:09d}")
    frame.write_csv(path)
    return [int(place) + 2 for place in places]


def _good(random: np.random.Generator, rows: int) -> pl.DataFrame:
    """Text cells as they shall stand in the file; null where empty."""
    numbers = {
        "quantity": random.integers(1, 101, rows),
        "visits": random.integers(0, 1001, rows),
        "age": random.integers(0, 121, rows),
        "price": np.round(random.gamma(2.0, 20.0, rows), 2),
        "discount": np.round(random.random(rows), 3),
        "weight": np.round(random.random(rows) * 500, 3),
        "distance": np.round(random.random(rows) * 20_000, 1),
        "amount": np.round(random.gamma(2.0, 50.0, rows), 2),
    }
    letters = random.choice([f"{a}{b}" for a in "ABCDE" for b in "QRSTU"], rows)
    digits = random.integers(0, 10_000, rows)
    member = random.random(rows) < 0.5
    empty = random.random((2, rows))
    place = pl.int_range(rows, eager=True)
    text = pl.DataFrame(numbers).select(pl.all().cast(pl.String))
    return text.select(
        order=pl.lit("O") + place.cast(pl.String).str.zfill(9),
        at=pl.from_epoch(place * 20 + _FIRST).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        region=pl.Series(random.choice(["north", "east", "south", "west"], rows)),
        sku=pl.Series(letters) + "-" + pl.Series(digits).cast(pl.String).str.zfill(4),
        channel=pl.when(pl.Series(empty[0]) > 0.05).then(
            pl.Series(random.choice(["web", "shop", "phone"], rows))
        ),
        quantity="quantity",
        visits="visits",
        age=pl.when(pl.Series(empty[1]) > 0.1).then("age"),
        price="price",
        discount=pl.when(pl.Series(empty[1]) < 0.8).then("discount"),
        weight="weight",
        distance="distance",
        member=pl.Series(np.where(member, "true", "false")),
        amount="amount",
    )


def _spoilt(frame: pl.DataFrame, column: str, places: np.ndarray, cell: str | None) -> pl.DataFrame:
    """With this cell in these rows of a column."""
    return frame.with_columns(frame[column].scatter(pl.Series(places, dtype=pl.UInt32), cell))
