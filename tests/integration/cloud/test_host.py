"""Functions run as on the platform: alone, limited, with their own requirements, and again."""

from __future__ import annotations

from contextlib import suppress

import httpx
import pytest

from localdev.settings import BUCKETS


def test_function_can_import_only_its_own_requirements(cloud):
    wanted = ["onnxruntime", "numpy", "perennial", "pandas", "sklearn", "polars", "localdev"]
    answer = httpx.get(cloud.endpoints["predict"], params={"import": wanted}).json()
    assert answer["found"] == {
        "onnxruntime": True,
        "numpy": True,
        "perennial": True,  # the bundle's own
        "pandas": False,
        "sklearn": False,
        "polars": False,
        "localdev": False,
    }


def test_function_gets_the_platforms_variables_and_none_of_the_callers(cloud):
    variables = httpx.get(cloud.endpoints["predict"]).json()["variables"]
    assert variables["PERENNIAL_STORAGE_ENDPOINT"] == cloud.endpoints["storage"]
    assert variables["PERENNIAL_RUN_ENDPOINT"] == cloud.endpoints["run"]
    assert variables["PERENNIAL_MODELS_BUCKET"] == BUCKETS["models"]
    assert variables["STORAGE_EMULATOR_HOST"] == cloud.endpoints["storage"]
    assert variables["K_SERVICE"] == "perennial-predict"
    assert not {
        name for name in variables if name.startswith(("PYTEST", "VIRTUAL_ENV", "PYTHONPATH"))
    }


def test_functions_listen_on_the_loopback_interface_only(cloud):
    urls = [url for url in cloud.endpoints.values() if isinstance(url, str) and "://" in url]
    assert len(urls) == 6
    assert all(url.startswith("http://127.0.0.1:") for url in urls)


def test_upload_reaches_ingest_as_an_event(cloud, upload, eventually):
    upload("shop/blüten 1.csv", b"a,b\n")
    event = eventually(lambda: [item for item in cloud.notes("event") if "blüten" in item["name"]])[
        0
    ]
    assert event["name"] == "shop/blüten 1.csv"
    assert event["python"].endswith("/functions/ingest/bin/python")


def test_event_that_fails_is_delivered_again(cloud, upload, eventually):
    broken = cloud.directory / "broken"
    broken.touch()
    upload("shop/broken.csv", b"")

    def seen() -> list[object]:
        return [item for item in cloud.notes("event") if "broken" in item["name"]]

    eventually(lambda: len(seen()) >= 2)
    broken.unlink()
    eventually(lambda: httpx.get(cloud.endpoints["delivery"]).json()["pending"] == 0)
    assert len({item["id"] for item in seen()}) == 1


def test_scheduler_calls_monitor_once_after_the_start(cloud, eventually):
    [call] = eventually(lambda: cloud.notes("monitor"))
    assert (call["method"], call["body"]) == ("POST", {})


def test_job_runs_its_bundle_in_its_own_environment(cloud, eventually):
    job = f"{cloud.endpoints['run']}/v2/projects/local/locations/local/jobs/perennial-train"
    env = [{"name": "PERENNIAL_PIPELINE", "value": "flowers"}]
    httpx.post(f"{job}:run", json={"overrides": {"containerOverrides": [{"env": env}]}})
    [run] = eventually(lambda: cloud.notes("train"))
    variables = run["variables"]
    assert variables["PERENNIAL_PIPELINE"] == "flowers"
    assert variables["PERENNIAL_DATA_BUCKET"] == BUCKETS["data"]
    assert variables["CLOUD_RUN_JOB"] == "perennial-train"
    assert variables["OMP_NUM_THREADS"] == "1"
    assert run["python"].endswith("/functions/train/bin/python")


@pytest.mark.parametrize("end", ["die", "kill-the-master"])
def test_function_that_dies_is_started_again(end, cloud, eventually):
    url = cloud.endpoints["predict"]
    before = _pid(url)
    with suppress(httpx.HTTPError):  # it may answer before it dies
        httpx.get(f"{url}/{end}")
    eventually(lambda: _pid(url) not in {None, before})


def test_function_beyond_its_memory_is_killed_and_started_again(cloud, eventually):
    url = cloud.endpoints["predict"]
    before = eventually(lambda: _pid(url))
    with suppress(httpx.HTTPError):
        httpx.get(f"{url}/hoard", timeout=20)
    eventually(lambda: "Memory limit of 512 MiB exceeded" in cloud.log("predict"))
    eventually(lambda: _pid(url) not in {None, before})


def _pid(url: str) -> int | None:
    try:
        return int(httpx.get(url).json()["pid"])
    except httpx.HTTPError:
        return None
