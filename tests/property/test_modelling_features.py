"""What a model sees of a row depends on that row alone, and nothing that a row holds stops it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from perennial.domain.modelling.calendar import CalendarParts
from perennial.domain.modelling.features import APPETITES, UNSEEN_CATEGORY, as_frame, features_for
from perennial.domain.modelling.frames import columns_of
from perennial.domain.modelling.inputs import MISSING_TIME, encode
from perennial.domain.modelling.precision import check_precision
from perennial.domain.modelling.standardise import BOUND, Standardise
from perennial.domain.modelling.text import normalise
from perennial.domain.modelling.tfidf import token_tfidf
from perennial.domain.versioning.manifest import Input
from perennial.errors import NotTrainable
from tests.property.test_modelling_parity import ROWS, VALUES, frames

KINDS = st.sampled_from(["hist_gradient_boosting", "linear"])
PATIENT = settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
WEEK = 7 * 86_400
FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=32)


def inputs_of(types: dict[str, str]) -> tuple[Input, ...]:
    return tuple(
        Input(name, f"x{place}", type_, nullable=True)  # type: ignore[arg-type]
        for place, (name, type_) in enumerate(types.items())
    )


def encoded(types: dict[str, str], frame: pd.DataFrame) -> pd.DataFrame:
    inputs = inputs_of(types)
    return as_frame(encode(inputs, columns_of(inputs, frame)))


def dense(features: Any) -> NDArray[np.float64]:
    return np.asarray(features.toarray() if hasattr(features, "toarray") else features)


@st.composite
def fitted(draw: st.DrawFn) -> tuple[Any, pd.DataFrame]:
    """Features that were fitted to some rows, and other rows, encoded."""
    kind = draw(KINDS)
    known = [type_ for type_ in VALUES if type_ != "text" or kind == "linear"]
    chosen = draw(st.lists(st.sampled_from(known), min_size=1, max_size=4))
    types = {f"{place} {type_}": type_ for place, type_ in enumerate(chosen)}
    train = encoded(types, draw(frames(types)))
    try:
        features = features_for(APPETITES[kind], inputs_of(types), train)
    except NotTrainable:
        assume(False)  # not one value in any column
    return features.fit(train), encoded(types, draw(frames(types)))


@PATIENT
@given(case=fitted(), order=st.permutations(range(ROWS)), cut=st.integers(1, ROWS - 1))
def test_other_rows_of_the_batch_and_their_order_change_nothing(
    case: tuple[Any, pd.DataFrame], order: list[int], cut: int
) -> None:
    features, rows = case
    whole = dense(features.transform(rows))
    permuted = dense(features.transform(rows.iloc[order]))
    parts = [dense(features.transform(part)) for part in (rows.iloc[:cut], rows.iloc[cut:])]
    np.testing.assert_array_equal(permuted, whole[order])
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@PATIENT
@given(data=st.data())
def test_a_rows_tensors_are_the_same_alone_and_among_others(data: st.DataObject) -> None:
    types = {type_: type_ for type_ in VALUES}
    inputs, frame = inputs_of(types), data.draw(frames(types))
    place = data.draw(st.integers(0, ROWS - 1))
    whole = encode(inputs, columns_of(inputs, frame))
    alone = encode(inputs, columns_of(inputs, frame.iloc[[place]]))
    for name, tensor in alone.items():
        np.testing.assert_array_equal(tensor, whole[name][[place]])


@given(
    known=st.lists(st.text("abc", max_size=3), min_size=1, max_size=20),
    strange=st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=2, max_size=5),
    kind=KINDS,
)
def test_an_unseen_category_is_unseen_whichever_it_is(
    known: list[str], strange: list[str], kind: str
) -> None:
    assume(not {*known} & {*strange})
    types = {"c": "category"}
    train = pd.DataFrame({"x0": known}, dtype=object)
    features = features_for(APPETITES[kind], inputs_of(types), train).fit(train)
    found = dense(features.transform(pd.DataFrame({"x0": strange}, dtype=object)))
    expected = UNSEEN_CATEGORY if kind == "hist_gradient_boosting" else 0
    np.testing.assert_array_equal(found, np.full_like(found, expected))
    seen = dense(features.transform(train))
    assert (seen != expected).any(axis=1).all()  # and no known one looks like it


@given(
    known=st.lists(st.none() | st.sampled_from("ab"), min_size=2, max_size=20),
    kind=KINDS,
)
def test_a_missing_category_is_one_like_any_other(known: list[str | None], kind: str) -> None:
    assume(None in known and any(known))
    rows = encoded({"c": "category"}, pd.DataFrame({"c": known}, dtype=object))
    features = features_for(APPETITES[kind], inputs_of({"c": "category"}), rows).fit(rows)
    found = {tuple(row) for row in dense(features.transform(rows)).tolist()}
    assert len(found) == len({*known})


@PATIENT
@given(data=st.data())
def test_a_linear_model_sees_finite_numbers_whatever_is_missing_or_wild(
    data: st.DataObject,
) -> None:
    types = {type_: type_ for type_ in VALUES}
    train, other = (encoded(types, data.draw(frames(types))) for _ in range(2))
    features = features_for(APPETITES["linear"], inputs_of(types), train).fit(train)
    assert np.isfinite(dense(features.transform(other))).all()


@given(rows=st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=30), other=FLOATS)
def test_standardised_numbers_are_bounded_and_gaps_are_medians_with_a_flag(
    rows: list[tuple[float, float]], other: float
) -> None:
    values = np.clip(np.array(rows, dtype=np.float32), -1e30, 1e30)
    scaler = Standardise().fit(values)
    found = scaler.transform(np.array([[other, np.nan]], dtype=np.float32))
    filled = scaler.transform(np.array([[other, scaler.medians_[1]]], dtype=np.float32))
    assert (np.abs(found[:, :2]) <= BOUND).all()
    np.testing.assert_array_equal(found[:, :2], filled[:, :2])
    flags = dict(zip(scaler.flagged_.tolist(), found[0, 2:], strict=True))
    assert flags.keys() == {place for place in (0, 1) if np.isnan(values[:, place]).any()}
    gaps = {0: float(np.isnan(other)), 1: 1.0}
    assert flags == {place: gaps[place] for place in flags}


@given(
    texts=st.lists(st.lists(st.sampled_from(["buy", "new", "song", "séa"])), min_size=1),
    strange=st.lists(st.sampled_from(["never", "heard", "of"]), max_size=4),
)
def test_words_that_training_never_saw_weigh_nothing(
    texts: list[list[str]], strange: list[str]
) -> None:
    tokens = [" ".join(words) for words in texts]
    weights = token_tfidf(tokens).fit(tokens)
    before = weights.transform(tokens).toarray()
    after = weights.transform([" ".join([*words, *strange]) for words in texts]).toarray()
    np.testing.assert_array_equal(after, before)
    lengths = np.linalg.norm(before, axis=1)
    assert (np.isclose(lengths, 1) | (lengths == 0)).all()


@given(text=st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise(text)
    assume(once.lower() == once)  # a few capitals of Unicode become several letters
    assert normalise(once) == once


@given(
    seconds=st.lists(st.integers(-(10**11), 10**11), min_size=1, max_size=20),
    weeks=st.integers(-5000, 5000),
    gap=st.integers(0, 19),
)
def test_whole_weeks_change_neither_hour_nor_weekday(
    seconds: list[int], weeks: int, gap: int
) -> None:
    times = np.array(seconds, dtype=np.int64).reshape(-1, 1)
    later = times + weeks * WEEK
    for column in (times, later):
        column[gap % len(times)] = MISSING_TIME
    parts = CalendarParts().fit(times)
    np.testing.assert_array_equal(
        parts.transform(later)[:, :2], parts.transform(times)[:, :2]
    )  # fmt: skip
    assert np.isnan(parts.transform(times)[gap % len(times)]).all()


@given(
    values=st.lists(st.floats(allow_nan=False, width=32), max_size=30),
    gaps=st.integers(0, 30),
    data=st.data(),
)
def test_what_float32_can_hold_is_never_refused_in_any_order_with_any_gaps(
    values: list[float], gaps: int, data: st.DataObject
) -> None:
    column = np.array(data.draw(st.permutations([*values, *[np.nan] * gaps])), dtype=np.float64)
    check_precision([Input("n", "x0", "number")], {"n": column})


@given(
    start=st.integers(2**26, 2**50), count=st.integers(8, 40),
    gaps=st.integers(0, 40), data=st.data(),
)  # fmt: skip
def test_consecutive_long_ids_are_refused_in_any_order_with_any_gaps(
    start: int, count: int, gaps: int, data: st.DataObject
) -> None:
    ids = [float(start + step) for step in range(count)]
    column = np.array(data.draw(st.permutations([*ids, *[np.nan] * gaps])), dtype=np.float64)
    with pytest.raises(NotTrainable, match="column id"):
        check_precision([Input("id", "x0", "integer")], {"id": column})
