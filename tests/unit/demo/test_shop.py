"""The flower shop's files: the same always, wrong where they should be, drifting as told."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import os
import subprocess
import sys
from datetime import date, timedelta
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from localdev.demo import shop
from localdev.demo.crowds import MESSENGER_OPENED, PRICE_RISE, PRICES_UP
from localdev.demo.story import DEFINITION, FILES_A_RUN
from perennial.domain.definitions import definition

COIN_TOSS = 0.693
"""Log loss of a model that always says one half."""


def parse(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


def digest_of_all_files(seed: int) -> str:
    files = chain.from_iterable(shop.uploads(week, seed=seed) for week in shop.weeks())
    return hashlib.sha256(b"".join(file.data for file in files)).hexdigest()


def test_a_seed_gives_the_same_files_in_every_process() -> None:
    """Neither hash randomisation nor the order of calls changes a byte."""
    root = Path(shop.__file__).parents[2]
    program = (
        "import hashlib; from localdev.demo import shop;"
        "weeks = [shop.uploads(week, seed=7) for week in reversed(list(shop.weeks()))];"
        "files = b''.join(file.data for week in reversed(weeks) for file in week);"
        "print(hashlib.sha256(files).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }
    assert digests == {digest_of_all_files(seed=7)}


def test_another_seed_gives_other_files() -> None:
    assert digest_of_all_files(seed=0) != digest_of_all_files(seed=1)


def test_the_weeks_cover_every_day_once_from_july_to_february() -> None:
    days = [v.visited_at[:10] for week in shop.weeks() for v in shop.visits(week)]
    expected = [
        str(shop.FIRST_DAY + timedelta(days=n))
        for n in range((shop.LAST_DAY - shop.FIRST_DAY).days + 1)
    ]
    assert list(dict.fromkeys(days)) == expected


def test_a_visit_id_never_returns() -> None:
    keys = [visit.visit_id for week in shop.weeks() for visit in shop.visits(week)]
    assert len(keys) == len(set(keys))


def test_good_files_have_the_columns_that_the_definition_declares() -> None:
    declared = definition.parse(DEFINITION.read_text())
    [file] = shop.uploads(shop.FIRST_DAY)
    assert list(parse(file.data)[0]) == list(declared.columns)


def test_the_story_drops_as_many_files_at_a_time_as_cause_a_training() -> None:
    declared = definition.parse(DEFINITION.read_text())
    assert declared.training.trigger.files == FILES_A_RUN


def test_every_mishap_is_followed_by_the_good_file() -> None:
    sent = {week: shop.uploads(week) for week in shop.weeks()}
    assert {week: files[0].mishap for week, files in sent.items() if len(files) > 1} == shop.MISHAPS
    assert all(files[-1].mishap is None for files in sent.values())


def uploads_with(mishap: shop.Mishap) -> list[shop.Upload]:
    [week] = [week for week, what in shop.MISHAPS.items() if what == mishap]
    return shop.uploads(week)


def test_the_truncated_upload_does_not_unpack_and_the_second_does() -> None:
    cut, whole = uploads_with("truncated")
    with pytest.raises(EOFError):
        gzip.decompress(cut.data)
    assert len(parse(gzip.decompress(whole.data))) > 100


def test_the_html_page_is_sent_under_the_name_of_a_csv_file() -> None:
    page, _ = uploads_with("html")
    assert page.name.endswith(".csv")
    assert page.data.startswith(b"<!DOCTYPE html>")


def test_the_week_in_cents_differs_in_the_amounts_alone_and_breaks_the_written_range() -> None:
    cents, euros = (parse(file.data) for file in uploads_with("cents"))
    for wrong, right in zip(cents, euros, strict=True):
        assert float(wrong.pop("basket_eur")) == pytest.approx(100 * float(right.pop("basket_eur")))
        assert wrong == right
    good = [visit.basket_eur for week in shop.weeks() for visit in shop.visits(week)]
    assert max(good) <= 500 < sorted(100 * amount for amount in good)[len(good) // 2]


def test_the_messenger_is_a_channel_that_nobody_saw_before_december() -> None:
    opened = str(MESSENGER_OPENED)
    channels = {True: set(), False: set()}
    for visit in chain.from_iterable(map(shop.visits, shop.weeks())):
        channels[visit.visited_at >= opened].add(visit.channel)
    assert channels[True] - channels[False] == {"messenger"}


def test_the_price_rise_shows_in_the_regulars_baskets() -> None:
    def typical(first: date, last: date) -> float:
        visits = chain.from_iterable(map(shop.visits, shop.weeks()))
        span = [v for v in visits if str(first) <= v.visited_at < str(last) and v.returning]
        return float(np.median([v.basket_eur for v in span]))

    month = timedelta(days=28)
    rise = typical(PRICES_UP, PRICES_UP + month) / typical(PRICES_UP - month, PRICES_UP)
    assert rise == pytest.approx(PRICE_RISE, rel=0.1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_model_of_july_and_august_fails_in_february_and_the_retrained_one_does_not(
    seed: int,
) -> None:
    """Plain scikit-learn sees the drift that the demo tells of; nothing of ours takes part."""
    rows = pd.DataFrame(
        chain.from_iterable(shop.visits(week, seed=seed) for week in shop.weeks())
    ).assign(visited_at=lambda frame: pd.to_datetime(frame.visited_at))
    september = rows[rows.visited_at.between("2025-09-01", "2025-10-01")]
    february = rows[rows.visited_at >= "2026-02-01"]
    static = fit(rows[rows.visited_at < "2025-09-01"])
    retrained = fit(rows[rows.visited_at < "2026-01-20"])

    losses = {
        "static, September": loss(static, september),
        "static, February": loss(static, february),
        "retrained, February": loss(retrained, february),
    }
    print(f"seed {seed}:", {name: round(value, 3) for name, value in losses.items()})
    assert losses["static, September"] < COIN_TOSS
    assert losses["static, February"] > 1.1 * COIN_TOSS
    assert losses["retrained, February"] < 0.8 * COIN_TOSS


def features(rows: pd.DataFrame) -> pd.DataFrame:
    parts = {"hour": rows.visited_at.dt.hour, "day_of_week": rows.visited_at.dt.day_of_week}
    return rows.drop(columns=["visit_id", "visited_at", "bought"]).assign(**parts)


def fit(rows: pd.DataFrame) -> Pipeline:
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return make_pipeline(
        make_column_transformer((encoder, ["channel", "bouquet"]), remainder="passthrough"),
        HistGradientBoostingClassifier(random_state=0),
    ).fit(features(rows), rows.bought)


def loss(model: Pipeline, rows: pd.DataFrame) -> float:
    return float(log_loss(rows.bought, model.predict_proba(features(rows))))
