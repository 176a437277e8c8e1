"""What an execution may do differently from its job, and what nobody may ask for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localdev.jobs.overrides import BadRequest, Overrides


def parse(overrides: Any) -> Overrides:
    return Overrides.parse(json.dumps({"overrides": overrides}).encode())


def test_arguments_variables_and_timeout_are_read() -> None:
    container = {"args": ["a"], "env": [{"name": "PERENNIAL_PIPELINE", "value": "shop"}]}
    assert parse({"containerOverrides": [container], "timeout": "600s"}) == Overrides(
        ["a"], {"PERENNIAL_PIPELINE": "shop"}, 600.0
    )
    assert Overrides.parse(b"") == Overrides([], {}, None)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ([], "overrides: expected an object"),
        ({"image": "evil"}, "Unknown name \"image\" at 'overrides'"),
        ({"taskCount": 2}, "one task"),
        ({"timeout": "soon"}, "found 'soon'"),
        ({"timeout": "0s"}, "found '0s'"),
        ({"timeout": "-1s"}, "found '-1s'"),
        ({"containerOverrides": [{}, {}]}, "one container"),
        ({"containerOverrides": [{"command": ["sh"]}]}, 'Unknown name "command"'),
        ({"containerOverrides": [{"env": [{"name": "A", "valueSource": {}}]}]}, "valueSource"),
        ({"containerOverrides": [{"env": [{"name": "A", "value": 1}]}]}, "must be strings"),
        ({"containerOverrides": [{"env": [{"value": "a"}]}]}, "must be strings"),
    ],
)
def test_anything_else_is_refused_with_the_field(overrides: Any, said: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(overrides)
    assert said in str(refused.value)


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        Overrides.parse(body)
