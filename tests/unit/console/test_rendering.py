"""How pages write values."""

from __future__ import annotations

import pytest

from perennial.console.rendering import change, told


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (["a.csv", "b.csv"], "a.csv, b.csv"),
        ({"lavender": 0.1532, "roses": None}, "lavender 0.1532, roses –"),
        ([], "–"),
        (True, "yes"),
        (5124, "5,124"),
        (0.21693, "0.2169"),
        ("<b>", "<b>"),
    ],
)
def test_evidence_is_written_as_people_read_it(value: object, written: str) -> None:
    assert told(value) == written


def test_a_difference_has_its_sign() -> None:
    assert [change(one) for one in (-0.0654, 0.2, None)] == ["-6.5%", "+20.0%", "–"]
