"""Whatever the rows, the graph of a model answers as the model does."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perennial.adapters.onnx_export import export
from perennial.adapters.parity import check_parity
from perennial.domain.definitions.definition import Definition
from perennial.domain.modelling.training import fit
from perennial.errors import NotTrainable

ROWS = 30
NUMBERS = st.one_of(
    st.none(),
    st.floats(-1e6, 1e6, width=32),
    st.floats(allow_nan=False, allow_infinity=True),
    st.integers(-3, 3).map(float),
)
VALUES = {
    "number": NUMBERS,
    "integer": st.none() | st.integers(-(2**20), 2**20).map(float),
    "boolean": st.none() | st.booleans(),
    "category": st.none() | st.sampled_from("abc") | st.text(st.characters(codec="utf-8")),
    "text": st.none() | st.text(st.sampled_from("abÉß日 .!\n"), max_size=30),
    "timestamp": st.none() | st.datetimes(),
}


@st.composite
def frames(draw: st.DrawFn, types: dict[str, str]) -> pd.DataFrame:
    """Typed rows with these columns."""
    columns = {
        name: draw(st.lists(VALUES[type_], min_size=ROWS, max_size=ROWS))
        for name, type_ in types.items()
    }
    frame = pd.DataFrame(columns, dtype=object)
    for name, type_ in types.items():
        if type_ in ("number", "integer"):
            frame[name] = frame[name].astype(float)
        elif type_ == "timestamp":
            times = np.array(columns[name], dtype="datetime64[us]")
            frame[name] = pd.Series(times).dt.tz_localize("UTC")
    return frame


@st.composite
def cases(draw: st.DrawFn) -> tuple[Definition, pd.DataFrame, pd.DataFrame]:
    """A definition, rows to train on, and other rows."""
    kind = draw(st.sampled_from(["hist_gradient_boosting", "linear"]))
    task = draw(st.sampled_from(["regression", "binary", "multiclass"]))
    known = [type_ for type_ in VALUES if type_ != "text" or kind == "linear"]
    chosen = draw(st.lists(st.sampled_from(known), min_size=1, max_size=4))
    types = {f"{place} {type_}": type_ for place, type_ in enumerate(chosen)}
    parameters = {"min_samples_leaf": 2, "max_iter": 10} if kind != "linear" else {}
    label = {"regression": "number", "binary": "boolean", "multiclass": "category"}[task]
    definition = Definition.model_validate({
        "name": "shop",
        "task": task,
        "columns": {n: {"type": t, "nullable": True} for n, t in types.items()}
        | {"y": {"type": label, "role": "label"}},
        "training": {"model": kind, "parameters": parameters},
    })  # fmt: skip
    answers = {
        "regression": st.floats(-100, 100, width=32),
        "binary": st.booleans(),
        "multiclass": st.sampled_from("rgb"),
    }[task]
    train, other = draw(frames(types)), draw(frames(types))
    train["y"] = draw(st.lists(answers, min_size=ROWS, max_size=ROWS))
    return definition, train, other


@settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(case=cases())
def test_graph_and_model_agree(case: tuple[Definition, pd.DataFrame, pd.DataFrame]) -> None:
    definition, train, other = case
    try:
        model = fit(definition, train)
    except NotTrainable:
        return
    check_parity(model, export(model), pd.concat([train, other]))
