"""What of a history proves something, and what does not."""

from __future__ import annotations

import pytest

from perennial.errors import NotFoundError, RefusedError

from .conftest import DEFINITION, plan_of, pumps, source_of


def test_files_are_ordered_by_event_time_whatever_the_order_they_are_given_in() -> None:
    files = pumps(10)

    source = source_of([files[7], *files[:7], *files[8:]])

    assert source.history.names == tuple(name for name, _ in files)


def test_rows_that_an_earlier_file_had_prove_nothing() -> None:
    """A cumulative export: each file holds all that came before."""
    head, *rest = (data.decode().split("\n", 1) for _, data in pumps(3))
    first, second, third = head[1], rest[0][1], rest[1][1]
    bodies = [first, first + second, first + second + third]
    files = [(f"{n}.csv", f"{head[0]}\n{body}".encode()) for n, body in enumerate(bodies)]

    history = source_of(files).history

    assert [len(history.proof([file])) for file in range(3)] == [40, 40, 40]
    assert history.repeated.sum() == 40 + 80


def test_a_key_names_a_row_even_where_its_values_changed() -> None:
    text = DEFINITION.replace(
        "a: {type: number}", "a: {type: number}\n  id: {type: category, role: key}"
    )
    old = b"at,a,id,b,flow\n2025-01-01,1,x,1,1\n2025-01-01,1,y,1,1\n"
    new = b"at,a,id,b,flow\n2025-01-02,2,y,1,5\n2025-01-02,1,z,1,1\n"

    history = source_of([("1.csv", old), ("2.csv", new)], text).history

    assert history.repeated.tolist() == [False, False, True, False]


def test_equal_rows_without_time_or_key_are_rows_that_look_alike() -> None:
    text = DEFINITION.replace("  at: {type: timestamp, role: event_time}\n", "")
    files = [(f"{n}.csv", f"a,b,flow\n1,1,1\n2,2,{n}\n".encode()) for n in range(2)]

    assert not source_of(files, text).history.repeated.any()


def test_rows_prove_in_time_order() -> None:
    data = b"at,a,b,flow\n2025-01-03,3,0,1\n2025-01-01,1,0,1\n2025-01-02,2,0,1\n"

    history = source_of([("1.csv", data)]).history

    assert history.frame["a"].iloc[history.proof([0])].tolist() == [1, 2, 3]


def test_what_would_be_quarantined_or_came_twice_is_left_out_with_the_reason() -> None:
    files = pumps(3)

    source = source_of([*files, ("again.csv", files[0][1]), ("bad.csv", b"a,b\n1,2\n")])

    assert source.history.files == 3
    again, bad = source.left_out
    assert (again.name, again.reason) == ("again.csv", "the same content as day000.csv")
    assert bad.name == "bad.csv"
    assert "expected" in bad.reason


def test_nothing_to_replay_is_said() -> None:
    with pytest.raises(NotFoundError, match="no file"):
        source_of([])
    with pytest.raises(RefusedError, match=r"no file would be accepted: bad\.csv"):
        source_of([("bad.csv", b"x\n")])


def test_a_history_that_is_too_short_is_refused_with_what_it_takes() -> None:
    with pytest.raises(RefusedError, match=r"needs 8 files after the first 1.*found 5 accepted"):
        plan_of(source_of(pumps(5)))


def test_a_cadence_beyond_the_history_is_refused() -> None:
    with pytest.raises(RefusedError, match="every 40 files would be trained once on the 17"):
        plan_of(source_of(pumps(20)), cadences=[1, 40])
