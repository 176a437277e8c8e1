"""`deployment.json`: what is read of it, and what is said of a wrong one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from perennial.domain.descriptor import Descriptor, location, models_bucket

from .conftest import stored


def test_what_is_written_is_read_back(descriptor: Descriptor) -> None:
    assert Descriptor.from_json(descriptor.to_json()) == descriptor


def test_terraforms_document_is_read(document: dict[str, Any]) -> None:
    found = Descriptor.from_json(json.dumps(document).encode())

    assert found.buckets["landing"] == "acme-1-perennial-landing"
    assert found.table["claim_seconds"] == 7200
    assert found.name == "gs://acme-1-perennial-models/deployment.json"


def test_packages_of_models_are_named_unless_an_earlier_release_wrote_it(
    document: dict[str, Any],
) -> None:
    assert Descriptor.from_json(json.dumps(document).encode()).model_packages is None
    packages = {"house_models": "a" * 64}
    told = json.dumps({**document, "model_packages": packages}).encode()
    assert Descriptor.from_json(told).model_packages == packages
    with pytest.raises(ValueError, match="model_packages must be an object"):
        Descriptor.from_json(json.dumps({**document, "model_packages": "house"}).encode())


def test_a_key_from_a_later_version_is_left_alone(document: dict[str, Any]) -> None:
    later = json.dumps({**document, "console": "https://console"}).encode()

    assert Descriptor.from_json(later) == Descriptor.from_json(json.dumps(document).encode())


@pytest.mark.parametrize("data", [b"", b"<html>", b"\xff\xfe", b"[]", b"null", b"1"])
def test_what_is_no_descriptor_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^deployment\.json "):
        Descriptor.from_json(data)


def test_a_newer_format_says_to_install_the_deployed_version(document: dict[str, Any]) -> None:
    newer = json.dumps({**document, "format": 2}).encode()

    with pytest.raises(ValueError, match=r"format 2.* install the version"):
        Descriptor.from_json(newer)


@pytest.mark.parametrize("found", [None, 0, "1", 1.5, True])
def test_another_format_is_refused(document: dict[str, Any], found: Any) -> None:
    other = json.dumps({**document, "format": found}).encode()

    with pytest.raises(ValueError, match=f"must have format 1, found {found!r}"):
        Descriptor.from_json(other)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"region": None}, "region must be text, found None"),
        ({"train_job": ""}, "train_job must be text, found ''"),
        ({"predict_public": "no"}, "predict_public must be true or false, found 'no'"),
        ({"buckets": ["landing"]}, "buckets must be an object"),
        ({"buckets": {"landing": "l", "data": 7}}, "buckets lacks quarantine, data, models, "),
        ({"services": {"ingest": "i"}}, "services lacks predict, monitor"),
        ({"table": {"claim_seconds": 1}}, "table lacks buckets, functions, job, events, sweep"),
        (
            {"table": {**stored()["table"], "functions": {"ingest": {"cpu": 1}}}},
            "table.functions lacks predict, monitor",
        ),
        ({"table": {**stored()["table"], "job": ["train"]}}, "table.job must be an object"),
    ],
)
def test_a_wrong_value_is_named(
    document: dict[str, Any], change: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=rf"^deployment\.json: {complaint}"):
        Descriptor.from_json(json.dumps({**document, **change}).encode())


def test_another_deployment_of_the_project_has_another_bucket() -> None:
    assert models_bucket("acme-1") == "acme-1-perennial-models"
    assert location("acme-1", "staging") == "gs://acme-1-staging-models/deployment.json"


@pytest.mark.parametrize(
    "name", ["ab", "a" * 19, "Staging", "9lives", "-abc", "abc-", "a_b_c", "../x", ""]
)
def test_a_name_that_no_deployment_has_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="3 to 18"):
        models_bucket("acme-1", name)


@pytest.mark.parametrize(
    "project", ["acme", "a" * 31, "NOPE!", "1-acme", "acme-1-", "acme.com:garden", "123456789", ""]
)
def test_an_id_that_no_project_has_is_refused(project: str) -> None:
    with pytest.raises(ValueError, match="6 to 30"):
        models_bucket(project)


def test_the_shortest_and_the_longest_names_are_not() -> None:
    assert models_bucket("a" * 6, "abc") == "aaaaaa-abc-models"
    assert models_bucket("a" * 30, "b" * 18) == f"{'a' * 30}-{'b' * 18}-models"
