"""The training job as the platform sees it: an exit code and structured log lines."""

from __future__ import annotations

import json
import time

import requests


def test_an_execution_that_trained_succeeds_and_logs_its_run_once(new_cloud, bike, tmp_path):
    new_cloud.up()
    definition = tmp_path / "bike.yaml"
    new_cloud.run("init", "bike", "--sample", str(bike[0]), "--label", "cnt", "-o", str(definition))
    new_cloud.run("apply", str(definition))
    (run,) = new_cloud.json("drop", "bike", str(bike[0]), "--wait")["runs"]
    jobs = f"{new_cloud.endpoints['run']}/v2/projects/local/locations/local/jobs/perennial-train"

    while not (
        execution := requests.get(f"{jobs}/executions/{run['execution']}", timeout=10).json()
    ).get("completionTime"):
        time.sleep(0.1)

    assert execution.get("failedCount", 0) == 0, execution
    assert execution["succeededCount"] == 1
    log = new_cloud.folder / "logs" / "executions" / f"{run['execution']}.log"
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    told = [line for line in lines if line.get("run") == run["run"]]
    assert [(line["severity"], line["pipeline"]) for line in told] == [("INFO", "bike")]
