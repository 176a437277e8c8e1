"""The flower shop's files in a folder, to try things on: `python -m localdev.demo.files FOLDER`."""

from __future__ import annotations

import argparse
from pathlib import Path

from localdev.demo.shop import uploads, weeks


def write(folder: Path) -> int:
    """Write every file as the shop sent it; what was sent again is called so.

    Returns:
        How many.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for week in weeks():
        for again, upload in enumerate(uploads(week)):
            name = upload.name.replace(".csv", "-again.csv") if again else upload.name
            (folder / name).write_bytes(upload.data)
            written += 1
    return written


def main() -> None:
    """Write the files and say how many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder = parser.parse_args().folder
    print(f"{write(folder)} files in {folder}, their definition is localdev/demo/shop.yaml")  # noqa: T201


if __name__ == "__main__":
    main()
