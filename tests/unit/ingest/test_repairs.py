"""Built-in repairs change what they are about, and nothing else."""

from __future__ import annotations

import gzip

import pytest

from perennial.domain.definitions.definition import parse
from perennial.domain.judging.repairs import fix
from perennial.domain.judging.validation import judge_bytes
from perennial.errors import RefusedError

FLOWERS = parse(
    """
name: flowers
task: binary
columns:
  size: {type: number}
  kind: {type: category}
  bought: {type: boolean, role: label}
""",
    source="a test",
)


@pytest.mark.parametrize(
    ("kinds", "before", "after"),
    [
        (
            ["encoding=latin-1"],
            "size,kind,bought\r\n1,gr\xfcn,true\r\n".encode("latin-1"),
            "size,kind,bought\r\n1,gr\xfcn,true\r\n".encode(),
        ),
        (
            ["delimiter=;"],
            b'size;kind;bought\n1;a,b;true\n\n2;"";"x;y"\n3;;false',
            b'size,kind,bought\n1,"a,b",true\n\n2,"","x;y"\n3,,false',
        ),
        (
            ["decimal=comma", "delimiter=;"],
            b"size;kind;bought\n1,5;1,5;true\n2;x;false\n",
            b'size,kind,bought\n1.5,"1,5",true\n2,x,false\n',
        ),
        (
            ["header=Size:size"],
            b"Size,kind,bought\n1,Size,true\n",
            b"size,kind,bought\n1,Size,true\n",
        ),
    ],
)
def test_a_repair_makes_what_is_declared(kinds: list[str], before: bytes, after: bytes) -> None:
    found = fix(FLOWERS, "a.csv", before, kinds)

    assert found.data == after
    assert len(found.summary) == len(kinds)
    assert found.diff[:2] == ("--- original", "+++ repaired")
    packed = fix(FLOWERS, "a.csv.gz", gzip.compress(before), kinds)
    assert gzip.decompress(packed.data) == after


def test_a_diff_is_cut_short() -> None:
    data = b"size;kind;bought\n" + b"1;x;true\n" * 99
    found = fix(FLOWERS, "a.csv", data, ["delimiter=;"])

    assert found.summary == ("';' between fields became ',' in 100 rows",)
    assert len([line for line in found.diff if line.startswith("+") and line[1] != "+"]) == 20
    assert found.diff[-1] == "… and 80 more lines"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("colour=red", "expected encoding=ENC"),
        ("encoding=klingon", "expected an encoding such as"),
        ("delimiter=;", "expected fields between ';', found none"),
        ("delimiter=,", "expected one mark other than"),
        ("decimal=comma", "expected numbers with a decimal comma, found none"),
        ("header=a:b", "with one column OLD, found 'a:b'"),
        ("header=size:kind", "expected a name that no column has, found 'kind'"),
    ],
)
def test_a_repair_that_does_not_fit_is_refused(kind: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        fix(FLOWERS, "a.csv", b"size,kind,bought\n1,x,true\n", [kind])


KEYED = parse(
    """
name: flowers
task: binary
columns:
  id: {type: category, role: key}
  size: {type: number, rules: [{range: [0, 9]}, {range: [null, 99], severity: reject_file}]}
  bought: {type: boolean, role: label}
""",
    source="a test",
)
HEAD = "id,size,bought\n"
SPOILED = [
    "a,1,true\n",
    "\n",
    'b,"x\ny",true\n',
    "c,2,\n",
    "d,100,true\n",
    "e\n",
    "f,3,true\n",
    "g,4,true\n",
    "g,5,true\n",
    "h,6,false",
]


def test_bad_rows_are_dropped_whatever_the_policy_and_the_others_stay_as_they_are() -> None:
    found = fix(KEYED, "a.csv", (HEAD + "".join(SPOILED)).encode(), ["drop-bad-rows"])

    assert found.data.decode() == HEAD + "a,1,true\n\nf,3,true\nh,6,false"
    assert judge_bytes(KEYED, "a.csv", found.data).accepted
    assert found.summary == ("6 of 9 rows dropped: key 2, type 1, null 1, range 1, field_count 1",)
    assert found.diff[:7] == (
        "--- original", "+++ repaired",
        "@@ -4,2 +3,0 @@", '-b,"x', '-y",true', "@@ -6 +3,0 @@", "-c,2,",
    )  # fmt: skip


def test_bad_rows_are_dropped_last_and_from_packed_files() -> None:
    data = gzip.compress(b"ID;size;bought\na;1,5;true\nb;x;true\n")
    kinds = ["drop-bad-rows", "header=ID:id", "decimal=comma", "delimiter=;"]

    found = fix(KEYED, "a.csv.gz", data, kinds)

    assert gzip.decompress(found.data) == b"id,size,bought\na,1.5,true\n"
    assert found.summary[-1] == "1 of 2 rows dropped: type 1"


def test_lines_of_json_that_are_no_rows_are_dropped() -> None:
    good = b'{"id": "a", "size": 1, "bought": true, "more": [1]}\n'
    found = fix(KEYED, "a.jsonl", good + b"\n{broken\n" + good.replace(b"a", b"\xc3\xa4", 1)[:-1],
                ["drop-bad-rows"])  # fmt: skip

    assert found.data == good + b"\n" + good.replace(b"a", b"\xc3\xa4", 1)[:-1]
    assert found.diff[2:] == ("@@ -3 +2,0 @@", "-{broken")
    with pytest.raises(RefusedError, match="expected a CSV file to repair"):
        fix(KEYED, "a.jsonl", good, ["drop-bad-rows", "decimal=comma"])


def test_of_many_bad_rows_the_first_are_shown() -> None:
    data = (HEAD + "".join(f"{n},{-1 if n < 30 else 1},true\n" for n in range(40))).encode()

    diff = fix(KEYED, "a.csv", data, ["drop-bad-rows"]).diff

    assert (len(diff), diff[-1]) == (2 + 2 * 20 + 1, "… and 10 more rows")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,1,true\n", "expected rows that break a rule by themselves, found none"),
        ("a,-1,true\nb\n", "expected rows that break no rule, found none in 2 rows"),
    ],
)
def test_no_bad_row_or_nothing_else_is_refused(rows: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        fix(KEYED, "a.csv", (HEAD + rows).encode(), ["drop-bad-rows"])
