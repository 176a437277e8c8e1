"""A version's card says what a person should know before trusting it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from perennial.domain.definitions.definition import parse
from perennial.domain.versioning.card import card
from perennial.domain.versioning.manifest import Manifest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEFINITION = parse(
    """\
name: shop
task: binary
columns:
  at: {type: timestamp, role: event_time, nullable: false}
  pages: {type: integer}
  bought: {type: boolean, role: label}
"""
)
MANIFEST = Manifest(
    pipeline="shop", version="v000003", task="binary", label="bought", classes=(False, True),
    inputs=(), text="", files={}, run="run-7", champion="v000002", definition="83640f202acbb006bc",
    trained_rows=1000, trained_through=NOW, created=NOW, seed=42,
    environment={"python": "3.11.7", "scikit-learn": "1.9.1", "numpy": "2.4.6"},
)  # fmt: skip
EVALUATION: dict[str, Any] = {
    "reason": "better, passes: the loss is lower",
    "champion": "v000002",
    "metric": "log_loss",
    "duel": {"challenger_loss": 0.5, "champion_loss": 0.6},
    "measured": {
        "challenger": {
            "metrics": {"log_loss": 0.5, "accuracy": 0.75},
            "slices": {
                "channel": {
                    "mail": {"rows": 40, "metrics": {"log_loss": 0.4}},
                    "<b>": {"rows": 1, "metrics": {"log_loss": 0.9}},
                    "none": {"rows": 0, "metrics": {}},
                }
            },
        },
        "champion": {"metrics": {"log_loss": 0.6, "accuracy": 0.7}, "slices": {}},
    },
    "floors": [{"sentence": "accuracy is 0.75 on 60 rows, and must be at least 0.7"}],
    "held_out": {"rows": 60, "first": "2026-02-01", "last": "2026-02-28"},
    "trained": {"rows": 1000, "first": "2025-07-01", "last": "2026-02-28"},
    "parity": {"rows": 60, "probes": 6332.0, "largest_difference": 2.75e-07},
    "importance": None,
}


@pytest.mark.parametrize(
    "line",
    [
        "# shop v000003",
        "- **Duel:** better, passes: the loss is lower.",
        "- **Learned from:** 1,000 rows of 12 files, 2025-07-01 to 2026-02-28.",
        "- **Judged on:** 60 rows, 2026-02-01 to 2026-02-28 that neither it nor v000002 had",
        "- **log_loss:** 0.5; of v000002: 0.6.",
        "- **Also:** accuracy 0.75 (of v000002: 0.7).",
        "- **Weakest channel:** <b>, log_loss 0.9 on 1 row.",
        "- **Floors:** accuracy is 0.75 on 60 rows, and must be at least 0.7.",
        "- **Reads:** pages; event time in at.",
        "- **Needs:** not measured, because no rows were held out.",
        "- **Graph:** agrees with the model to 3e-07 on 60 held-out rows and 6,332 rows made",
        "- **Made by:** run `run-7`, with seed 42, by definition `83640f202acb`, with python",
        "with python 3.11.7, scikit-learn 1.9.1.",
    ],
)
def test_it_says(line: str) -> None:
    assert line in card(DEFINITION, MANIFEST, EVALUATION, 12)


def test_a_first_version_without_rows_to_judge_on_has_a_card_too() -> None:
    evaluation = deepcopy(EVALUATION) | {"champion": None, "floors": []}
    evaluation["duel"] = {"challenger_loss": None, "champion_loss": None}
    nothing = {"metrics": {}, "slices": {"channel": {}}}
    evaluation["measured"] = {"challenger": nothing, "champion": None}
    text = card(DEFINITION, replace(MANIFEST, environment={}), evaluation, 1)
    assert (
        "- **log_loss:** not measured; of a constant predictor: not measured.\n- **Reads:**" in text
    )
    assert "in an environment that is not on record" in text
    assert "of 1 file," in text
