"""From paths to what is uploaded under which name."""

from __future__ import annotations

from pathlib import Path

import pytest

from perennial.cli.uploads import find_uploads
from perennial.errors import NotFoundError, RefusedError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.csv", "a.csv", "2025/07/a.csv", "2025/08/c.csv", ".hidden", ".git/x.csv"):
        path = tmp_path / "rows" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "rows"


def names(*paths: object) -> list[str]:
    return [upload.name for upload in find_uploads([str(path) for path in paths])]


def test_files_keep_their_own_names_and_the_order_given(folder: Path) -> None:
    assert names(folder / "b.csv", folder / "2025/08/c.csv", folder / "a.csv") == [
        "b.csv", "c.csv", "a.csv",
    ]  # fmt: skip


def test_a_folder_gives_what_is_in_it_in_order_without_what_is_hidden(folder: Path) -> None:
    assert names(folder) == ["2025/07/a.csv", "2025/08/c.csv", "a.csv", "b.csv"]


def test_predictions_are_no_input_unless_they_are_named(folder: Path) -> None:
    for ending in ("parquet", "csv", "json"):
        (folder / f"a.csv.predictions.{ending}").touch()
    (folder / "predictions.csv").touch()

    assert names(folder / "*") == ["a.csv", "b.csv", "predictions.csv"]
    assert "a.csv.predictions.csv" not in names(folder)
    assert names(folder / "a.csv.predictions.csv") == ["a.csv.predictions.csv"]


def test_a_glob_names_what_it_finds_below_its_fixed_part(folder: Path) -> None:
    assert names(folder / "*.csv") == ["a.csv", "b.csv"]
    assert names(folder / "2025/*/*.csv") == ["07/a.csv", "08/c.csv"]
    assert names(folder / "**" / "[ac].csv") == ["2025/07/a.csv", "2025/08/c.csv", "a.csv"]


def test_a_glob_works_from_here_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)

    assert names("*.csv") == ["a.csv", "b.csv"]
    assert names("2025") == ["07/a.csv", "08/c.csv"]


def test_a_file_whose_name_looks_like_a_glob_is_a_file(folder: Path) -> None:
    (folder / "rows[1].csv").touch()

    assert names(folder / "rows[1].csv") == ["rows[1].csv"]


def test_the_same_file_is_uploaded_once(folder: Path) -> None:
    assert names(folder / "a.csv", folder / "*.csv") == ["a.csv", "b.csv"]


def test_two_files_of_one_name_are_refused(folder: Path) -> None:
    with pytest.raises(RefusedError, match=r"would both be dropped as a\.csv"):
        names(folder / "a.csv", folder / "2025/07/a.csv")


@pytest.mark.parametrize("path", ["missing.csv", "*.parquet", "empty"])
def test_a_path_without_a_file_is_an_error(folder: Path, path: str) -> None:
    (folder / "empty").mkdir()

    with pytest.raises(NotFoundError, match="no file at"):
        names(folder / path)
