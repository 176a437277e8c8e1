"""The client that measures serving reads answers right; the rivals serve one model."""

from __future__ import annotations

import socket

import numpy as np
import pytest

from tests.bench import shop
from tests.bench.load import Answer, Connection, predicted
from tests.bench.report import Column, Section
from tests.bench.rivals.hand_encoded.main import encoded
from tests.bench.rivals.serving.pipeline import by_hand, fitted
from tests.bench.serving import promises
from tests.bench.subjects import DATAFRAME, EMPTY, MLFLOW, PREDICT

ANSWERS = (
    b"HTTP/1.1 200 OK\r\nX-Model-Version: v000002\r\nContent-Length: 5\r\n\r\nfirst"
    b"HTTP/1.1 422 Unprocessable\r\ncontent-length: 0\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast"
)


@pytest.mark.parametrize("size", [1, 7, 60, len(ANSWERS)])
def test_answers_are_told_apart_however_they_are_cut(size: int) -> None:
    ours, theirs = socket.socketpair()
    answers: list[Answer] = []
    with ours, theirs:
        connection = Connection(ours)
        for start in range(0, len(ANSWERS), size):
            theirs.sendall(ANSWERS[start : start + size])
            answers += connection.receive()
    assert [(one.status, one.body) for one in answers] == [
        (200, b"first"),
        (422, b""),
        (200, b"last"),
    ]
    assert [one.header(b"x-model-version") for one in answers] == [b"v000002", b"", b""]
    with pytest.raises(RuntimeError, match="422"):
        predicted(answers[1])


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "states its length"),
        (b"HTTP/1.1 200 OK\r\nCon", "closed before"),
    ],
)
def test_an_answer_that_cannot_be_read_is_no_answer(sent: bytes, found: str) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(RuntimeError, match=found):
            Connection(ours).ask(b"")


def test_the_hand_encoded_rival_serves_the_pipeline_s_model() -> None:
    rows = shop.sample(400)
    pipeline = fitted(rows)
    asked = rows.drop(columns="bought").head(50)
    asked.loc[0, "channel"] = "never seen"
    parts = by_hand(pipeline)
    found = parts["estimator"].predict_proba(encoded(parts, asked.to_dict("records")))
    np.testing.assert_array_equal(found, pipeline.predict_proba(asked))


def test_promises_are_ratios_to_the_rivals_that_were_measured() -> None:
    def section(predict: float, **others: float) -> Section:
        figures = {PREDICT: predict, EMPTY: others["empty"], DATAFRAME: others["dataframe"]}
        return Section("", [Column("", figures)] * 3)

    sections = [
        section(0.4, empty=0.2, dataframe=2.4),
        section(0.3, empty=0.2, dataframe=6.0),
        section(0.3, empty=0.2, dataframe=6.0),
        section(3000.0, empty=5000.0, dataframe=100.0),
        section(90.0, empty=30.0, dataframe=190.0),
    ]
    kept = promises(sections)
    assert [round(one.found, 2) for one in kept] == [2.0, 6.0, 1.5, 20.0, 30.0, 94.37]
    assert [one.met for one in kept] == [True, True, False, True, True, True]
    assert not any(MLFLOW in str(one) for one in kept)
