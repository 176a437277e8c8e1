"""`up --alert-webhook URL`: monitor alone is told, as in a deployment."""

from __future__ import annotations

import argparse
from pathlib import Path

from localdev import endpoints
from localdev.options import add_arguments, all_arguments, check
from localdev.plan import programs

URL = "http://127.0.0.1:9/hooks"


def test_monitor_alone_knows_the_webhook(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = parser.parse_args([f"--dir={tmp_path / 'cloud'}", f"--alert-webhook={URL}"])
    check(options)
    options.dir.mkdir()
    plan = programs(options, endpoints.choose(options.dir))

    told = {one.name: one.environment.get("PERENNIAL_ALERT_WEBHOOK") for one in plan}
    assert {name: url for name, url in told.items() if url} == {"monitor": URL}
    assert f"--alert-webhook={URL}" in all_arguments(options)
