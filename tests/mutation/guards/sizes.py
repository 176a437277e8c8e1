"""Bounded loading: nothing is read further than it may be large."""

from __future__ import annotations

from tests.mutation.mutations import Mutation

_LOADING = "shared/perennial/workflows/serving/loading.py"
_JUDGING = "shared/perennial/workflows/judging.py"
_READING = "shared/perennial/domain/formats/reading.py"
_RELOAD = "tests/unit/predict/test_reload.py"
_FORMATS = "tests/unit/ingest/test_formats.py"
_INGEST = "tests/unit/ingest/test_reading.py"

MUTATIONS = (
    Mutation(
        "size: predict reads a file of a version to its end",
        _LOADING,
        "        if self.tell() > self._most:\n",
        "        if False:\n",
        (_RELOAD,),
    ),
    Mutation(
        "size: predict fetches a graph of any size",
        _LOADING,
        "    if manifest.files[GRAPH].size > BYTES:\n",
        "    if False:\n",
        (_RELOAD,),
    ),
    Mutation(
        "size: a request has no end",
        "functions/predict/main.py",
        "        if size > MAX_BYTES:\n",
        "        if False:\n",
        ("tests/unit/predict/test_contract.py",),
    ),
    Mutation(
        "size: a file in landing is read however large it is",
        _JUDGING,
        "too_large(info.size, limit) if info.size > limit else reserved(info.name)",
        "reserved(info.name)",
        ("tests/integration/ingest/test_verdicts.py::test_a_file_that_is_too_large_is_never_read",),
    ),
    Mutation(
        "size: bytes are parsed however many they are",
        _READING,
        "    if len(data) > max_bytes:\n",
        "    if False:\n",
        (f"{_INGEST}::test_files_are_bounded_packed_and_unpacked",),
    ),
    Mutation(
        "size: gzip is unpacked to its end",
        _READING,
        "while out.tell() <= max_bytes and (piece := packed.read(_CHUNK)):",
        "while piece := packed.read(_CHUNK):",
        (f"{_INGEST}::test_a_gzip_bomb_is_not_unpacked_to_its_end",),
    ),
    Mutation(
        "size: what gzip holds may be of any size",
        _READING,
        "    if out.tell() > max_bytes:\n",
        "    if False:\n",
        (f"{_INGEST}::test_files_are_bounded_packed_and_unpacked",),
    ),
    Mutation(
        "size: what Parquet holds may be of any size",
        "shared/perennial/domain/formats/parquet_table.py",
        "        if size > self._max_bytes:\n",
        "        if False:\n",
        (f"{_FORMATS}::test_parquet_that_unpacks_to_too_much_is_not_read",),
    ),
    Mutation(
        "size: a file that no process survives is begun for ever",
        "shared/perennial/workflows/attempts.py",
        "        if len(ended) >= allowed:\n",
        "        if False:\n",
        ("tests/integration/ingest/test_attempts.py",),
    ),
    Mutation(
        "size: a form of the console has no end",
        "shared/perennial/console/app.py",
        "        request.max_content_length = most\n",
        "",
        ("tests/unit/console/test_actions.py::test_a_form_that_is_too_large_is_refused",),
    ),
)
