"""Each JSON value becomes what training read from a file, or an error that names its place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.domain.modelling.inputs import encode
from perennial.domain.serving.instance_groups import GROUPS
from perennial.domain.serving.instance_values import MAX_TEXT, reader
from perennial.domain.serving.instances import (
    MAX_ERRORS,
    MAX_IGNORED,
    FieldError,
    ignored_fields,
    read_instances,
)
from perennial.domain.versioning.manifest import Input, InputType

NOON = datetime(2025, 2, 14, 12, tzinfo=UTC)


def read_one(value: object, kind: InputType, **options: object) -> object:
    """The typed value, or the error's expectation."""
    one = Input("column", "i0", kind, **options)  # type: ignore[arg-type]
    reading = read_instances([one], [{"column": value}])
    return reading.errors[0] if reading.errors else reading.columns["column"][0]


@pytest.mark.parametrize("kind", ["text", "category"])
def test_a_string_that_is_too_long_is_named_with_its_length(kind: InputType) -> None:
    """Among others, too, which are judged together."""
    inputs = [Input(name, name, kind, nullable=True) for name in ("a", "b")]
    longest, longer = "x" * MAX_TEXT, "x" * (MAX_TEXT + 1)
    rows = [{"a": longest, "b": None}, {"a": "x", "b": longer}]

    assert read_instances(inputs, rows[:1]).columns["a"][0] == longest
    (error,) = read_instances(inputs, rows).errors
    assert error == FieldError(1, "b", "a string of at most 1048576 characters", "one of 1048577")


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (3, "integer", 3),
        (3.0, "integer", 3),
        (-5, "integer", -5),
        ("42", "integer", 42),
        ("42.0", "integer", 42),
        (2**24, "integer", 2**24),
        (2**40, "integer", 2**40),
        (3, "number", 3),
        (3.25, "number", 3.25),
        ("3.25", "number", 3.25),
        ("-1e3", "number", -1000),
        (".5", "number", 0.5),
        (True, "boolean", True),
        (0, "boolean", False),
        (1.0, "boolean", True),
        ("TRUE", "boolean", True),
        ("0", "boolean", False),
        ("red", "category", "red"),
        ("é#%", "category", "é#%"),
        ("", "text", ""),
        ("Hello there", "text", "Hello there"),
        ("2025-02-14T12:00:00Z", "timestamp", NOON),
        ("2025-02-14T13:00:00+01:00", "timestamp", NOON),
        ("2025-02-14T12:00:00", "timestamp", NOON),
        ("2025-02-14 12:00", "timestamp", NOON),
    ],
)
def test_a_value_that_fits_its_column_is_read(
    value: object, kind: InputType, expected: object
) -> None:
    assert read_one(value, kind) == expected


@pytest.mark.parametrize(
    ("value", "kind", "expected", "found"),
    [
        ("three", "integer", "a number", '"three"'),
        (3.5, "integer", "an integer", "3.5"),
        (True, "integer", "a number", "true"),
        (2**24 + 1, "integer", "float32", "16777217"),
        ("16777217", "integer", "float32", '"16777217"'),
        (1739536200123, "integer", "float32", "1739536200123"),
        ("1_000", "number", "a number", '"1_000"'),
        (" 1", "number", "a number", '" 1"'),
        ("nan", "number", "a number", '"nan"'),
        ("inf", "number", "a number", '"inf"'),
        ("1e999", "number", "float32", '"1e999"'),
        (1e39, "number", "float32", "1e+39"),
        (False, "number", "a number", "false"),
        ([1], "number", "a number", "a list"),
        ({"a": 1}, "category", "a string", "an object"),
        (2, "boolean", "true or false", "2"),
        ("yes", "boolean", "true or false", '"yes"'),
        (7, "category", "a string", "7"),
        (True, "category", "a string", "true"),
        (7, "text", "a string", "7"),
        (1739536200, "timestamp", "ISO 8601", "1739536200"),
        ("14.02.2025", "timestamp", "ISO 8601", '"14.02.2025"'),
        (None, "number", "a number", "null"),
        ("", "integer", "an integer", '""'),
        ("", "category", "a string", '""'),
        (None, "timestamp", "ISO 8601", "null"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_what_was_expected_and_found(
    value: object, kind: InputType, expected: str, found: str
) -> None:
    error = read_one(value, kind)
    assert (error.instance, error.field) == (0, "column")  # type: ignore[attr-defined]
    assert expected in error.expected  # type: ignore[attr-defined]
    assert error.found == found  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["integer", "number", "boolean", "category", "text", "timestamp"])
def test_a_missing_value_of_a_nullable_column_is_null(kind: InputType) -> None:
    one = Input("column", "i0", kind, nullable=True)
    reading = read_instances([one], [{}, {"column": None}])
    assert list(reading.columns["column"]) == [None, None]
    assert not reading.errors


def test_a_key_that_is_not_there_is_told_from_a_null() -> None:
    reading = read_instances([Input("column", "i0", "number")], [{"colum": 1}])
    assert (reading.errors[0].expected, reading.errors[0].found) == ("a number", "nothing")


def test_a_declared_time_format_is_read_and_iso_too() -> None:
    for text in ("14.02.2025 12:00", "2025-02-14T12:00:00Z"):
        assert read_one(text, "timestamp", format="%d.%m.%Y %H:%M") == NOON
    for wrong in ("02/14/2025", None):
        error = read_one(wrong, "timestamp", format="%d.%m.%Y %H:%M")
        assert "%d.%m.%Y %H:%M" in error.expected  # type: ignore[attr-defined]


def test_columns_that_the_model_does_not_read_are_ignored() -> None:
    reading = read_instances([Input("a", "i0", "number")], [{"a": 1, "label": {}, "key": [[]]}])
    assert list(reading.columns["a"]) == [1]


KNOWN = frozenset(("a", "b"))


def test_fields_that_mean_nothing_are_named_once_in_their_order() -> None:
    instances = [{"a": 1}, {"z": 1, "a": 2, "y": 1}, 7, {"z": 3, "x": None}]
    assert ignored_fields(KNOWN, instances) == ("z", "y", "x")
    assert ignored_fields(KNOWN, [{"b": 1}, {}, {"a": 1, "b": 2}]) == ()


def test_only_so_many_ignored_fields_are_named_and_long_names_are_shortened() -> None:
    assert len(ignored_fields(KNOWN, [{f"n{n}": n} for n in range(300)])) == MAX_IGNORED
    assert len(ignored_fields(KNOWN, [{f"n{n}": n for n in range(300)}])) == MAX_IGNORED
    (name,) = ignored_fields(KNOWN, [{"long" * 1000: 1}])
    assert name.startswith("longlong")
    assert len(name) == 80


def test_an_instance_that_is_no_object_is_named() -> None:
    reading = read_instances([Input("a", "i0", "number")], [{"a": 1}, [1], "x"])
    assert [(e.instance, e.field, e.found) for e in reading.errors] == [
        (1, "", "a list"),
        (2, "", '"x"'),
    ]


def test_errors_come_in_the_order_of_instances_and_only_so_many() -> None:
    inputs = [Input("a", "i0", "number"), Input("b", "i1", "number")]
    reading = read_instances(inputs, [{}] * 200)
    assert reading.error_count == 400
    assert len(reading.errors) == MAX_ERRORS
    assert [(e.instance, e.field) for e in reading.errors[:3]] == [(0, "a"), (0, "b"), (1, "a")]


def test_many_errors_are_all_counted_and_few_of_them_described(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """30 KB can hold a million, which must not cost a million objects."""
    made: list[FieldError] = []
    monkeypatch.setattr(
        "perennial.domain.serving.instances.FieldError",
        lambda *given: made.append(FieldError(*given)) or made[-1],
    )
    inputs = [Input(f"n{place}", f"i{place}", "number") for place in range(10)]
    reading = read_instances(inputs, [{"n3": "x"}] * 1_000)
    assert reading.error_count == 10_000
    assert len(made) == 10 * MAX_ERRORS
    assert [(e.instance, e.field, e.found) for e in reading.errors] == [
        (row, f"n{place}", '"x"' if place == 3 else "nothing")
        for row in range(10)
        for place in range(10)
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
INPUTS = [
    Input(kind, f"i{place}", kind, nullable=True)  # type: ignore[arg-type]
    for place, kind in enumerate(("integer", "number", "boolean", "category", "text", "timestamp"))
]


@given(st.dictionaries(st.sampled_from([i.name for i in INPUTS]), JSON))
def test_whatever_is_read_without_error_can_be_encoded(instance: dict[str, object]) -> None:
    """And nothing that JSON can say raises."""
    reading = read_instances(INPUTS, [instance])
    if not reading.errors:
        tensors = encode(INPUTS, reading.columns)
        assert all(tensor.shape == (1, 1) for tensor in tensors.values())


@given(st.integers(min_value=-(10**38), max_value=10**38))
def test_integers_are_accepted_exactly_when_float32_holds_them(value: int) -> None:
    import numpy as np

    held = int(np.float32(value)) == value
    assert (read_one(value, "integer") == value) == held


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**26), 2**26),
    st.floats(width=32),
    st.sampled_from([float("inf"), float("nan"), 1e39, -1e39, 2**70, 0, 1, 3.0]),
    st.text("0123456789.+-eE_ ", max_size=5),
    st.sampled_from(["", "true", "FALSE", "nan", "1e5", "1e99999", "٣", "1_0", "x", "é", [], {}]),
)


@pytest.mark.parametrize("kind", sorted(GROUPS))
@pytest.mark.parametrize("nullable", [False, True])
@given(data=st.data())
def test_what_is_read_together_is_what_is_read_one_by_one(kind, nullable, data) -> None:
    """Also where all is of one kind, as it seldom is by chance."""
    of_a_kind = st.sampled_from([st.integers(), st.floats(), st.text("0123456789.+-"), CELLS])
    values = data.draw(of_a_kind.flatmap(lambda cells: st.lists(st.none() | cells | CELLS)))
    together = GROUPS[kind](values, nullable)
    read = reader(Input("column", "i0", kind))
    if together is not None:
        assert len(together) == len(values)
        for found, value in zip(values, together, strict=True):
            assert value is None if found is None else value == read(found)
        assert nullable or None not in together


def test_good_values_are_read_together() -> None:
    """None of these may come to be read one by one: a request would cost several times as much."""
    for kind, values in (
        ("number", [1.5, 2, -3]), ("number", ["1.5", "-2"]), ("integer", [1, 2.0]),
        ("integer", ["1", "+2"]), ("boolean", [True, 0]), ("boolean", ["true", "0"]),
        ("category", ["a", "b"]), ("text", ["", "b"]),
    ):  # fmt: skip
        assert GROUPS[kind](values, False) is not None
        assert GROUPS[kind]([*values, None], True) is not None
        assert GROUPS[kind]([*values, None], False) is None


def test_columns_of_many_types_are_each_read_in_their_place() -> None:
    inputs = [
        Input("a", "i0", "number"), Input("at", "i1", "timestamp"), Input("b", "i2", "number"),
        Input("c", "i3", "category", nullable=True), Input("d", "i4", "number", nullable=True),
    ]  # fmt: skip
    noon = "2025-02-14T12:00:00Z"
    rows = [
        {"a": "1", "at": noon, "b": "2", "c": "x"},
        {"a": "3.5", "at": noon, "b": "4", "c": None, "d": 7},
    ]
    reading = read_instances(inputs, rows)
    assert {name: list(values) for name, values in reading.columns.items()} == {
        "a": [1, 3.5], "at": [NOON, NOON], "b": [2, 4], "c": ["x", None], "d": [None, 7],
    }  # fmt: skip
    assert not reading.bare
    reading = read_instances(inputs, [{"a": "x", "at": 1, "b": 2, "d": "y"}, {"at": noon}])
    assert [(e.instance, e.field) for e in reading.errors] == [
        (0, "a"), (0, "at"), (0, "d"), (1, "a"), (1, "b"),
    ]  # fmt: skip


def test_nothing_can_be_ignored_where_instances_are_bare() -> None:
    inputs = [Input("a", "i0", "number"), Input("b", "i1", "number", nullable=True)]
    assert read_instances(inputs, [{"a": 1, "b": 2}]).bare
    assert not read_instances(inputs, [{"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3}]).bare
    assert not read_instances(inputs, [{"a": 1, "c": 3}]).bare
    assert read_instances(inputs, []).columns == {"a": (), "b": ()}
