"""Bundles hold what a function needs, no more, and the same bytes every time."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from infra.bundle import FUNCTIONS, PACKAGE, ROOT, build, collect, imports

HEAVY = {"pandas", "sklearn", "skl2onnx", "polars", "pyarrow", "pydantic"}

present = [name for name in FUNCTIONS if (ROOT / "functions" / name / "main.py").exists()]
each_function = pytest.mark.parametrize("function", present)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout whose shared package has what a bundle must and must not follow."""
    files = {
        "functions/ingest/main.py": "from perennial.a import thing\nimport helper\n",
        "functions/ingest/helper.py": "def late():\n    from perennial.pack import lazy\n",
        "functions/ingest/__init__.py": "",
        "functions/ingest/requirements.txt": "polars==1.0\n",
        "functions/ingest/requirements.in": "polars\n",
        "functions/ingest/page.html": "<p>",
        "shared/perennial/__init__.py": "",
        "shared/perennial/a.py": "from . import b\nimport json\n",
        "shared/perennial/b.py": (
            "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from perennial import typed\nelse:\n    import perennial.c\n"
        ),
        "shared/perennial/c.py": "",
        "shared/perennial/typed.py": "",
        "shared/perennial/unused.py": "",
        "shared/perennial/pack/__init__.py": "from ..sibling import x\n",
        "shared/perennial/pack/lazy.py": "",
        "shared/perennial/sibling.py": "x = 1\n",
    }
    for name, text in files.items():
        path = tmp_path / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "checkout"


def test_bundle_is_the_function_and_what_it_imports(checkout):
    assert list(collect("ingest", checkout)) == [
        "helper.py",
        "main.py",
        "page.html",
        "perennial/__init__.py",
        "perennial/a.py",
        "perennial/b.py",
        "perennial/c.py",
        "perennial/pack/__init__.py",
        "perennial/pack/lazy.py",
        "perennial/sibling.py",
        "requirements.txt",
    ]


def test_folder_and_zip_hold_the_same_files(checkout, tmp_path):
    bundle = build("ingest", tmp_path / "out", checkout)
    with zipfile.ZipFile(bundle.zip) as archive:
        zipped = {name: archive.read(name) for name in archive.namelist()}
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        # What a compressor makes of the same sources depends on its version.
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    files = {
        path.relative_to(bundle.folder).as_posix(): path.read_bytes()
        for path in bundle.folder.rglob("*")
        if path.is_file()
    }
    assert files == zipped == collect("ingest", checkout)
    assert bundle.digest[:16] in bundle.zip.name


def test_same_sources_give_the_same_bytes(checkout, tmp_path):
    first = build("ingest", tmp_path / "one", checkout)
    copy = shutil.copytree(checkout, tmp_path / "copy")
    (copy / "shared/perennial/unused.py").write_text("changed = True\n")
    second = build("ingest", tmp_path / "two", copy)
    assert first.digest == second.digest
    assert first.zip.name == second.zip.name
    assert first.zip.read_bytes() == second.zip.read_bytes()


def test_packages_of_models_lie_in_a_folder_of_their_own_and_count(checkout, tmp_path):
    house = tmp_path / "house_models"
    (house / "__pycache__").mkdir(parents=True)
    (house / "__init__.py").touch()
    (house / "forest.py").write_text("def make(): ...\n")
    (house / "__pycache__" / "forest.pyc").touch()
    bare = build("ingest", tmp_path / "bare", checkout)
    bundle = build("ingest", tmp_path / "out", checkout, {"house_models": house})
    mine = collect("ingest", checkout, {"house_models": house}).keys() - collect("ingest", checkout)
    assert mine == {"models/house_models/__init__.py", "models/house_models/forest.py"}
    assert (bundle.folder / "models/house_models/forest.py").is_file()
    assert bundle.digest != bare.digest
    again = build("ingest", tmp_path / "again", checkout, {"house_models": house})
    assert again.zip.read_bytes() == bundle.zip.read_bytes()


def test_predict_has_no_folder_for_models_and_the_job_has(tmp_path):
    assert not [name for name in collect("predict") if name.startswith("models/")]
    assert [name for name in collect("train") if name.startswith("models/")] == ["models/README.md"]


def test_one_shared_line_changes_the_bundle_and_replaces_it(checkout, tmp_path):
    before = build("ingest", tmp_path, checkout)
    (checkout / "shared/perennial/sibling.py").write_text("x = 2\n")
    after = build("ingest", tmp_path, checkout)
    assert after.digest != before.digest
    assert (after.folder / "perennial/sibling.py").read_text() == "x = 2\n"
    assert [path.name for path in tmp_path.glob("*.zip")] == [after.zip.name]


def test_unchanged_folder_is_left_alone_with_its_bytecode(checkout, tmp_path):
    folder = build("ingest", tmp_path, checkout).folder
    compiled = folder / "__pycache__" / "main.pyc"
    compiled.parent.mkdir()
    compiled.touch()
    build("ingest", tmp_path, checkout)
    assert compiled.exists()


def test_folder_without_main_is_no_function(checkout, tmp_path):
    (checkout / "functions/ingest/main.py").unlink()
    with pytest.raises(FileNotFoundError, match=r"main\.py is missing"):
        build("ingest", tmp_path, checkout)


@each_function
def test_every_import_is_provided_by_the_functions_requirements(function, tmp_path):
    bundle = build(function, tmp_path)
    pinned = set(
        re.findall(r"^([\w.-]+)==", (bundle.folder / "requirements.txt").read_text(), re.MULTILINE)
    )
    pinned = {_normal(name) for name in pinned}
    providers = importlib.metadata.packages_distributions()
    for name, where in _third_party(bundle.folder).items():
        offered = {_normal(provider) for provider in providers.get(name, [])}
        assert offered & pinned, f"{where} imports {name}, which {function} does not require"


def test_training_image_is_built_from_nothing_but_its_bundle():
    """The Dockerfile ships with the bundle, pins its packages, and copies all that the job runs."""
    files = collect("train")
    lines = files["Dockerfile"].decode().splitlines()
    copied = [line.split()[1] for line in lines if line.startswith("COPY ")]
    assert {name.partition("/")[0] for name in files} - {"Dockerfile"} == set(copied)
    assert any("--require-hashes" in line for line in lines)
    assert any(line.startswith("USER ") and "root" not in line for line in lines)


def test_training_image_has_the_functions_python():
    """A model is trained and served by the same minor version of Python."""
    image = re.search(
        r"^ARG PYTHON=3\.(\d+)$", collect("train")["Dockerfile"].decode(), re.MULTILINE
    )
    runtime = re.search(r'default\s*= "python3(\d+)"', (ROOT / "infra/variables.tf").read_text())
    assert image
    assert runtime
    assert image[1] == runtime[1]


def test_predict_imports_nothing_heavy(tmp_path):
    folder = build("predict", tmp_path).folder
    assert not HEAVY & _third_party(folder).keys()


@each_function
def test_bundle_imports_nothing_that_stays_behind(function, tmp_path):
    folder = build(function, tmp_path).folder
    assert not {"localdev", "tests", "infra", "functions"} & _third_party(folder).keys()


def _third_party(folder: Path) -> dict[str, Path]:
    """Top-level modules that a bundle imports from elsewhere, and one place where it does."""
    own = {path.stem for path in folder.glob("*.py")} | {PACKAGE}
    found = {}
    for path in folder.rglob("*.py"):
        package = ".".join(path.relative_to(folder).parent.parts)
        for name in imports(path, package):
            top = name.partition(".")[0]
            if top and top not in own | sys.stdlib_module_names:
                found[top] = path
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
