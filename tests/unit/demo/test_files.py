"""The shop's files in a folder."""

from __future__ import annotations

from pathlib import Path

from localdev.demo.files import write


def test_every_file_is_there_and_what_was_sent_again_beside_it(tmp_path: Path) -> None:
    count = write(tmp_path / "visits")

    names = {path.name for path in (tmp_path / "visits").iterdir()}
    assert len(names) == count == 38
    assert {name for name in names if "again" in name} == {
        "visits-2025-09-16-again.csv.gz", "visits-2025-10-14-again.csv",
        "visits-2025-11-18-again.csv",
    }  # fmt: skip
    assert b"<html" in (tmp_path / "visits" / "visits-2025-10-14.csv").read_bytes()
