"""A training job has as many threads as it has processors, whatever it was told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from localdev.settings import TABLE
from perennial.adapters.processors import processors

REPOSITORY = Path(__file__).parents[3]

MANY = set(range(16))

ENTRY = """
import json, os
from threadpoolctl import threadpool_info
from perennial.wiring.train import trainer
told = max(one["num_threads"] for one in threadpool_info())
made = trainer(os.environ)
pools = {one["user_api"]: one["num_threads"] for one in threadpool_info()}
print(json.dumps({"told": told, "pools": pools, "recorded": made.environment["threads"]}))
"""


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Control groups with these files, on a machine of sixteen processors."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: MANY, raising=False)

    def make(own: str, **quotas: str) -> int:
        for name, text in quotas.items():
            path = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n")
        (tmp_path / "own").write_text(own + "\n")
        return processors(tmp_path, tmp_path / "own")

    return make


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("200000 100000", 2),
        ("150000 100000", 1),  # a second thread would wait half of the time
        ("50000 100000", 1),
        ("3200000 100000", 16),  # more than there are
        ("max 100000", 16),
        ("nonsense", 16),
    ],
)
def test_a_container_s_quota_counts(groups, quota: str, expected: int) -> None:
    assert groups("0::/", cpu_dot_max=quota) == expected


def test_the_narrowest_of_the_groups_that_a_process_lies_in_counts(groups) -> None:
    quotas = {"pod__cpu_dot_max": "400000 100000", "pod__job__cpu_dot_max": "max 100000"}

    assert groups("0::/pod/job", **quotas) == 4


def test_so_does_that_of_older_control_groups(groups) -> None:
    quotas = {"cpu__cpu.cfs_quota_us": "300000", "cpu__cpu.cfs_period_us": "100000"}

    assert groups("4:cpu,cpuacct:/", **quotas) == 3
    assert groups("4:cpu,cpuacct:/", **quotas | {"cpu__cpu.cfs_quota_us": "-1"}) == 16


def test_without_any_all_that_the_process_may_use_count(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)

    assert processors(tmp_path / "none", tmp_path / "none") == 2


@pytest.mark.parametrize(("told", "expected"), [("64", processors()), ("1", 1)])
def test_the_job_pins_its_threads_before_it_trains_and_notes_how_many(
    told: str, expected: int
) -> None:
    """Too many become as many as there are processors; fewer stay."""
    roles = ("LANDING", "QUARANTINE", "DATA", "MODELS")
    variables = {f"PERENNIAL_{role}_BUCKET": role.lower() for role in roles}
    done = subprocess.run(
        [sys.executable, "-c", ENTRY],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY / "shared"),
            "OMP_NUM_THREADS": told,
            "PERENNIAL_STORAGE_ENDPOINT": "http://127.0.0.1:1",
            "PERENNIAL_RUN_ENDPOINT": "http://127.0.0.1:1",
            **variables,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)

    assert found["told"] == int(told)
    assert set(found["pools"].values()) == {expected}
    assert found["recorded"] == str(expected)


def test_the_deployed_job_is_told_as_many_threads_as_it_has_processors() -> None:
    job = TABLE["job"]["train"]

    assert job["environment"]["OMP_NUM_THREADS"] == str(job["cpu"])
