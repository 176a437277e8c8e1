"""A short run of the second part of `make fuzz`, always with the same requests."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from tests.corpus.http_fuzz import Answer, Description, Predict, examine, fuzz
from tests.corpus.http_requests import PREDICT, Sent

GOOD = Sent(body=b'{"instances": [{"visits": 1, "channel": "web"}]}')


def test_whatever_is_sent_is_answered_soundly() -> None:
    found = fuzz(cases=800, seed=1)

    assert found.total() == 800
    assert found["200"] > 50
    for status in ("400 malformed", "415 unsupported-media-type", "422 invalid-instances"):
        assert found[status] > 30
    assert len(found) > 8


@pytest.fixture(scope="module")
def described() -> Description:
    with closing(Predict()) as predict:
        return Description.of(predict)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, {"content-type": "text/plain"}, b"Internal Server Error"),
        Answer(400, {"content-type": "application/json"}, b"{}"),
        Answer(400, {"content-type": "application/problem+json"}, b'{"status": 400}'),
        Answer(418, {"content-type": "application/problem+json"}, b"{}"),
        Answer(200, {"content-type": "application/json"}, b'{"predictions": [NaN]}'),
        Answer(200, {"content-type": "application/json"}, b'{"predictions": [1]}'),
        Answer(200, {"content-type": "application/json"}, b'{"error": "Traceback (most recent"}'),
    ],
)
def test_an_unsound_answer_would_be_seen(described: Description, answer: Answer) -> None:
    with pytest.raises((AssertionError, ValueError)):
        examine(described, GOOD, answer)


def test_a_value_accepted_against_the_description_would_be_seen(described: Description) -> None:
    body = json.dumps({"predictions": [1.0], "model_version": "v000001"}).encode()
    headers = {"content-type": "application/json", "x-model-version": "v000001"}
    examine(described, GOOD, Answer(200, headers, body))
    for wrong in (b'{"visits": "x", "channel": "web"}', b'{"visits": 1, "channel": ""}', b"{}"):
        sent = Sent(path=PREDICT, body=b'{"instances": [' + wrong + b"]}")
        with pytest.raises(AssertionError):
            examine(described, sent, Answer(200, headers, body))
