"""`perennial doctor --probe` in a project: settings as Google tells them, objects that are real."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from localdev.storage.process import StorageServer
from perennial.cli import doctor as command
from perennial.cli.main import main
from perennial.config import Config
from perennial.wiring.doctor import examine_bucket
from perennial.workflows.doctoring.promises.catalogue import PROMISES

from .conftest import Apis

PLACE = "storage/v1/b/roses"
SETTINGS: dict[str, Any] = {
    "location": "EUROPE-WEST1",
    "locationType": "region",
    "iamConfiguration": {
        "uniformBucketLevelAccess": {"enabled": True},
        "publicAccessPrevention": "enforced",
    },
    "softDeletePolicy": {"retentionDurationSeconds": "604800"},
}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StorageServer]:
    with StorageServer(tmp_path_factory.mktemp("storage"), buckets=["roses"]) as server:
        yield server


@pytest.fixture
def project(apis: Apis, emulator: StorageServer, monkeypatch: pytest.MonkeyPatch) -> Apis:
    """A project with the bucket `roses`; the command line, which knows Google only, asks here."""
    apis.documents["storage", PLACE] = SETTINGS
    apis.documents["storage", f"{PLACE}/notificationConfigs"] = {}
    for name in ("PERENNIAL_LOCAL", "PERENNIAL_DEPLOYMENT", "PERENNIAL_PROJECT"):
        monkeypatch.delenv(name, raising=False)

    def here(bucket: str, role: str, config: Config, **words: Any) -> Any:
        assert config.storage_endpoint == ""
        assert words == {"versioned": None}
        there = Config("", "", "", "", storage_endpoint=emulator.url)
        return examine_bucket(
            bucket, role, there, connect=requests.Session, addresses=apis.addresses
        )

    monkeypatch.setattr(command, "examine_bucket", here)
    return apis


def run(capsys: pytest.CaptureFixture[str], bucket: str = "roses") -> tuple[int, str, str]:
    code = main(["doctor", "--project", "acme-1", "--probe", bucket])
    return (code, *capsys.readouterr())


def test_a_bucket_of_ones_own_is_told_settings_and_promises(
    project: Apis, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys)

    assert (code, err) == (0, "")
    assert "region europe-west1, versioning off, soft delete 7 days" in out
    assert out.splitlines()[-1] == f"{len(PROMISES) + 1} ok, 0 problems, 0 unknown"


def test_settings_that_would_do_harm_are_problems(
    project: Apis, capsys: pytest.CaptureFixture[str]
) -> None:
    project.documents["storage", PLACE] = SETTINGS | {
        "iamConfiguration": {"publicAccessPrevention": "inherited"},
        "billing": {"requesterPays": True},
        "lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {"age": 30}}]},
        "retentionPolicy": {"retentionPeriod": "86400"},
    }
    code, out, err = run(capsys)

    assert (code, err) == (1, "perennial: 5 problems found\n")
    assert "found one that deletes objects with age 30" in out
    for name in ("uniform access", "public access prevention", "requester pays", "lifecycle"):
        assert f"problem  the bucket: {name}" in out
    assert "found a retention of 1 days" in out


def test_a_bucket_that_makes_events_is_not_written_to(
    project: Apis, emulator: StorageServer, capsys: pytest.CaptureFixture[str]
) -> None:
    project.documents["storage", f"{PLACE}/notificationConfigs"] = {"items": [{"id": "1"}]}
    code, out, err = run(capsys)

    assert (code, out) == (1, "")
    assert "tells of every new object, as a landing bucket does" in err


def test_where_nobody_can_say_whether_it_does_it_is_not_written_to_either(
    project: Apis, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ("storage", f"{PLACE}/notificationConfigs")
    project.instead[at] = (403, {"error": {"code": 403, "message": "ann lacks buckets.get"}})
    code, out, err = run(capsys)

    assert (code, out) == (1, "")
    assert "ann lacks buckets.get" in err
    assert "ask for roles/storage.legacyBucketReader on it" in err


def test_the_landing_bucket_of_the_deployment_is_known_by_its_name(
    project: Apis, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "acme-1-perennial-landing"
    project.documents["storage", f"storage/v1/b/{name}"] = SETTINGS
    project.documents["storage", f"storage/v1/b/{name}/notificationConfigs"] = {}
    for named in ("landing", name, f"gs://{name}"):
        code, out, err = run(capsys, named)
        assert (code, out) == (1, "")
        assert f"gs://{name} tells of every new object" in err
