"""The JSON Schema of a definition, as editors read it."""

from __future__ import annotations

from typing import get_args

from perennial.domain.definitions.definition import Column, Definition
from perennial.domain.definitions.definition_schema import DIALECT, definition_schema
from perennial.domain.definitions.files import Csv, Files

SCHEMA = definition_schema()
PARTS = {"Definition": SCHEMA, **SCHEMA["$defs"]}


def test_it_states_its_dialect() -> None:
    assert SCHEMA["$schema"] == DIALECT


def test_every_key_is_described() -> None:
    lacking = [
        f"{part}.{name}"
        for part, schema in PARTS.items()
        for name, key in schema["properties"].items()
        if not key.get("description")
    ]

    assert lacking == []


def test_a_description_is_about_its_key_alone() -> None:
    for part in PARTS.values():
        assert "Attributes:" not in part["description"]
    delimiter = SCHEMA["$defs"]["Csv"]["properties"]["delimiter"]
    assert delimiter["description"] == r'the one character between fields; "\t" for tabs.'
    assert delimiter["default"] == Csv().delimiter


def test_unknown_keys_are_mistakes_in_every_part() -> None:
    assert {schema["additionalProperties"] for schema in PARTS.values()} == {False}


def test_it_knows_the_keys_and_words_of_the_parser() -> None:
    assert set(SCHEMA["properties"]) == set(Definition.model_fields)
    assert set(SCHEMA["required"]) == {"name", "task", "columns"}
    types = SCHEMA["$defs"]["Column"]["properties"]["type"]["enum"]
    assert types == list(get_args(Column.model_fields["type"].annotation))
    assert SCHEMA["$defs"]["Files"]["properties"]["min_rows"]["default"] == Files().min_rows
