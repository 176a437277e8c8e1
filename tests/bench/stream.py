"""Weekly files of hourly bicycle rentals: the real ones, or as many as one likes of their shape."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

BIKE = Path("../shared/data/bike/files")
ROWS = 168  # hours of a week
START = datetime(2011, 1, 1)  # noqa: DTZ001 - as the files have it

DEFINITION = """
name: {name}
task: regression
columns:
  event_time: {{type: timestamp, role: event_time}}
  season: {{type: integer}}
  mnth: {{type: integer}}
  hr: {{type: integer}}
  holiday: {{type: integer}}
  weekday: {{type: integer}}
  workingday: {{type: integer}}
  weathersit: {{type: integer}}
  temp: {{type: number}}
  atemp: {{type: number}}
  hum: {{type: number}}
  windspeed: {{type: number}}
  cnt: {{type: integer, role: label, rules: [{{range: [0, null]}}]}}
training: {{window: {window}}}
"""


def weeks(count: int) -> tuple[str, Iterator[bytes]]:
    """So many files, and what they are: the real ones as far as there are that many."""
    real = sorted(BIKE.iterdir()) if BIKE.is_dir() else []
    if len(real) >= count:
        return "bike", (file.read_bytes() for file in real[:count])
    return "synthetic", (synthetic(week) for week in range(count))


def synthetic(week: int) -> bytes:
    """A week of a seeded stream with bike's columns, seasons, noise and growth."""
    chance = np.random.default_rng(week)
    times = [START + timedelta(weeks=week, hours=hour) for hour in range(ROWS)]
    hours = np.array([time.hour for time in times])
    months = np.array([time.month for time in times])
    days = np.array([time.isoweekday() % 7 for time in times])
    working = (days % 6 > 0).astype(int)
    temp = 0.5 - 0.3 * np.cos(2 * np.pi * months / 12) + chance.normal(0, 0.05, ROWS)
    rush = working * (np.exp(-((hours - 8) ** 2) / 4) + np.exp(-((hours - 18) ** 2) / 6))
    level = 40 + 300 * rush + 200 * temp * (hours > 6) + week % 200
    frame = pd.DataFrame({
        "event_time": [f"{time:%Y-%m-%d %H:%M:%S}" for time in times],
        "season": months % 12 // 3 + 1, "mnth": months, "hr": hours,
        "holiday": (chance.random() < 0.03) * np.ones(ROWS, int), "weekday": days,
        "workingday": working, "weathersit": chance.integers(1, 4, ROWS),
        "temp": temp.round(2), "atemp": (temp * 0.95).round(4),
        "hum": chance.uniform(0.2, 1, ROWS).round(2),
        "windspeed": chance.uniform(0, 0.5, ROWS).round(4),
        "cnt": np.maximum(chance.normal(level, 20), 0).astype(int),
    })  # fmt: skip
    text = io.StringIO()
    frame.to_csv(text, index=False)
    return text.getvalue().encode()
