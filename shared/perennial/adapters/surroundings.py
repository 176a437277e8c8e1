"""What decides a model beside its rows, its definition and its seed: this process's own part of it.

The keys are those of `perennial.domain.versioning.rebuilding`.
"""

from __future__ import annotations

import ast
import hashlib
import platform
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from threadpoolctl import threadpool_info  # type: ignore[import-untyped]  # it ships none

from perennial.domain.versioning.rebuilding import (
    CODE,
    DEPENDENCIES,
    PACKAGE,
    PLATFORM,
    PYTHON,
    THREADS,
)

LIBRARIES = (
    "joblib", "numpy", "onnx", "onnxruntime", "pandas", "protobuf", "pyarrow", "scikit-learn",
    "scipy", "skl2onnx", "threadpoolctl",
)  # fmt: skip
"""Those whose versions can change a model."""

SOURCES = (
    "perennial.workflows.rows",
    "perennial.domain.modelling.training",
    "perennial.adapters.onnx_export",
)
"""From a typed row to a graph: with all that they import, the code that makes a model."""

_PACKAGE = Path(__file__).parents[1]


def surroundings(packages: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """The environment of a version that is made here and now.

    Args:
        packages: digests of the packages that models may come from, by name.
    """
    libraries = {name: found for name in LIBRARIES if (found := _version(name))}
    libraries |= {f"{PACKAGE}{name}": digest for name, digest in packages.items()}
    pools = threadpool_info()
    return libraries | {
        PYTHON: platform.python_version(),
        CODE: code_digest(),
        DEPENDENCIES: dependency_digest(),
        THREADS: _threads(pools),
        PLATFORM: _platform(pools),
    }


def code_digest(package: Path = _PACKAGE) -> str:
    """SHA-256 of the sources that make a model what it is; the same in a checkout and a bundle.

    Args:
        package: the folder of the package `perennial`.
    """
    digest = hashlib.sha256()
    for path in sorted(_closure(package)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(package).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def dependency_digest() -> str:
    """SHA-256 of the names and versions of all that is installed here.

    `perennial` itself is left out: a bundle is not installed, and its code has a digest.
    """
    found = {(one.name.lower().replace("_", "-"), one.version) for one in distributions()}
    lines = sorted(f"{name}=={number}\n" for name, number in found if name != _PACKAGE.name)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _threads(pools: Sequence[Mapping[str, Any]]) -> str:
    """Threads of the libraries that are loaded: one number where all have the same."""
    numbers = {str(one["num_threads"]) for one in pools}
    if len(numbers) == 1:
        return numbers.pop()
    return ", ".join(sorted({f"{one['user_api']} {one['num_threads']}" for one in pools}))


def _platform(pools: Sequence[Mapping[str, Any]]) -> str:
    kernels = {str(one["architecture"]) for one in pools if "architecture" in one}
    parts = (platform.system(), platform.machine(), *platform.libc_ver(), *sorted(kernels))
    return " ".join(part for part in parts if part)


def _closure(package: Path) -> set[Path]:
    """The sources with all that they import of the package, directly or not."""
    found: set[Path] = set()
    pending = list(SOURCES)
    while pending:
        for path in _files(pending.pop(), package):
            if path not in found:
                found.add(path)
                pending += _imported(ast.parse(path.read_bytes()))
    return found


def _files(name: str, package: Path) -> Iterator[Path]:
    """The file of a module and of every package above it; none for what is no module of ours."""
    first, *rest = name.split(".")
    if first != package.name:
        return
    folder = package
    yield folder / "__init__.py"
    for part in rest:
        module, folder = folder / f"{part}.py", folder / part
        if (folder / "__init__.py").is_file():
            yield folder / "__init__.py"
        elif module.is_file():
            yield module


def _imported(node: ast.AST) -> Iterator[str]:
    """Every name that may be a module's; imports for type checkers never run, and do not count."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from _imported(child)
