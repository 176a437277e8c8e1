"""Terraform with the real provider, where `make provider` has put it."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.bundle import FUNCTIONS, build
from infra.provider import Tools, find
from tests.integration.infra.terraform import Copy, Outcome

VARIABLES = """
variables {
  project        = "flower-shop"
  region         = "europe-west1"
  train_image    = "europe-west1-docker.pkg.dev/flower-shop/perennial/train@sha256:%s"
  settle_seconds = 0
}
""" % ("0" * 64)


@pytest.fixture(scope="session")
def tools() -> Tools:
    """Terraform and the real google provider; skips where they are not."""
    tools = find()
    if tools.missing:
        pytest.skip(f"no {' and no '.join(tools.missing)} for Terraform: run `make provider`")
    return tools


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every function's zip."""
    folder = tmp_path_factory.mktemp("bundles")
    zips = tmp_path_factory.mktemp("zips")
    for function in FUNCTIONS:
        archive = build(function, folder).zip
        archive.rename(zips / archive.name)
    return zips


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory, tools: Tools, bundles: Path) -> Copy:
    """A copy of infra/ that nobody edits, initialised once for all."""
    copy = Copy.make(
        tmp_path_factory.mktemp("initialised"), tools, tmp_path_factory.mktemp("data"), bundles
    )
    copy.init()
    return copy


@pytest.fixture
def new_copy(tmp_path: Path, initialised: Copy, bundles: Path) -> Copy:
    """A copy of infra/ for one test, initialised and unedited."""
    return initialised.another(tmp_path, bundles)


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory, initialised: Copy, bundles: Path) -> Outcome:
    """What a mocked apply with the default settings makes, and what a plan after it changes."""
    copy = initialised.another(tmp_path_factory.mktemp("deployed"), bundles)
    copy.write_test("deployed", VARIABLES + 'run "apply" {}\n\nrun "again" { command = plan }\n')
    outcome = copy.test("deployed", verbose=True)
    assert outcome.ok, outcome.messages
    return outcome


@pytest.fixture(scope="session")
def variables() -> str:
    """The variables of a deployment, as a block of a test file."""
    return VARIABLES
