"""Rows that findings name, cut out of the file's own bytes."""

from __future__ import annotations

from perennial.domain.definitions.files import Csv, Files
from perennial.domain.judging.excerpts import excerpts
from perennial.domain.verdict import Finding

TYPE = Finding("type", "reject", "d: …", "d", 2, (3, 5), ("x", "y"))
WIDE = b"a,b,c,d,e,f,g\n1,2,3,4,5,6,7\n1,2,3,x,5,6,7\n\n1,2,3,y,5,6,7\n"


def test_a_finding_shows_its_cell_with_those_around() -> None:
    (found,) = excerpts(Files(), "a.csv", WIDE, [TYPE])

    assert found.header == ("b", "c", "d", "e", "f")
    assert found.rows == ((3, ("2", "3", "x", "5", "6")), (5, ("2", "3", "y", "5", "6")))
    assert found.marked == 2


def test_a_row_that_does_not_fit_is_shown_whole_and_unmarked() -> None:
    finding = Finding("field_count", "reject", "…", None, 1, (3,), ("1",))
    (found,) = excerpts(Files(), "a.csv", b"a,b\n1,2\n1,2,3\n", [finding])

    assert (found.rows, found.marked) == (((3, ("1", "2", "3")),), None)


def test_the_declared_dialect_is_read() -> None:
    files = Files(csv=Csv(delimiter=";", decimal=",", encoding="latin-1"))
    finding = Finding("allowed", "reject", "…", "b", 1, (2,), ("\xfc",))
    (found,) = excerpts(files, "a.csv", "a;b\n1,5;\xfc\n".encode("latin-1"), [finding])

    assert (found.rows, found.marked) == (((2, ("1,5", "\xfc")),), 1)


def test_at_most_ten_rows_are_shown() -> None:
    data = b"d\n" + b"x\n" * 40
    many = Finding("type", "reject", "…", "d", 40, tuple(range(2, 42)))
    (found,) = excerpts(Files(), "a.csv", data, [many])

    assert [line for line, _ in found.rows] == list(range(2, 12))


def test_other_formats_and_findings_about_files_show_no_rows() -> None:
    whole = Finding("encoding", "reject", "…", None, 0, (2,))

    assert excerpts(Files(), "a.jsonl", b'{"d": "x"}\n', [TYPE]) == []
    assert excerpts(Files(), "a.csv", WIDE, [whole]) == []
    assert excerpts(Files(), "a.csv", b"d\n\xff\n", [TYPE]) == []
