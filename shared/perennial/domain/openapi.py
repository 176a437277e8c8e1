"""The description of what `predict` serves, as OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from perennial.domain.instances import MAX_IGNORED
from perennial.domain.manifest import Input, Manifest
from perennial.domain.predictions import class_key
from perennial.domain.problems import MEDIA_TYPE, TYPES

Json = dict[str, Any]

_NUMERIC = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_NUMBER: Json = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": _NUMERIC}]}
_VALUES: Mapping[str, Json] = {
    "integer": _NUMBER,
    "number": _NUMBER,
    "boolean": {"enum": [True, False, 0, 1, "true", "false", "1", "0"]},
    "category": {"type": "string"},
    "text": {"type": "string"},
    "timestamp": {"type": "string", "description": "ISO 8601; without an offset it is UTC"},
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
        "/": {"get": _get("status", "The service and its pipelines", "Service")},
        "/openapi.json": {"get": _get("description", "This document", None)},
        "/v1/models/{pipeline}": {
            "parameters": [_PIPELINE],
            "get": {
                **_get("model", "The model that answers", "Model", problems=(404, 503)),
                "parameters": [_VERSION],
            },
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
            **_content("One prediction for each instance, in their order", answer),
            "headers": {"X-Model-Version": {"schema": {"type": "string"}}},
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
            "content": {"application/json": {"schema": request}},
        },
        "responses": responses,
    }


def _request(instance: Json, max_instances: int) -> Json:
    instances = {"type": "array", "items": instance, "minItems": 1, "maxItems": max_instances}
    return _object({"instances": instances}, ["instances"])


def _answer(prediction: Json) -> Json:
    predictions = {"type": "array", "items": prediction}
    return _object(
        {"predictions": predictions, "model_version": _TEXT, "ignored": _IGNORED},
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
_IGNORED: Json = {
    "type": "array",
    "items": _TEXT,
    "minItems": 1,
    "maxItems": MAX_IGNORED,
    "description": "Fields of the instances that mean nothing to the model, perhaps misspelt; "
    "absent when there are none",
}
_ANY: Json = {"type": "object", "description": "A value for each of the model's inputs"}
_PIPELINE: Json = {"name": "pipeline", "in": "path", "required": True, "schema": _TEXT}
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
    "error": _or_null("string"),
}
_SCHEMAS: Mapping[str, Json] = {
    "Service": _object(
        {
            "service": _TEXT,
            "pipelines": {
                "type": "array",
                "items": _object(
                    {**_STATUS_FIELDS, "looked_up_seconds_ago": _or_null("number")},
                    [*_STATUS_FIELDS, "looked_up_seconds_ago"],
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
    "Predictions": _answer(
        {"anyOf": [{"type": "number"}, {"type": "object", "required": ["label", "probabilities"]}]}
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
                        "instance": {"type": "integer"},
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
