"""A name in a definition reaches the allowed packages of one folder, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perennial.adapters.model_packages import (
    ModelPackages,
    package_digest,
    packages_in,
    packages_to_ship,
)
from perennial.config import MODEL_PACKAGES, model_packages
from perennial.errors import ConfigError, DefinitionError, RefusedError

MODULE = """\
from os import system
from subprocess import Popen
from functools import partial
from own_test_b.parts import lent
NUMBER = 5
def make(): return 5
part = partial(make)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with two packages, and traces of neither left in this process."""
    for name, files in {
        "own_test_a": {"__init__.py": "", "m.py": MODULE},
        "own_test_b": {"__init__.py": "", "parts.py": "def lent(): return 6\n"},
        "own_test_c": {"__init__.py": "raise SystemExit('c ran')\n"},
        "os": {"__init__.py": "raise AssertionError('imported')\n"},
        "notes": {"readme.txt": ""},
    }.items():
        for file, text in files.items():
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / file).write_text(text)
    path, known = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - known:
        if name.startswith("own_test"):
            del sys.modules[name]


def test_a_factory_is_found_where_it_is_allowed(folder: Path) -> None:
    allowed = ModelPackages(folder, ("own_test_a", "own_test_b"))
    assert allowed("own_test_a.m:make")() == 5
    assert allowed("own_test_a.m:lent")() == 6


@pytest.mark.parametrize("factory", ["system", "Popen", "partial", "part"])
def test_what_a_package_has_from_elsewhere_is_no_factory(folder: Path, factory: str) -> None:
    with pytest.raises(RefusedError, match=f"own_test_a.m:{factory} is not defined in own_test_a"):
        ModelPackages(folder, ("own_test_a",))(f"own_test_a.m:{factory}")


@pytest.mark.parametrize("name", ["os:system", "subprocess:Popen", "perennial.x:y", "own_test_c:x"])
def test_what_is_not_on_the_list_is_refused_and_not_imported(folder: Path, name: str) -> None:
    with pytest.raises(RefusedError, match=f"{name} may not be imported here: .* own_test_a, not"):
        ModelPackages(folder, ("own_test_a",))(name)
    assert "own_test_c" not in sys.modules


@pytest.mark.parametrize("name", ["subprocess:Popen", "perennial.x:y", "sklearn.svm:SVC"])
def test_a_list_that_allows_too_much_reaches_no_further_than_the_folder(
    folder: Path, name: str
) -> None:
    package = name.partition(":")[0].partition(".")[0]
    with pytest.raises(DefinitionError, match=f"expected the package {package} with an __init__"):
        ModelPackages(folder, (package,))(name)


def test_a_package_that_hides_behind_another_of_its_name_is_refused(folder: Path) -> None:
    with pytest.raises(RefusedError, match="os is the name of another package too"):
        ModelPackages(folder, ("os",))("os:system")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("own_test_a.m:mak", r"own_test_a.m has no function mak, .* did you mean make\?"),
        ("own_test_a.m:NUMBER", "has no function NUMBER"),
        ("own_test_a.n:make", "cannot be imported: ModuleNotFoundError"),
        ("own_test_c:make", "cannot be imported: SystemExit: c ran"),
    ],
)
def test_what_is_missing_or_breaks_is_said(folder: Path, name: str, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        ModelPackages(folder, ("own_test_a", "own_test_c"))(name)


def test_a_digest_is_of_names_and_contents_and_of_nothing_else(folder: Path) -> None:
    package = folder / "own_test_a"
    before = package_digest(package)
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "m.pyc").touch()
    (package / ".notes").touch()
    assert package_digest(package) == before
    (package / "m.py").rename(package / "n.py")
    renamed = package_digest(package)
    (package / "n.py").write_text("")
    assert len({before, renamed, package_digest(package)}) == 3


def test_packages_are_the_folders_that_python_takes_for_some(folder: Path) -> None:
    assert list(packages_in(folder)) == ["os", "own_test_a", "own_test_b", "own_test_c"]
    with pytest.raises(ValueError, match="os is taken in the training job: rename it"):
        packages_to_ship(folder)
    with pytest.raises(ValueError, match="found none in"):
        packages_to_ship(folder / "notes")


def test_the_setting_is_a_list_of_names() -> None:
    assert model_packages({}) == ()
    assert model_packages({MODEL_PACKAGES: " a_b, c ,"}) == ("a_b", "c")
    with pytest.raises(ConfigError, match=r"names of packages, found '\.\./x'"):
        model_packages({MODEL_PACKAGES: "a,../x"})
