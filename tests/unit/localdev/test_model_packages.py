"""`up --models DIR`: which packages the job gets, and what it and others are told of them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from localdev import endpoints
from localdev.endpoints import SERVICES
from localdev.options import add_arguments, all_arguments, check
from localdev.plan import programs


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = parser.parse_args(words)
    check(options)
    return options


@pytest.fixture
def house(tmp_path: Path) -> Path:
    package = tmp_path / "house" / "house_models"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("RATE = 3\n")
    return package.parent


@pytest.mark.parametrize("given", [True, False])
def test_the_job_alone_has_the_packages_and_is_told_their_names(
    tmp_path: Path, house: Path, given: bool
) -> None:
    options = parsed(f"--dir={tmp_path / 'cloud'}", *([f"--models={house}"] if given else []))
    options.dir.mkdir()
    plan = programs(options, endpoints.choose(options.dir))

    (job,) = json.loads((options.dir / "jobs.json").read_text())
    told = job["environment"].get("PERENNIAL_MODEL_PACKAGES")
    assert told == ("house_models" if given else None)
    assert (Path(job["folder"]) / "models" / "house_models" / "__init__.py").exists() is given
    for program in plan:
        assert "PERENNIAL_MODEL_PACKAGES" not in program.environment
    assert not list((options.dir / "bundles" / "predict").rglob("house_models"))


def test_the_supervisor_gets_the_folder_as_it_was_given(tmp_path: Path, house: Path) -> None:
    options = parsed(f"--dir={tmp_path}", f"--models={house}")
    assert f"--models={house}" in all_arguments(options)
    assert parsed(*all_arguments(options)) == options
    bare = all_arguments(parsed(f"--dir={tmp_path}"))
    assert not [word for word in bare if word.startswith("--models")]


def test_a_folder_without_packages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=f"--models: expected a folder with packages .* {tmp_path}"
    ):
        parsed(f"--dir={tmp_path}", f"--models={tmp_path}")


def test_command_lines_are_told_the_digests(tmp_path: Path) -> None:
    ports = endpoints.choose(tmp_path)
    endpoints.write(tmp_path, ports, list(SERVICES), pid=1, packages={"house_models": "a" * 64})
    assert endpoints.read(tmp_path)["model_packages"] == {"house_models": "a" * 64}
