"""What ingest takes while it judges a large file stays in proportion to the file."""

from __future__ import annotations

from perennial.domain.definitions.files import Files
from tests.bench.reading import MIB, measure

SIZE = 32
"""Of a file, in mebibytes: enough to tell its share from what any process takes."""

WORKING = 160
"""What judging takes beside that, whatever the size: threads, blocks, libraries that load late."""


def test_a_file_of_the_largest_size_fits_into_the_function() -> None:
    """Through the real client, as an event would have it; what a mebibyte takes is projected."""
    section = measure([SIZE], [".csv", ".csv.gz", ".parquet"], 1)

    figures = {column.title: column.figures for column in section.columns}
    for case, peak in figures["peak MiB"].items():
        at_rest = figures["at rest MiB"][case] + WORKING
        share = max(0.0, peak - at_rest) / SIZE
        assert figures["rows"][case] > 50_000
        assert at_rest + share * Files().max_bytes / MIB < figures["limit MiB"][case]
