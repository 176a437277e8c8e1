"""Two definitions compared: every key that differs, and nothing else."""

from __future__ import annotations

import pytest

from perennial.domain.definitions.changes import Change, changes
from perennial.domain.definitions.definition import parse

TEXT = """\
name: flowers
task: binary
columns:
  petals: {type: integer, rules: [{range: [0, 10]}]}
  colour: {type: category}
  bought: {type: boolean, role: label}
training: {trigger: {files: 3}, parameters: {max_depth: 3}}
"""


def test_the_same_in_other_words_is_no_change() -> None:
    """Comments, order of keys, and defaults that are written out."""
    other = "# mine\n" + TEXT.replace("type: category", "role: feature, type: category").replace(
        "{trigger: {files: 3}", "{window: all, min_rows: 40, trigger: {files: 3}"
    )

    assert changes(parse(TEXT), parse(other)) == []


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("  colour: {type: category}\n", "",
         Change("columns.colour", "removed", {"type": "category"}, None)),
        ("  colour:", "  weight: {type: number, nullable: true}\n  colour:",
         Change("columns.weight", "added", None, {"type": "number", "nullable": True})),
        ("category", "text, role: ignore",
         [Change("columns.colour.type", "changed", "category", "text"),
          Change("columns.colour.role", "changed", "feature", "ignore")]),
        ("{range: [0, 10]}", "{range: [0, null], severity: warn}, {allowed: [1, 2]}",
         Change("columns.petals.rules", "changed", [{"range": [0.0, 10.0]}],
                [{"range": [0.0, None], "severity": "warn"}, {"allowed": [1, 2]}])),
        (", rules: [{range: [0, 10]}]", "",
         Change("columns.petals.rules", "changed", [{"range": [0.0, 10.0]}], [])),
        ("{files: 3}", "{rows: 500}, window: {files: 26}, seed: 7",
         [Change("training.window", "changed", "all", {"files": 26}),
          Change("training.trigger", "changed", {"files": 3}, {"rows": 500}),
          Change("training.seed", "changed", 0, 7)]),
        ("{max_depth: 3}}\n", "{max_depth: 3}}\nserving: {rescore: latest}\n",
         Change("serving.rescore", "changed", "never", "latest")),
        ("{max_depth: 3}", "{max_iter: 80}",
         [Change("training.parameters.max_depth", "removed", 3, None),
          Change("training.parameters.max_iter", "added", None, 80)]),
        ("training:", "promotion: {mode: manual}\nfiles: {max_rows: 900}\ntraining:",
         [Change("files.max_rows", "changed", None, 900),
          Change("promotion.mode", "changed", "automatic", "manual")]),
        ("training:", "serving: {log: {leave_out: [colour]}, shadow: true}\ntraining:",
         [Change("serving.log", "changed",
                 {"sample": 1.0, "features": 0.1, "keys": False, "leave_out": []},
                 {"sample": 1.0, "features": 0.1, "keys": False, "leave_out": ["colour"]}),
          Change("serving.shadow", "changed", False, True)]),
        ("task: binary", "task: multiclass", Change("task", "changed", "binary", "multiclass")),
    ],
)  # fmt: skip
def test_what_differs_is_told_by_its_key(old: str, new: str, change: Change | list[Change]) -> None:
    assert TEXT.count(old) == 1
    found = changes(parse(TEXT), parse(TEXT.replace(old, new)))

    assert sorted(found, key=str) == sorted(
        change if isinstance(change, list) else [change], key=str
    )


def test_columns_in_another_order_are_a_change() -> None:
    """Rows are stored in that order."""
    lines = TEXT.splitlines(keepends=True)
    other = "".join([*lines[:3], lines[4], lines[3], *lines[5:]])

    assert changes(parse(TEXT), parse(other)) == [
        Change("columns", "changed", ["petals", "colour", "bought"], ["colour", "petals", "bought"])
    ]
