"""The JSON Schema of a definition, for editors: the declared models, with what their docs say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from perennial.domain.definitions.definition import Definition

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_ATTRIBUTE = re.compile(r"^ {4}(\w[\w, ]*): (.*(?:\n {8}.*)*)", re.MULTILINE)


def definition_schema() -> dict[str, Any]:
    """The schema. Each key has the description and the default that the definition's parser knows.

    It is what editors check while a person types. Rules that span keys (a range needs a column of
    numbers) are left to `perennial apply`, which names their place as well.
    """
    schema = Definition.model_json_schema()
    for part in (schema, *schema["$defs"].values()):
        _describe(part)
    return {"$schema": DIALECT, **schema, "title": "Perennial pipeline definition"}


def _describe(part: dict[str, Any]) -> None:
    """Move what a model's docstring says of its attributes to where editors show it."""
    about, _, attributes = part.get("description", "").partition("\n\nAttributes:\n")
    part["description"] = _flowing(about)
    part.pop("title", None)
    described = _attributes(attributes)
    for name, key in part.get("properties", {}).items():
        key.pop("title", None)
        if name in described:
            key["description"] = described[name]


def _attributes(text: str) -> Mapping[str, str]:
    """What a docstring says of each attribute; several may share a sentence."""
    return {
        name.strip(): _flowing(said)
        for names, said in _ATTRIBUTE.findall(text)
        for name in names.split(",")
    }


def _flowing(text: str) -> str:
    return " ".join(text.split())
