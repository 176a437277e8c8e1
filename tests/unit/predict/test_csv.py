"""Rows in and predictions out as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from perennial.domain.serving.csv_exchange import named_in_header, read_csv, write_csv
from perennial.domain.serving.media_types import prefers_csv
from perennial.domain.serving.problems import Problem
from perennial.domain.versioning.manifest import Manifest
from tests.unit.predict.test_contract import assert_problem
from tests.unit.predict.versions import (
    CLASSES,
    classification_graph,
    crown,
    manifest_of,
    write_regression,
    write_version,
)

PREDICT = "/v1/models/shop:predict"
IN = {"content-type": "text/csv"}
OUT = {"accept": "text/csv"}


@pytest.fixture
def shop(store):
    """A pipeline whose champion answers `visits + age + 10`."""
    write_regression(store, "v000001", 10)
    crown(store, "v000001")
    return store


def send(client, content: bytes, **headers: str):
    return client.request("POST", PREDICT, content=content, headers={**IN, **headers})


@pytest.mark.parametrize(
    "content",
    [
        b"visits,age\n3,4\n5,\n",
        b"visits,age\r\n3,4\r\n5,\r\n",
        b"\xef\xbb\xbfvisits,age\n3,4\n\n5,",
        b'age,"visits"\n"4","3"\n"",5\n',
        b"visits,age\n3.0,4.0\n5e0,",
    ],
)
def test_rows_of_csv_are_read_as_those_of_json(shop, client, content):
    answer = send(client, content)
    assert answer.json() == {"predictions": [17.0, 15.0], "model_version": "v000001"}


def test_a_regression_is_written_under_prediction(shop, client):
    answer = send(client, b"visits\n3\n0.5\n", **OUT)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["x-model-version"] == "v000001"
    assert answer.text == "prediction\r\n13.0\r\n10.5\r\n"


def test_json_may_be_answered_in_csv_and_a_classification_has_its_classes(store, client):
    graph = classification_graph(0)
    write_version(store, manifest_of(graph, "v000001", classes=CLASSES), graph)
    crown(store, "v000001")
    body = {"instances": [{"visits": 0}, {"visits": 100}]}
    answer = client.request("POST", PREDICT, json=body, headers=OUT)
    assert answer.text == "label,probability_no,probability_yes\r\nno,0.5,0.5\r\nyes,0.0,1.0\r\n"


def test_columns_that_mean_nothing_are_named_in_a_header(shop, client):
    content = "visits,Größe,a b\n3,1,2\n".encode()
    assert send(client, content).json()["ignored"] == ["Größe", "a b"]
    answer = send(client, content, **OUT)
    assert answer.headers["x-ignored-fields"] == "Gr%C3%B6%C3%9Fe, a%20b"
    assert "x-ignored-fields" not in send(client, b"visits\n3\n", **OUT).headers
    assert len(named_in_header(["é" * 80] * 100)) <= 2000


def test_what_cannot_be_read_is_named_by_line_and_column(shop, client):
    content = b'visits,age,note\n3,4,"two\nlines"\n\nmany,1.5,\n,,\n'
    problem = send(client, content, **OUT).json()
    assert problem["status"] == 422
    words = "line 5, column 'visits': expected a number, found \"many\"; 3 errors in all"
    assert problem["detail"] == words
    assert problem["errors"][0] == {
        "instance": 1, "line": 5, "field": "visits", "expected": "a number", "found": '"many"',
    }  # fmt: skip
    assert [(e["line"], e["field"], e["found"]) for e in problem["errors"]] == [
        (5, "visits", '"many"'), (5, "age", '"1.5"'), (6, "visits", "an empty cell"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "slug", "words", "content"),
    [
        (400, "malformed", "line 1: expected a header and at least one row", b""),
        (400, "malformed", "line 1: expected a header and at least one row", b"visits\n"),
        (400, "malformed", "line 1: expected each column once, found 'a' twice", b"a,b,a\n1,2,3\n"),
        (400, "malformed", "line 1: expected fields separated by commas, found sem", b"a;b\n1;2\n"),
        (
            400,
            "malformed",
            "line 3: expected 2 fields, as in the header, found 1",
            b"a,b\n1,2\n1\n",
        ),
        (400, "malformed", "line 2: expected 1 fields, as in the header, found 2", b"a\n1,2\n"),
        (400, "malformed", "line 3: expected text in UTF-8, found the byte 0xe9", b"a\n1\ncaf\xe9"),
        (400, "malformed", "line 1: expected text in UTF-8, found UTF-16", b"\xff\xfea\x00"),
        (400, "malformed", "line 2: expected fields as RFC 4180", b'a\n"open\nand open\n'),
        (400, "malformed", "line 2: expected fields as RFC 4180", b'a\n"x"y\n'),
        (413, "too-large", "at most 10000 instances", b"visits\n" + b"1\n" * 10_001),
        (413, "too-large", "8388608 bytes", b"," * (10 * 1024 * 1024)),
        (422, "invalid-instances", "line 2, column 'visits': expected a number", b"note\nx\n"),
    ],
)
def test_each_wrong_table_has_its_problem(shop, client, status, slug, words, content):
    answer = send(client, content)
    assert_problem(answer, status, slug, words)
    assert answer.headers["x-model-version"] == "v000001"


def test_only_the_first_row_keeps_columns_that_nobody_reads():
    rows = read_csv(b"a,b,c\n1,2,3\n4,5,6\n7,,9\n", 10, {"b", "z"})
    assert rows.instances == [{"a": "1", "b": "2", "c": "3"}, {"b": "5"}, {"b": None}]


def test_a_table_has_at_most_so_many_cells_that_someone_reads():
    """A megabyte of commas takes 40 in memory."""
    columns = [f"n{n}" for n in range(1_000)]
    body = ",".join(columns).encode() + b"\n" + (b"," * 999 + b"\n") * 1_001
    with pytest.raises(Problem, match="line 1002: a request has at most 1000000 cells") as caught:
        read_csv(body, 10_000, columns)
    assert caught.value.status == 413
    assert len(read_csv(body, 10_000, columns[1:]).instances) == 1_001


def test_a_cell_may_be_as_long_as_a_text_in_json(shop, client):
    answer = send(client, b"visits,note\n3," + b"x" * 1_000_000 + b"\n")
    assert answer.json()["predictions"] == [13.0]


def test_ten_thousand_rows_are_answered_in_order(shop, client):
    content = b"visits\n" + b"".join(b"%d\n" % n for n in range(10_000))
    lines = send(client, content, **OUT).text.split()
    assert lines == ["prediction", *(f"{n + 10}.0" for n in range(10_000))]


LABELS = ("=1+2", "+x", "-3", "-x", "@a", "\tb", "plain", 'q"u,o', "é", "＝x", "")


def test_no_label_is_a_formula_to_a_spreadsheet():
    manifest = replace(shop_manifest(), classes=LABELS)
    share = 1 / len(LABELS)
    said = [{"label": one, "probabilities": dict.fromkeys(LABELS, share)} for one in LABELS]
    header, *rows = csv.reader(io.StringIO(write_csv(manifest, said).decode(), newline=""))
    assert header == ["label", *(f"probability_{one}" for one in LABELS)]
    assert [row[0] for row in rows] == [
        "'=1+2", "'+x", "-3", "'-x", "'@a", "'\tb", "plain", 'q"u,o', "é", "'＝x", "",
    ]  # fmt: skip
    assert all(float(cell) == share for row in rows for cell in row[1:])


def test_labels_that_are_no_text_are_written_as_json_has_them():
    said = [{"label": one, "probabilities": {"-1": 0.25, "1": 0.75}} for one in (-1, 1)]
    manifest = replace(shop_manifest(), classes=(-1, 1))
    assert write_csv(manifest, said).decode().split() == [
        "label,probability_-1,probability_1", "-1,0.25,0.75", "1,0.25,0.75",
    ]  # fmt: skip


def shop_manifest() -> Manifest:
    return manifest_of(b"", "v000001", classes=CLASSES)


def test_what_is_written_can_be_read():
    said = [{"label": "no", "probabilities": {"no": 0.5, "yes": 0.5}}]
    rows = read_csv(write_csv(shop_manifest(), said), 10, ())
    expected = {"label": "no", "probability_no": "0.5", "probability_yes": "0.5"}
    assert (rows.instances, rows.lines) == ([expected], [2])


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/csv", True),
        ("TEXT/CSV; header=present", True),
        ("text/csv, */*;q=0.1", True),
        ("text/csv, application/json", True),
        ("application/json;q=0.5, text/csv", True),
        ("text/*", True),
        ("application/json, text/csv", False),
        ("application/json, text/csv;q=0.9", False),
        ("text/csv;q=0", False),
        ("text/csv;q=abc", True),
        ("*/*", False),
        ("", False),
        ("image/png", False),
        (",;,q=1;", False),
    ],
)
def test_csv_is_written_for_those_who_ask_for_it(accept, expected):
    assert prefers_csv(accept) is expected
