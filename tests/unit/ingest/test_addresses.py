"""Which pipeline a landing object belongs to."""

from __future__ import annotations

import pytest

from perennial.domain.addresses import home, misaddressed, near_miss, reserved


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bike/week.csv", "bike"),
        ("bike/2024/02/week 1.csv", "bike"),
        ("bike//x.csv", "bike"),
        ("bike/", "bike"),
        ("bike", "_unknown"),
        ("/bike/x.csv", "_unknown"),
        ("Bike/x.csv", "_unknown"),
        ("_unknown/x.csv", "_unknown"),
        ("../x.csv", "_unknown"),
        ("labels/x.csv", "_unknown"),
        ("score/x.csv", "_unknown"),
        ("ünï/☃.csv", "_unknown"),
        ("a" * 64 + "/x.csv", "_unknown"),
    ],
)
def test_the_first_segment_names_the_pipeline(name: str, expected: str) -> None:
    """If a pipeline could have that name."""
    assert home(name) == expected


@pytest.mark.parametrize("name", ["bkie", "bikes", "bike2", "biek"])
def test_a_near_miss_is_told_from_a_new_pipeline(name: str) -> None:
    """A typing mistake in an existing name is quarantined, another name waits."""
    assert near_miss(name, ["bike", "ytspam"]) == "bike"


@pytest.mark.parametrize("name", ["trains", "flower-shop", "b"])
def test_other_names_are_new_pipelines(name: str) -> None:
    """They are pending until somebody applies a definition."""
    assert near_miss(name, ["bike", "ytspam"]) is None


@pytest.mark.parametrize(
    ("name", "known", "message"),
    [
        ("week.csv", ["bike"],
         ("expected a name like pipeline/file.csv, found 'week.csv' at the bucket's root; "
         "pipelines are bike")),
        ("bkie/week.csv", ["bike", "ytspam"],
         ("expected a name like pipeline/file.csv, found the folder 'bkie', which is no pipeline; "
         "did you mean bike/?")),
        ("BIKE/week.csv", ["bike"],
         ("expected a name like pipeline/file.csv, found the folder 'BIKE', which is no pipeline; "
         "did you mean bike/?")),
        ("☃/week.csv", [],
         ("expected a name like pipeline/file.csv, found the folder '☃', which is no pipeline; "
         "there is no pipeline yet")),
    ],
)  # fmt: skip
def test_a_wrong_address_names_the_right_one(name: str, known: list[str], message: str) -> None:
    """Or those that exist."""
    finding = misaddressed(name, known)

    assert (finding.rule, finding.severity, finding.message) == ("pipeline", "reject", message)


def test_a_folder_that_became_a_pipeline_meanwhile_is_not_its_own_correction() -> None:
    """It was misspelt when its file came."""
    finding = misaddressed("bkie/week.csv", ["bike", "bkie"])

    assert finding.message.endswith("which is no pipeline; did you mean bike/?")
    assert misaddressed("bike", ["bike"]).message.endswith("did you mean bike/?")


def test_reserved_folders_say_that_they_are_reserved() -> None:
    """Directly below the pipeline only; a file may have such a name."""
    finding = reserved("bike/labels/week.csv")

    assert finding is not None
    assert finding.message == (
        "expected a folder for rows to learn from, found labels/, which is reserved and not "
        "supported yet: use another folder"
    )
    assert reserved("bike/score/week.csv") is None
    assert reserved("bike/2024/labels/week.csv") is None
    assert reserved("bike/labels") is None
    assert misaddressed("labels/week.csv", ["bike"]) == finding
