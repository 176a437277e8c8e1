"""`perennial apply` of a definition that names a model of one's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from perennial.adapters.model_packages import package_digest
from perennial.cli import own_models
from perennial.ports import Buckets

from .conftest import DEFINITION, Run
from .deployments import descriptor

MODELS = """\
from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import LabelSpreading

print("what a package prints is no answer")


def make(c=1.0):
    return LogisticRegression(C=c)


def no_graph():
    return LabelSpreading()


def exits():
    import os

    os._exit(3)
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    made = tmp_path / "own_apply_models"
    made.mkdir()
    (made / "__init__.py").write_text(MODELS)
    return made


def write(model: str, parameters: str = "{}") -> str:
    training = f'training: {{model: "{model}", parameters: {parameters}, '
    Path("flowers.yaml").write_text(DEFINITION.replace("training: {", training))
    return "flowers.yaml"


def test_a_model_is_tried_in_another_process_before_it_is_in_force(
    deployed: Run, package: Path
) -> None:
    told = deployed("apply", write("own_apply_models:make", "{c: 2}"), "--json").json

    assert told["changed"]
    model = told["model"]
    assert (model["package"], model["digest"]) == ("own_apply_models", package_digest(package))
    assert model["deployed"] is None
    assert model["largest_difference"] <= model["tolerance"]
    assert "own_apply_models" not in sys.modules


def test_a_built_in_model_is_not_tried(flowers: Run) -> None:
    assert flowers("apply", "flowers.yaml", "--json").json["model"] is None


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("no_models:make", "expected the package no_models beside this file, found no folder"),
        ("os:system", "expected the package os beside this file, found no folder"),
        ("own_apply_models:mak", "has no function mak, which own_apply_models:mak names; did you"),
        ("own_apply_models:no_graph", "scikit-learn's model has no graph: "),
        ("own_apply_models:exits", "the process that tried it ended with code 3: what a package"),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_reason(
    deployed: Run, package: Path, buckets: Buckets, model: str, reason: str
) -> None:
    complaint = deployed("apply", write(model)).complaint

    assert complaint.startswith("perennial: flowers.yaml: training.model: ")
    assert reason in complaint
    assert not list(buckets.models.list())


def described(buckets: Buckets, packages: dict[str, str]) -> None:
    """Let the deployment say which packages its job has."""
    buckets.models.create("deployment.json", descriptor(model_packages=packages).to_json())


def test_a_package_that_the_job_lacks_is_refused(
    deployed: Run, package: Path, buckets: Buckets
) -> None:
    described(buckets, {"house_models": "a" * 64})
    complaint = deployed("apply", write("own_apply_models:make")).complaint

    assert "the training job has no package own_apply_models, only house_models" in complaint


def test_a_package_that_differs_from_the_jobs_is_told(
    deployed: Run, package: Path, buckets: Buckets
) -> None:
    described(buckets, {"own_apply_models": "a" * 64})
    said = deployed("apply", write("own_apply_models:make")).out

    assert f"the training job has another own_apply_models, {'a' * 12}, until it is" in said


def test_without_the_libraries_it_says_what_to_install(
    deployed: Run, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_models, "find_spec", lambda name: None if name == "skl2onnx" else name)
    complaint = deployed("apply", write("own_apply_models:make")).complaint

    assert complaint.endswith("needs skl2onnx: pip install 'perennial[models]'")
