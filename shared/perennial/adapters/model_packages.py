"""Packages that hold models of one's own: a folder of them, what they contain, and their import.

Standard library only: deployments are built with it where nothing that trains is installed.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from perennial.errors import DefinitionError, RefusedError

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_NOT_CODE = "__pycache__"  # nor hidden files
_TAKEN = sys.stdlib_module_names | {"main", "models", "perennial"}
_PLACE = "training.model"


def packages_in(folder: Path) -> dict[str, Path]:
    """The packages that lie in a folder, by name: its folders with an `__init__.py`."""
    return {
        path.name: path
        for path in sorted(folder.iterdir())
        if _NAME.fullmatch(path.name) and (path / "__init__.py").is_file()
    }


def packages_to_ship(folder: Path) -> dict[str, Path]:
    """The packages of a folder that go into the training job.

    Raises:
        ValueError: when it has none, or one by whose name Python would find something else there.
    """
    found = packages_in(folder) if folder.is_dir() else {}
    if not found:
        raise ValueError(
            f"expected a folder with packages (folders with an __init__.py), found none in {folder}"
        )
    for name in found:
        if name in _TAKEN:
            raise ValueError(f"{found[name]}: {name} is taken in the training job: rename it")
    return found


def package_files(package: Path) -> dict[str, bytes]:
    """Everything that belongs to a package: names relative to it, sorted, and contents."""
    paths = {path.relative_to(package).as_posix(): path for path in package.rglob("*")}
    return {name: paths[name].read_bytes() for name in sorted(paths) if _ships(name, paths[name])}


def package_digest(package: Path) -> str:
    """SHA-256 over the names and contents of a package's files."""
    digest = hashlib.sha256()
    for name, data in package_files(package).items():
        digest.update(f"{name}\0{hashlib.sha256(data).hexdigest()}\n".encode())
    return digest.hexdigest()


def _ships(name: str, path: Path) -> bool:
    hidden = any(part.startswith(".") or part == _NOT_CODE for part in name.split("/"))
    return path.is_file() and not hidden


@dataclass(frozen=True, slots=True)
class ModelPackages:
    """Looks up factories, in the allowed packages of one folder and nowhere else.

    Definitions come from a bucket, so a name is imported only when its package is on the list *and*
    Python would take it from the folder: neither the standard library nor anything installed can be
    reached, whatever a definition or the list says. What a package has from elsewhere is no factory
    of its own: one that says `from os import system` must not lend that to a definition.

    Attributes:
        folder: holds the packages.
        allowed: their names.
    """

    folder: Path
    allowed: tuple[str, ...]

    @classmethod
    def all_in(cls, folder: Path) -> ModelPackages:
        """Every package of a folder that a person named."""
        return cls(folder, tuple(packages_in(folder)))

    def digests(self) -> dict[str, str]:
        """The digest of each allowed package that is there."""
        there = packages_in(self.folder) if self.folder.is_dir() else {}
        return {name: package_digest(there[name]) for name in self.allowed if name in there}

    def __call__(self, name: str) -> Callable[..., object]:
        """The factory that `package.module:factory` names.

        Raises:
            RefusedError: when its package may not be imported here.
            DefinitionError: when package, module or factory are missing, or the import fails.
        """
        module, _, factory = name.partition(":")
        package = module.partition(".")[0]
        self._check_allowed(name, package)
        if str(self.folder) not in sys.path:
            sys.path.append(str(self.folder))  # last, so that it hides nothing that is installed
        importlib.invalidate_caches()
        self._check_place(name, package)
        found = getattr(_imported(name, module), factory, None)
        if not callable(found):
            raise DefinitionError(_no_factory(name, sys.modules[module], factory))
        home = str(getattr(found, "__module__", "")).partition(".")[0]
        if home not in self.allowed:
            raise RefusedError(
                f"{_PLACE}: {name} is not defined in {package} but in {home or 'no package'}: "
                "write a function there that calls it"
            )
        return found  # type: ignore[no-any-return]

    def _check_allowed(self, name: str, package: str) -> None:
        if package not in self.allowed:
            raise RefusedError(
                f"{_PLACE}: {name} may not be imported here: PERENNIAL_MODEL_PACKAGES names "
                f"{', '.join(self.allowed) or 'no package'}, not {package}; bring it in with "
                "`make deploy MODELS=folder` or `perennial up --models folder`"
            )

    def _check_place(self, name: str, package: str) -> None:
        """See where Python would take the package from, before it does."""
        if not (self.folder / package / "__init__.py").is_file():
            raise DefinitionError(
                f"{_PLACE}: expected the package {package} with an __init__.py in {self.folder} "
                f"for {name}, found none"
            )
        spec = importlib.util.find_spec(package)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin != (self.folder / package / "__init__.py").resolve():
            raise RefusedError(
                f"{_PLACE}: {name} may not be imported: {package} is the name of another package "
                "too, which Python knows already: give yours another name"
            )


def _imported(name: str, module: str) -> Any:
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:
        # The package is its author's code, and may fail in any way.
        raise DefinitionError(
            f"{_PLACE}: {name} cannot be imported: {type(error).__name__}: {error}"
        ) from error


def _no_factory(name: str, module: Any, factory: str) -> str:
    known = [key for key, value in vars(module).items() if callable(value) and key[0] != "_"]
    near = get_close_matches(factory, known, n=1)
    advice = f"; did you mean {near[0]}?" if near else ""
    return f"{_PLACE}: {module.__name__} has no function {factory}, which {name} names{advice}"
