"""One call makes a model of typed rows, or says in a sentence why it cannot."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from perennial.domain.definitions.definition import Definition
from perennial.domain.modelling.text import TEXT_V1
from perennial.domain.modelling.training import fit
from perennial.errors import NotTrainable

Define = Callable[..., Definition]
N = 200
X = np.linspace(-3, 3, N)


def rows(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"x": X, **columns})


def test_a_regression_answers_one_number_a_row(define: Define) -> None:
    model = fit(define(), rows(y=2 * X))
    assert model.predict(rows()).shape == (N,)
    assert np.abs(model.predict(rows()) - 2 * X).mean() < 0.2
    assert (model.classes, model.rows, model.text) == ((), N, "")


def test_a_classification_answers_a_probability_for_each_class_in_order(define: Define) -> None:
    labels = np.where(X < -1, "low", np.where(X < 1, "mid", "high"))
    model = fit(define("multiclass"), rows(y=labels))
    found = model.predict(rows())
    assert model.classes == ("high", "low", "mid")
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (np.array(model.classes)[found.argmax(axis=1)] == labels).mean() > 0.95


@pytest.mark.parametrize("kind", ["hist_gradient_boosting", "linear"])
def test_a_declared_class_that_never_occurred_has_probability_zero(
    define: Define, kind: str
) -> None:
    definition = define(
        "multiclass", {"classes": ["never", "b", "a"]}, training={"model": kind}
    )  # fmt: skip
    found = fit(definition, rows(y=np.where(X < 0, "a", "b"))).predict(rows())
    assert found.shape == (N, 3)
    assert (found[:, 0] == 0).all()
    assert found[0].argmax() == 2


def test_rows_without_a_label_are_left_out_and_counted(define: Define) -> None:
    labels = pd.Series(2 * X)
    labels[::4] = None
    model = fit(define(), rows(y=labels))
    assert (model.rows, model.unlabelled_rows) == (N - N // 4, N // 4)


def test_integer_labels_that_nulls_made_floats_are_integers_again(define: Define) -> None:
    labels = pd.Series((X > 0).astype(float))
    labels[0] = None
    model = fit(define("binary", {"type": "integer"}), rows(y=labels))
    assert model.classes == (0, 1)
    assert [type(c) for c in model.classes] == [int, int]


def test_predictions_stay_within_what_the_label_may_be(define: Define) -> None:
    definition = define(
        label={"rules": [{"range": [0, None]}, {"range": [None, 2], "severity": "reject"}]},
        training={"model": "linear"},
    )
    found = fit(definition, rows(y=np.clip(X, 0, 2))).predict(rows(x=X * 10))
    assert (found.min(), found.max()) == (0, 2)


def test_a_rule_that_only_warns_does_not_bound_predictions(define: Define) -> None:
    rule = {"range": [0, 1], "severity": "warn"}
    model = fit(define(label={"rules": [rule]}, training={"model": "linear"}), rows(y=5 * X))
    assert model.predict(rows()).min() < -5


@pytest.mark.parametrize("kind", ["hist_gradient_boosting", "linear"])
def test_the_same_rows_and_seed_give_the_same_model(define: Define, kind: str) -> None:
    definition = define(training={"model": kind})
    first, second = (fit(definition, rows(y=2 * X), seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.predict(rows()), second.predict(rows()))
    assert first.seed == 3
    assert fit(definition, rows(y=2 * X)).seed == definition.training.seed


@pytest.mark.parametrize("kind", ["hist_gradient_boosting", "linear"])
@pytest.mark.parametrize("task", ["regression", "binary"])
def test_empty_and_constant_columns_of_every_type_do_no_harm(
    define: Define, kind: str, task: str
) -> None:
    types = ["integer", "number", "boolean", "category", "timestamp"]
    types += ["text"] if kind == "linear" else []
    some = {
        "integer": 3, "number": 0.1, "boolean": True, "category": "a", "text": "one word",
        "timestamp": pd.Timestamp("2025-02-14", tz="UTC"),
    }  # fmt: skip
    columns: dict[str, dict[str, object]] = {"x": {"type": "number"}}
    frame = rows(y=2 * X if task == "regression" else X > 0)
    for type_ in types:
        columns |= {f"{kind}_{type_}": {"type": type_, "nullable": True} for kind in "ec"}
        dtype = "datetime64[us, UTC]" if type_ == "timestamp" else object
        frame[f"e_{type_}"] = pd.Series([None] * N, dtype=dtype)
        frame[f"c_{type_}"] = some[type_]
    model = fit(define(task, columns=columns, training={"model": kind}), frame)
    alone = fit(define(task, training={"model": kind}), frame)
    np.testing.assert_allclose(model.predict(frame), alone.predict(frame), atol=1e-3)


@pytest.mark.parametrize("kind", ["hist_gradient_boosting", "linear"])
def test_an_unseen_category_and_a_missing_number_have_an_answer(define: Define, kind: str) -> None:
    columns = {"x": {"type": "number", "nullable": True}, "c": {"type": "category"}}
    definition = define(columns=columns, training={"model": kind})
    frame = rows(c=np.where(X > 0, "red", "blue"), y=2 * X)
    strange = pd.DataFrame({"x": [None], "c": ["green"]}, dtype=object)
    assert np.isfinite(fit(definition, frame).predict(strange)).all()


def test_a_category_is_learned(define: Define) -> None:
    colours = np.random.default_rng(0).choice(["red", "blue", "green"], N)
    labels = pd.Series(colours).map({"red": 0.0, "blue": 5.0, "green": 1.0})
    columns = {"x": {"type": "number"}, "c": {"type": "category"}}
    for kind in ("hist_gradient_boosting", "linear"):
        model = fit(define(columns=columns, training={"model": kind}), rows(c=colours, y=labels))
        assert np.abs(model.predict(rows(c=colours)) - labels).mean() < 0.2


def test_hours_and_months_of_the_event_time_are_learned(define: Define) -> None:
    times = pd.date_range("2024-01-01", periods=4000, freq="7h", tz="UTC")
    labels = times.hour + 100.0 * times.month
    columns = {"t": {"type": "timestamp", "role": "event_time"}}
    model = fit(define(columns=columns), pd.DataFrame({"t": times, "y": labels}))
    later = pd.DataFrame({"t": times + pd.Timedelta("1h")})
    truth = later["t"].dt.hour + 100.0 * later["t"].dt.month
    assert np.abs(model.predict(later) - truth).mean() < 1


def test_words_are_learned_and_named_by_their_normalisation(define: Define) -> None:
    texts = np.where(X > 0, "Subscribe to my CHANNEL!", "lovely séa song")
    columns = {"t": {"type": "text"}}
    model = fit(
        define("binary", columns=columns, training={"model": "linear"}), rows(t=texts, y=X > 0)
    )
    assert model.text == TEXT_V1
    found = model.predict(pd.DataFrame({"t": ["SUBSCRIBE, channel", "a séa"]}))
    assert found[:, 1].tolist() == sorted(found[:, 1], reverse=True)


@pytest.mark.parametrize(
    ("task", "labels", "sentence"),
    [
        ("binary", [True] * N, "two values of y are needed to learn from, found only True"),
        ("binary", [None] * N, "two values of y are needed to learn from, found none"),
        ("regression", [None] * N, "a regression needs two rows with y, found 0 rows"),
        ("regression", [1.0] + [None] * (N - 1), "a regression needs two rows with y, found 1 row"),
    ],
)
def test_labels_that_teach_nothing_are_refused_in_a_sentence(
    define: Define, task: str, labels: list[object], sentence: str
) -> None:
    with pytest.raises(NotTrainable, match=sentence):
        fit(define(task), rows(y=pd.Series(labels, dtype=object)))


def test_a_third_value_in_a_binary_label_is_refused_with_the_values_found(define: Define) -> None:
    definition = define("binary", {"type": "integer"})
    with pytest.raises(
        NotTrainable, match="task binary is for two values of y, found 3: 0, 1, 2; task multiclass"
    ):
        fit(definition, rows(y=np.arange(N) % 3))
    with pytest.raises(NotTrainable, match="found 50: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 40 more;"):
        fit(definition, rows(y=np.arange(N) % 50))


def test_a_refusal_says_among_which_rows_something_is_missing(define: Define) -> None:
    with pytest.raises(NotTrainable, match=r"found only True in the first 200 rows$"):
        fit(define("binary"), rows(y=True), among=" in the first 200 rows")


def test_a_label_outside_of_the_declared_classes_is_refused_by_name(define: Define) -> None:
    definition = define("multiclass", {"classes": ["a", "b"]})
    labels = np.where(X < 0, "a", "c")
    with pytest.raises(
        NotTrainable, match=r"y has the value 'c', which is none of its classes \('a', 'b'\)"
    ):
        fit(definition, rows(y=labels))


def test_a_parameter_that_scikit_learn_refuses_is_reported(define: Define) -> None:
    definition = define(training={"parameters": {"max_iter": -3}})
    with pytest.raises(NotTrainable, match="'max_iter' parameter"):
        fit(definition, rows(y=X))


def test_a_column_that_float32_cannot_carry_is_refused(define: Define) -> None:
    columns = {"x": {"type": "number"}, "id": {"type": "integer"}}
    with pytest.raises(NotTrainable, match="column id"):
        fit(define(columns=columns), rows(id=10**15 + np.arange(N), y=X))


def test_two_rows_are_enough(define: Define) -> None:
    for kind in ("hist_gradient_boosting", "linear"):
        for task, labels in (("regression", [1.0, 2.0]), ("binary", [True, False])):
            definition = define(task, training={"model": kind})
            found = fit(definition, pd.DataFrame({"x": [1.0, 2.0], "y": labels})).predict(rows())
            assert np.isfinite(found).all()


def test_rows_without_any_value_are_refused(define: Define) -> None:
    with pytest.raises(NotTrainable, match="no column has a value"):
        fit(define(), rows(y=X).assign(x=None))
