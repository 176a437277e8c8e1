"""How the transformers of ours become ONNX nodes, for skl2onnx.

Each converter mirrors one class of the domain; the parity gate holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import FloatTensorType

from perennial.domain.modelling.calendar import PARTS, CalendarParts
from perennial.domain.modelling.inputs import MISSING_TIME
from perennial.domain.modelling.standardise import BOUND, Standardise
from perennial.domain.modelling.tfidf import TokenTfidf

ML = "ai.onnx.ml"
"""Domain of ONNX's operators for classical machine learning."""

_RESULTS = {"StringSplit": 2}
"""Operators with more than one result; only the first is of use here."""


def register() -> None:
    """Teach skl2onnx the transformers of ours; harmless when repeated."""
    update_registered_converter(CalendarParts, "PerennialCalendar", _shape, _calendar)
    update_registered_converter(Standardise, "PerennialStandardise", _shape, _standardise)
    update_registered_converter(TokenTfidf, "PerennialTokenTfidf", _shape, _tfidf)


class _Nodes:
    """Writes one operator's nodes, giving each result a name."""

    def __init__(self, scope: Any, container: Any) -> None:
        self._scope = scope
        self._container = container

    def add(
        self, kind: str, *inputs: str, result: str = "", domain: str = "", **attributes: Any
    ) -> str:
        """Write a node and return the name of its (first) result."""
        result = result or self._new(kind.lower())
        unused = [self._new("unused") for _ in range(1, _RESULTS.get(kind, 1))]
        name = self._scope.get_unique_operator_name(kind)
        self._container.add_node(
            kind, list(inputs), [result, *unused], op_domain=domain, name=name, **attributes
        )
        return result

    def integers(self, *values: int) -> str:
        """Write an int64 vector."""
        return self._constant(TensorProto.INT64, [len(values)], values)

    def floats(self, values: ArrayLike) -> str:
        """Write a float32 vector, or a scalar."""
        array = np.asarray(values, dtype=np.float32)
        return self._constant(TensorProto.FLOAT, list(array.shape), array.ravel().tolist())

    def _constant(self, kind: int, shape: list[int], values: Sequence[float]) -> str:
        name = self._new("constant")
        self._container.add_initializer(name, kind, shape, list(values))
        return name

    def _new(self, stem: str) -> str:
        return str(self._scope.get_unique_variable_name(stem))


def _shape(operator: Any) -> None:
    rows = operator.inputs[0].get_first_dimension()
    operator.outputs[0].type = FloatTensorType([rows, _width(operator.raw_operator)])


def _width(fitted: Any) -> int:
    if isinstance(fitted, CalendarParts):
        return len(PARTS) * int(fitted.n_features_in_)
    if isinstance(fitted, Standardise):
        return int(fitted.n_features_in_) + len(fitted.flagged_)
    return len(fitted.vocabulary_)


def _calendar(scope: Any, operator: Any, container: Any) -> None:
    """Integer arithmetic throughout: float32 cannot hold seconds since 1970.

    The month comes from the day of a year that begins in March, as in Howard Hinnant's
    `civil_from_days` (https://howardhinnant.github.io/date_algorithms.html).
    """
    nodes = _Nodes(scope, container)
    number = nodes.integers

    def plus(x: str, y: int) -> str:
        return nodes.add("Add", x, number(y))

    def times(x: str, y: int) -> str:
        return nodes.add("Mul", x, number(y))

    def over(x: str, y: int) -> str:
        return nodes.add("Div", x, number(y))  # truncates: only for x that is not negative

    def modulo(x: str, y: int) -> str:
        return nodes.add("Mod", x, number(y))  # has the sign of y, as in Python

    (given,) = operator.input_full_names
    missing = nodes.add("Equal", given, number(MISSING_TIME))
    seconds = nodes.add("Where", missing, number(0), given)
    second_of_day = modulo(seconds, 86_400)
    days = over(nodes.add("Sub", seconds, second_of_day), 86_400)  # divides without a remainder
    hour = over(second_of_day, 3_600)
    weekday = modulo(plus(days, 3), 7)  # 1 January 1970 was a Thursday

    day_of_era = modulo(plus(days, 719_468), 146_097)  # days since 1 March of year 0; 400 years
    leap_days = nodes.add(
        "Sub",
        nodes.add("Add", over(day_of_era, 1_460), over(day_of_era, 146_096)),
        over(day_of_era, 36_524),
    )
    year_of_era = over(nodes.add("Sub", day_of_era, leap_days), 365)
    days_before = nodes.add(
        "Sub",
        nodes.add("Add", times(year_of_era, 365), over(year_of_era, 4)),
        over(year_of_era, 100),
    )
    day_of_year = nodes.add("Sub", day_of_era, days_before)
    march_month = over(plus(times(day_of_year, 5), 2), 153)  # March is 0
    month = plus(modulo(plus(march_month, 2), 12), 1)

    nan = nodes.floats([np.nan])
    parts = []
    for part in (hour, weekday, month):
        value = nodes.add("Cast", part, to=TensorProto.FLOAT)
        parts.append(nodes.add("Unsqueeze", nodes.add("Where", missing, nan, value), number(2)))
    stacked = nodes.add("Concat", *parts, axis=2)
    nodes.add("Flatten", stacked, result=operator.output_full_names[0], axis=1)


def _standardise(scope: Any, operator: Any, container: Any) -> None:
    nodes = _Nodes(scope, container)
    fitted: Standardise = operator.raw_operator
    (given,) = operator.input_full_names
    result = operator.output_full_names[0]
    missing = nodes.add("IsNaN", given)
    filled = nodes.add("Where", missing, nodes.floats(fitted.medians_), given)
    centred = nodes.add("Sub", filled, nodes.floats(fitted.means_))
    scaled = nodes.add("Div", centred, nodes.floats(fitted.scales_))
    low, high = nodes.floats(-BOUND), nodes.floats(BOUND)
    if not fitted.flagged_.size:
        nodes.add("Clip", scaled, low, high, result=result)
        return
    flags = nodes.add("Gather", missing, nodes.integers(*fitted.flagged_.tolist()), axis=1)
    flags = nodes.add("Cast", flags, to=TensorProto.FLOAT)
    nodes.add("Concat", nodes.add("Clip", scaled, low, high), flags, result=result, axis=1)


def _tfidf(scope: Any, operator: Any, container: Any) -> None:
    nodes = _Nodes(scope, container)
    fitted: TokenTfidf = operator.raw_operator
    (given,) = operator.input_full_names
    # ONNX wants the words first and then the pairs; each keeps scikit-learn's column.
    terms = sorted((len(term.split()), term, column) for term, column in fitted.vocabulary_.items())
    words = sum(length < 2 for length, _, _ in terms)
    tokens = nodes.add("StringSplit", given, delimiter=" ")
    counts = nodes.add(
        "TfIdfVectorizer",
        nodes.add("Flatten", tokens, axis=1),
        mode="TF",
        min_gram_length=1,
        max_gram_length=2,
        max_skip_count=0,
        ngram_counts=[0, words],
        ngram_indexes=[int(column) for _, _, column in terms],
        pool_strings=[token for _, term, _ in terms for token in term.split(" ")],
    )
    weighted = nodes.add("Mul", counts, nodes.floats(fitted.idf_))
    nodes.add("Normalizer", weighted, result=operator.output_full_names[0], domain=ML, norm="L2")
