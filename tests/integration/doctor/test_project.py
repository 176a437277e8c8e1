"""All parts together: a server that plays Google's APIs, and the emulator for the buckets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import requests

from localdev.storage.process import StorageServer
from perennial.adapters.google_platform import GooglePlatform
from perennial.cli import doctor as command
from perennial.cli.main import main
from perennial.domain.descriptor import Descriptor
from perennial.errors import ConfigError
from perennial.wiring.doctor import examine_descriptor, examine_project
from tests.unit.doctor.conftest import stored
from tests.unit.doctor.documents import deployment

from .conftest import Apis

ROLES = ("landing", "quarantine", "data", "models", "predictions")


@pytest.fixture
def emulator(apis: Apis) -> Iterator[str]:
    """Holds the objects."""
    buckets = [f"acme-1-perennial-{role}" for role in ROLES]
    with TemporaryDirectory() as folder, StorageServer(Path(folder), buckets=buckets) as server:
        apis.emulator = server.url
        yield server.url


@pytest.fixture
def descriptor(apis: Apis, emulator: str) -> Descriptor:
    """Of a deployment that everybody may call: a token would go over https only."""
    document = {**stored(), "predict": apis.addresses["predict"], "predict_public": True}
    found = Descriptor.from_json(json.dumps(document).encode())
    whole = deployment(found)
    apis.documents |= {at: whole[at] for at in whole if not at[1].endswith("/o")}  # has real ones
    apis.documents["predict", ""] = {"service": "perennial-predict", "pipelines": []}
    path = "v2/projects/acme-1/locations/europe-west1/services/perennial-predict:getIamPolicy"
    apis.documents["run", path] = {
        "bindings": [{"role": "roles/run.invoker", "members": ["allUsers"]}]
    }
    return found


@pytest.fixture
def perennial(apis: Apis, descriptor: Descriptor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the command line, which knows Google's addresses only, at these servers."""
    at = f"storage/v1/b/{descriptor.buckets['models']}/o/deployment.json"
    apis.documents["storage", at] = json.loads(descriptor.to_json())
    for name in ("PERENNIAL_LOCAL", "PERENNIAL_DEPLOYMENT", "PERENNIAL_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    here = partial(examine_project, connect=requests.Session, addresses=apis.addresses)
    monkeypatch.setattr(command, "examine_project", here)


def test_all_is_well_and_every_part_was_asked(apis: Apis, descriptor: Descriptor) -> None:
    platform = GooglePlatform(requests.Session(), apis.addresses)
    findings = list(examine_descriptor(platform, descriptor, apis.addresses))

    assert [one for one in findings if one.state != "ok"] == []
    assert {(service, path) for service, path, _ in apis.asked} >= set(apis.documents)
    policies = [query for _, path, query in apis.asked if path.endswith(("/iam", ":getIamPolicy"))]
    assert sum("RequestedPolicyVersion=3" in q or "PolicyVersion=3" in q for q in policies) == 9


def test_a_bucket_that_is_gone_ends_nothing(
    apis: Apis, emulator: str, descriptor: Descriptor
) -> None:
    models = "storage/v1/b/acme-1-perennial-models"
    requests.delete(f"{emulator}/{models}", timeout=10).raise_for_status()
    del apis.documents["storage", models]
    platform = GooglePlatform(requests.Session(), apis.addresses)
    findings = list(examine_descriptor(platform, descriptor, apis.addresses))

    assert {one.check: one.state for one in findings if one.state != "ok"} == {
        "models bucket": "problem",
        "pipelines": "unknown",
    }


def test_no_token_is_sent_without_encryption(apis: Apis, descriptor: Descriptor) -> None:
    restricted = replace(descriptor, predict_public=False)
    platform = GooglePlatform(requests.Session(), apis.addresses)
    findings = examine_descriptor(platform, restricted, apis.addresses)
    found = {one.check: one for one in findings}

    assert found["predict: answers"].state == "unknown"
    assert found["predict: answers"].found.startswith("a token is sent over https only")
    assert found["predict: strangers"].state == "problem"  # this server answers everybody
    assert set(apis.tokens) == {None}


@pytest.mark.usefixtures("perennial")
class TestCommand:
    def run(self, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
        code = main(["doctor", "--project", "acme-1", *words])
        return (code, *capsys.readouterr())

    def test_nothing_wrong_is_code_0(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, err = self.run(capsys)

        assert (code, err) == (0, "")
        assert out.splitlines()[-1].endswith(" ok, 0 problems, 0 unknown")
        assert all(line.startswith("ok ") for line in out.splitlines()[:-2])

    def test_a_problem_is_code_1_and_says_what_to_do(
        self, capsys: pytest.CaptureFixture[str], apis: Apis, descriptor: Descriptor
    ) -> None:
        apis.documents["pubsub", f"v1/{descriptor.subscription}"]["ackDeadlineSeconds"] = 10
        code, out, err = self.run(capsys)

        assert (code, err) == (1, "perennial: 1 problem found\n")
        (line,) = [line for line in out.splitlines() if line.startswith("problem")]
        assert line.split(None, 1)[1] == (
            "subscription: ack deadline (s)  expected 600, found 10: run `make deploy`, which "
            "sets it"
        )

    def test_what_is_unknown_alone_is_code_0_with_a_note(
        self, capsys: pytest.CaptureFixture[str], apis: Apis, descriptor: Descriptor
    ) -> None:
        apis.instead["pubsub", f"v1/{descriptor.subscription}"] = (403, {})
        code, out, err = self.run(capsys)

        assert (code, err) == (0, "")
        assert "roles/pubsub.viewer" in out
        assert out.splitlines()[-1] == (
            "what is unknown could not be looked at, and may be well or not"
        )

    def test_json_is_one_document(
        self, capsys: pytest.CaptureFixture[str], apis: Apis, descriptor: Descriptor
    ) -> None:
        del apis.documents["pubsub", f"v1/{descriptor.dead_letter_topic}"]
        code, out, _ = self.run(capsys, "--json")
        document: dict[str, Any] = json.loads(out)

        assert code == 1
        assert {key: document[key] for key in ("project", "deployment", "problems", "unknown")} == {
            "project": "acme-1",
            "deployment": "perennial",
            "problems": 1,
            "unknown": 0,
        }
        assert len(document["findings"]) == document["ok"] + 1
        assert {tuple(found) for found in document["findings"]} == {
            ("check", "state", "expected", "found", "fix")
        }

    def test_another_deployment_of_the_project_is_looked_for(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PERENNIAL_DEPLOYMENT", "staging")
        code, out, _ = self.run(capsys)

        assert code == 1
        assert "gs://acme-1-staging-models/deployment.json" in out

    def test_a_name_that_no_deployment_has_is_refused(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PERENNIAL_DEPLOYMENT", "Staging!")
        code, out, err = self.run(capsys)

        assert (code, out) == (1, "")
        assert "3 to 18" in err

    def test_an_id_that_no_project_has_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        code = main(["doctor", "--project", "NOPE!"])
        out, err = capsys.readouterr()

        assert (code, out) == (1, "")
        assert "a project id has 6 to 30" in err

    def test_without_credentials_there_is_one_problem(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def none() -> requests.Session:
            raise ConfigError("no Google credentials (none were found)")

        monkeypatch.setattr(command, "examine_project", partial(examine_project, connect=none))
        code, out, _ = self.run(capsys)

        assert code == 1
        first, _, counts = out.splitlines()
        assert first == (
            "problem  credentials  expected Google credentials, found no Google credentials "
            "(none were found): run `gcloud auth application-default login`"
        )
        assert counts == "0 ok, 1 problem, 0 unknown"


@pytest.mark.parametrize(
    ("project", "deployment", "rule"),
    [("NOPE!", "perennial", "6 to 30"), ("acme-1", "Staging!", "3 to 18")],
)
def test_names_that_cannot_be_are_refused_before_credentials_are_looked_for(
    project: str, deployment: str, rule: str
) -> None:
    def connect() -> requests.Session:
        raise AssertionError

    with pytest.raises(ValueError, match=rule):
        next(examine_project(project, deployment, connect=connect))


def test_the_project_is_found_as_other_commands_find_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A project that is named, then PERENNIAL_LOCAL, then settings, then the environment's."""
    monkeypatch.chdir(tmp_path)
    where = [
        command._checks(variables, project)[0].get("project")
        for variables, project in (
            ({"PERENNIAL_LOCAL": "d"}, "named"),
            ({"PERENNIAL_LOCAL": "d", "PERENNIAL_PROJECT": "set"}, None),
            ({"PERENNIAL_PROJECT": "set", "GOOGLE_CLOUD_PROJECT": "own"}, None),
            ({"GOOGLE_CLOUD_PROJECT": "own"}, None),
            ({}, None),
        )
    ]

    assert where == ["named", None, "set", "own", None]
