"""The description of what `predict` serves, as OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from perennial.domain.modelling.predictions import class_key
from perennial.domain.names import PIPELINE_NAME
from perennial.domain.serving.instance_values import EXACT, LARGEST, MAX_TEXT
from perennial.domain.serving.instances import MAX_IGNORED
from perennial.domain.serving.media_types import CSV
from perennial.domain.serving.problems import MEDIA_TYPE, TYPES
from perennial.domain.serving.request_rows import MAX_CELLS
from perennial.domain.versioning.manifest import Input, Manifest

Json = dict[str, Any]

_NUMERIC = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$"
_NUMBER: Json = {
    "anyOf": [
        {"type": "number", "minimum": -LARGEST, "maximum": LARGEST},
        {"type": "string", "pattern": _NUMERIC},
    ]
}
_INTEGER: Json = {
    "anyOf": [
        {"type": "integer", "minimum": -EXACT, "maximum": EXACT},
        {**_NUMBER, "description": "whole, and one that float32 holds exactly"},
    ]
}
_BOOLEAN: Json = {
    "anyOf": [
        {"type": "boolean"},
        {"type": "integer", "minimum": 0, "maximum": 1},
        {"type": "string", "pattern": "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[01])$"},
    ]
}
_VALUES: Mapping[str, Json] = {
    "integer": _INTEGER,
    "number": _NUMBER,
    "boolean": _BOOLEAN,
    "category": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT},
    "text": {"type": "string", "maxLength": MAX_TEXT},
    "timestamp": {
        "type": "string",
        "minLength": 1,
        "description": "ISO 8601; without an offset it is UTC",
    },
}
_MISSING: Json = {"enum": [None, ""]}


def document(models: Sequence[Manifest], *, max_bytes: int, max_instances: int) -> Json:
    """Describe the service and each model that it serves.

    Args:
        models: the manifests of the champions.
        max_bytes: the largest request body.
        max_instances: the most instances in one request.
    """
    paths: Json = {
        "/": {"get": _get("status", "The service and its pipelines", "Service", (400, 500))},
        "/openapi.json": {"get": _get("description", "This document", None, (400, 500))},
        "/v1/models/{pipeline}": {
            "parameters": [_PIPELINE],
            "get": {
                **_get("model", "The model that answers", "Model", (400, 404, 500, 503)),
                "parameters": [_VERSION],
            },
        },
        "/v1/models/{pipeline}/predictions/{key}": {
            "parameters": [_PIPELINE, _KEY],
            "get": _get(
                "look_up",
                "The prediction for a row of a file that was scored",
                "Prediction",
                problems=(400, 404, 500, 503),
            ),
        },
        "/v1/models/{pipeline}:predict": {
            "parameters": [_PIPELINE],
            "post": _post("predict", _request(_ANY, max_instances), _ref("Predictions"), max_bytes),
        },
    }
    schemas = dict(_SCHEMAS)
    for manifest in models:
        name = manifest.pipeline
        schemas[f"{name}.instance"] = _instance(manifest.inputs)
        schemas[f"{name}.prediction"] = _prediction(manifest)
        request = _request(_ref(f"{name}.instance"), max_instances)
        answer = _answer(_ref(f"{name}.prediction"))
        paths[f"/v1/models/{name}:predict"] = {
            "post": _post(f"predict_{name}", request, answer, max_bytes)
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Perennial predict",
            "version": "1",
            "description": "Each answer of a model names its version in X-Model-Version.",
        },
        "paths": paths,
        "components": {"schemas": schemas, "responses": {"Problem": _PROBLEM_RESPONSE}},
    }


def _get(operation: str, summary: str, schema: str | None, problems: Iterable[int] = ()) -> Json:
    body = {"type": "object"} if schema is None else _ref(schema)
    return {
        "operationId": operation,
        "summary": summary,
        "responses": {"200": _content("The answer", body), **_problems(problems)},
    }


def _post(operation: str, request: Json, answer: Json, max_bytes: int) -> Json:
    responses = {
        "200": {
            "description": "One prediction for each instance, in their order; of CSV, one row each "
            "under a header: prediction, or label and probability_ with each class",
            "content": {"application/json": {"schema": answer}, CSV: {"schema": _TEXT}},
            "headers": {
                name: {"schema": _TEXT, "description": description}
                for name, description in _HEADERS.items()
            },
        },
        **_problems((400, 404, 413, 415, 422, 500, 503)),
    }
    return {
        "operationId": operation,
        "summary": "Predict",
        "parameters": [_VERSION],
        "requestBody": {
            "required": True,
            "description": f"At most {max_bytes} bytes.",
            "content": {
                "application/json": {"schema": request},
                CSV: {"schema": {**_TEXT, "description": _CSV_ROWS}},
            },
        },
        "responses": responses,
    }


def _request(instance: Json, max_instances: int) -> Json:
    instances = {"type": "array", "items": instance, "minItems": 1, "maxItems": max_instances}
    return _object({"instances": instances}, ["instances"])


def _answer(prediction: Json) -> Json:
    predictions = {"type": "array", "items": prediction}
    return _object(
        {
            "predictions": predictions,
            "model_version": _TEXT,
            "ignored": _IGNORED,
            "holdout": _HOLDOUT,
        },
        ["predictions", "model_version"],
    )


def _instance(inputs: Sequence[Input]) -> Json:
    properties: Json = {}
    for one in inputs:
        value: Json = dict(_VALUES[one.type])
        if one.format:
            value["description"] = f"a time in the format {one.format}, or in ISO 8601"
        properties[one.name] = {"anyOf": [value, _MISSING]} if one.nullable else value
    required = [one.name for one in inputs if not one.nullable]
    return {"type": "object", "properties": properties, "required": required}


def _prediction(manifest: Manifest) -> Json:
    if manifest.task == "regression":
        return {"type": "number"}
    keys = [class_key(one) for one in manifest.classes]
    probability: Json = {"type": "number", "minimum": 0, "maximum": 1}
    return _object(
        {
            "label": {"enum": list(manifest.classes)},
            "probabilities": _object(dict.fromkeys(keys, probability), keys),
        },
        ["label", "probabilities"],
    )


def _problems(statuses: Iterable[int]) -> Json:
    reference = {"$ref": "#/components/responses/Problem"}
    return {str(status): reference for status in statuses}


def _content(description: str, schema: Json, media_type: str = "application/json") -> Json:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _object(properties: Json, required: Sequence[str]) -> Json:
    return {"type": "object", "properties": properties, "required": list(required)}


def _ref(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def _or_null(kind: str) -> Json:
    return {"type": [kind, "null"]}


_TEXT: Json = {"type": "string"}
_CSV_ROWS = (
    "A header of column names and a row for each instance: commas, quotes as RFC 4180 has them, "
    "UTF-8; an empty cell is missing. "
    f"At most {MAX_CELLS} cells in the columns that mean something"
)
_HEADERS: Mapping[str, str] = {
    "X-Model-Version": "The version that answered",
    "X-Request-Id": "The request's, as the prediction log has it",
    "X-Holdout": "`true` where the pipeline holds this request out: do without the predictions.",
    "X-Ignored-Fields": "Of CSV: names of columns that mean nothing to the model, percent-encoded; "
    "absent when there are none",
}
_HOLDOUT: Json = {
    "const": True,
    "description": "there where the pipeline holds this request out: do without the predictions",
}
_IGNORED: Json = {
    "type": "array",
    "items": _TEXT,
    "minItems": 1,
    "maxItems": MAX_IGNORED,
    "description": "Fields of the instances that mean nothing to the model, perhaps misspelt; "
    "absent when there are none",
}
_ANY: Json = {"type": "object", "description": "A value for each of the model's inputs"}
_ANY_PREDICTION: Json = {
    "anyOf": [{"type": "number"}, {"type": "object", "required": ["label", "probabilities"]}]
}
_PIPELINE: Json = {
    "name": "pipeline",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": f"^{PIPELINE_NAME.pattern}$"},
}
_KEY: Json = {
    "name": "key",
    "in": "path",
    "required": True,
    "description": "The values of the key columns in the definition's order, with / between",
    "schema": {"type": "string", "minLength": 1},
}
_VERSION: Json = {
    "name": "version",
    "in": "query",
    "description": "An approved version; the champion when absent",
    "schema": {"type": "string", "pattern": "^v[0-9]{6,}$"},
}
_INPUT = _object(
    {
        "name": _TEXT,
        "type": {"enum": list(_VALUES)},
        "nullable": {"type": "boolean"},
        "format": _or_null("string"),
    },
    ["name", "type", "nullable", "format"],
)
_STATUS_FIELDS: Json = {
    "name": _TEXT,
    "ready": {"type": "boolean"},
    "version": _or_null("string"),
    "champion": _or_null("string"),
    "error": _or_null("string"),
    "looked_up_seconds_ago": _or_null("number"),
    "stale": {"type": "boolean"},
}
_SCHEMAS: Mapping[str, Json] = {
    "Service": _object(
        {
            "service": _TEXT,
            "pipelines": {
                "type": "array",
                "items": _object(
                    {**_STATUS_FIELDS, "shadow": _or_null("string")},
                    [*_STATUS_FIELDS, "shadow"],
                ),
            },
        },
        ["service", "pipelines"],
    ),
    "Model": _object(
        {
            **_STATUS_FIELDS,
            "digest": _or_null("string"),
            "trained_through": _or_null("string"),
            "age_seconds": _or_null("number"),
            "inputs": {"type": "array", "items": _INPUT},
        },
        [*_STATUS_FIELDS, "digest", "trained_through", "age_seconds", "inputs"],
    ),
    "Predictions": _answer(_ANY_PREDICTION),
    "Prediction": _object(
        {
            "key": {"type": "object", "additionalProperties": _TEXT},
            "prediction": _ANY_PREDICTION,
            "model_version": _TEXT,
            "file": _or_null("string"),
            "generation": {"type": "integer"},
            "row": {"type": "integer", "minimum": 1},
        },
        ["key", "prediction", "model_version", "file", "generation", "row"],
    ),
    "Problem": _object(
        {
            "type": {"enum": list(TYPES)},
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "error_count": {"type": "integer"},
            "ignored": _IGNORED,
            "errors": {
                "type": "array",
                "items": _object(
                    {
                        "instance": {"type": "integer", "minimum": 0},
                        "line": {"type": "integer", "description": "Of CSV, from 1"},
                        "field": _TEXT,
                        "expected": _TEXT,
                        "found": _TEXT,
                    },
                    ["instance", "field", "expected", "found"],
                ),
            },
        },
        ["type", "title", "status", "detail"],
    ),
}
_PROBLEM_RESPONSE = _content("What is wrong (RFC 9457)", _ref("Problem"), MEDIA_TYPE)
