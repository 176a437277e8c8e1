"""The first apply makes what the training image is built with, and nothing that needs the image."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from infra import bundle, provider
from infra.deploying.steps import FOUNDATION
from infra.deploying.wanted import ROOT

TEST = """\
mock_provider "google" {{
  mock_data "google_project" {{
    defaults = {{ number = "123456789012" }}
  }}
}}
variables {{
  project = "garden-1"
  region  = "europe-west1"
  bundles = "{bundles}"
}}
run "foundation" {{
  command = plan
  plan_options {{
    target = [{targets}]
  }}
}}
"""


def test_every_target_is_a_resource_and_the_image_is_not_needed(tmp_path: Path) -> None:
    """Terraform ignores a target that does not exist, so each must be in the plan."""
    tools = provider.find()
    if tools.missing:
        pytest.skip(f"no {', '.join(tools.missing)}: `python infra/provider.py` builds them")
    for function in bundle.FUNCTIONS:
        bundle.build(function, tmp_path / "bundles")
    folder = tmp_path / "infra"
    (folder / "tests").mkdir(parents=True)
    for path in [*(ROOT / "infra").glob("*.tf"), ROOT / "infra" / "deployment.yaml"]:
        shutil.copy(path, folder)
    text = TEST.format(bundles=tmp_path / "bundles", targets=", ".join(FOUNDATION))
    (folder / "tests" / "foundation.tftest.hcl").write_text(text)

    environment = {
        **os.environ,
        "TF_CLI_CONFIG_FILE": str(tools.config),
        "TF_DATA_DIR": str(tmp_path / "data"),
        "CHECKPOINT_DISABLE": "1",
    }
    printed = ""
    for command in (["init", "-backend=false"], ["test", "-verbose"]):
        done = subprocess.run(
            [tools.terraform, f"-chdir={folder}", *command, "-no-color"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        printed = done.stdout + done.stderr
        assert done.returncode == 0, printed
    planned = {
        line.split()[1].partition("[")[0]
        for line in printed.splitlines()
        if line.endswith("will be created")
    }
    assert {target.partition("[")[0] for target in FOUNDATION} <= planned
    assert not {name for name in planned if "job" in name or "function" in name}
