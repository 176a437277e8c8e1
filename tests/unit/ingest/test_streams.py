"""A definition inferred from a real stream's first file accepts all that followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from perennial.domain.definitions.definition import parse
from perennial.domain.definitions.inference import infer_definition
from perennial.domain.judging.validation import judge_bytes

DATA = Path(__file__).parents[4] / "shared" / "data"


@pytest.mark.parametrize(
    ("stream", "label", "files", "task"),
    [("bike", "cnt", 106, "regression"), ("ytspam", "spam", 43, "binary")],
)
def test_every_later_file_is_accepted(stream: str, label: str, files: int, task: str) -> None:
    """With warnings, but without an edit."""
    folder = DATA / stream / "files"
    if not folder.is_dir():
        pytest.skip(f"the real stream is absent: {folder}")
    paths = sorted(folder.iterdir())
    definition = parse(infer_definition(stream, [(paths[0].name, paths[0].read_bytes())], label))

    rejected = {
        path.name: judgement.findings
        for path in paths
        if not (judgement := judge_bytes(definition, path.name, path.read_bytes())).accepted
    }

    assert len(paths) == files
    assert rejected == {}
    assert definition.task == task
