"""Build what is deployed: one deterministic folder and zip for each function.

A bundle is `functions/X` and, beside its main.py, those modules of `shared/perennial` that its
sources import, followed through every import statement, lazy ones included (imports under
`if TYPE_CHECKING:` never run and are not followed). Terraform uploads the zip; the local cloud
hosts the folder, so that what is tested is what ships. The training job's also holds, in `models/`,
the packages that models of one's own come from.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from perennial.adapters.model_packages import package_files, packages_to_ship

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS = ("ingest", "train", "predict", "monitor", "console")
PACKAGE = "perennial"
TRAINS = "train"
"""The one that models of one's own are for."""
MODELS = "models"
"""The folder of its bundle that holds their packages."""
NO_PACKAGES: Mapping[str, Path] = MappingProxyType({})

_NOT_SHIPPED = {"requirements.in", "__pycache__"}  # nor hidden files
_TYPE_CHECKING = {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold


@dataclass(frozen=True, slots=True)
class Bundle:
    """One function, ready to deploy.

    Attributes:
        function: the name of its folder in `functions/`.
        folder: the bundle as files, main.py at the top.
        zip: the same files as an archive, named after the digest.
        digest: SHA-256 of the names and contents, in hexadecimal.
    """

    function: str
    folder: Path
    zip: Path
    digest: str


def build(
    function: str, out: Path, root: Path = ROOT, packages: Mapping[str, Path] = NO_PACKAGES
) -> Bundle:
    """Write the bundle of `functions/{function}` to `{out}/{function}` and a zip beside it.

    A folder that already holds exactly these sources is left alone, with its compiled bytecode.

    Args:
        function: a folder in `{root}/functions` with a main.py and a requirements.txt.
        out: where bundles go; created where missing.
        root: the checkout.
        packages: that models of one's own come from, by name; for the training job alone.

    Raises:
        FileNotFoundError: the function has no main.py or no requirements.txt.
    """
    files = collect(function, root, packages)
    digest = _digest(files)
    out.mkdir(parents=True, exist_ok=True)
    folder, archive = out / function, out / f"{function}-{digest[:16]}.zip"
    if not _holds(folder, files):
        _write_folder(folder, files)
    if not archive.exists():
        for old in out.glob(f"{function}-*.zip"):
            old.unlink()
        _write_zip(archive, files)
    return Bundle(function, folder, archive, digest)


def collect(
    function: str, root: Path = ROOT, packages: Mapping[str, Path] = NO_PACKAGES
) -> dict[str, bytes]:
    """The files of a bundle: relative names, sorted, and contents.

    Raises:
        FileNotFoundError: the function has no main.py or no requirements.txt.
    """
    source = root / "functions" / function
    for needed in ("main.py", "requirements.txt"):
        if not (source / needed).is_file():
            raise FileNotFoundError(f"{source / needed} is missing: not a deployable function")
    paths = {path.relative_to(source).as_posix(): path for path in _shipped(source)}
    shared = root / "shared"
    for module in closure([path for path in paths.values() if path.suffix == ".py"], shared):
        paths[module.relative_to(shared).as_posix()] = module
    files = {name: path.read_bytes() for name, path in paths.items()}
    for package, folder in packages.items():
        own = package_files(folder).items()
        files |= {f"{MODELS}/{package}/{name}": data for name, data in own}
    return {name: files[name] for name in sorted(files)}


def closure(entries: list[Path], shared: Path) -> set[Path]:
    """The files of the shared package that these sources import, directly or not.

    Importing `a.b.c` runs `a/__init__.py` and `a/b/__init__.py` too, so they belong to it.
    """
    found: set[Path] = set()
    pending = [name for entry in entries for name in imports(entry)]
    while pending:
        name = pending.pop()
        if name.partition(".")[0] != PACKAGE:
            continue
        for path in _module_files(name, shared):
            if path not in found:
                found.add(path)
                pending.extend(imports(path, _package_of(path, shared)))
    return found


def imports(path: Path, package: str = "") -> tuple[str, ...]:
    """Dotted names that a source file may import when it runs.

    `from a import b` gives both `a` and `a.b`: only the file system knows whether b is a module.

    Args:
        path: the source file.
        package: the dotted name of the package that relative imports start from.
    """
    return _imports(path.read_bytes(), package)


@cache  # four bundles share most of their sources
def _imports(source: bytes, package: str) -> tuple[str, ...]:
    names: list[str] = []
    for node in _running(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, package)
            names += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return tuple(names)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below, without those that only a type checker sees."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in _TYPE_CHECKING:
            for otherwise in child.orelse:
                yield otherwise
                yield from _running(otherwise)
            continue
        yield child
        yield from _running(child)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def _package_of(path: Path, shared: Path) -> str:
    return ".".join(path.relative_to(shared).parent.parts)


def _module_files(name: str, shared: Path) -> Iterator[Path]:
    """The file of a module and the `__init__.py` of every package above it."""
    folder = shared
    for part in name.split("."):
        module = folder / f"{part}.py"
        folder = folder / part
        if (folder / "__init__.py").is_file():
            yield folder / "__init__.py"
        elif module.is_file():
            yield module


def _shipped(source: Path) -> Iterator[Path]:
    for path in source.rglob("*"):
        parts = path.relative_to(source).parts
        hidden = any(part.startswith(".") or part in _NOT_SHIPPED for part in parts)
        # main.py is the top of a bundle, not part of a package.
        if path.is_file() and not hidden and parts != ("__init__.py",):
            yield path


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, data in files.items():
        digest.update(f"{name}\0{hashlib.sha256(data).hexdigest()}\n".encode())
    return digest.hexdigest()


def _holds(folder: Path, files: Mapping[str, bytes]) -> bool:
    if not folder.is_dir():
        return False
    names = {path.relative_to(folder).as_posix() for path in _shipped(folder)}
    return names == set(files) and all(
        (folder / name).read_bytes() == data for name, data in files.items()
    )


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Replace the folder whole, so that nothing can be half of two bundles."""
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    for name, data in files.items():
        path = fresh / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    fresh.chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def _write_zip(archive: Path, files: Mapping[str, bytes]) -> None:
    partial = archive.with_suffix(f".{os.getpid()}.partial")
    with zipfile.ZipFile(partial, "w") as bundle:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.compress_type = zipfile.ZIP_STORED  # compressors differ between machines
            entry.create_system = 3  # Unix, wherever it is built
            entry.external_attr = 0o100644 << 16
            bundle.writestr(entry, data)
    partial.replace(archive)


def main(arguments: list[str] | None = None) -> int:
    """Build the bundles that the command line names, all of them if it names none."""
    parser = argparse.ArgumentParser(prog="bundle.py", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bundles", metavar="DIR")
    parser.add_argument(
        "--models", type=Path, metavar="DIR", help="folder of packages for the training job"
    )
    parser.add_argument("functions", nargs="*", metavar="FUNCTION", help=", ".join(FUNCTIONS))
    chosen = parser.parse_args(arguments)
    for function in chosen.functions or FUNCTIONS:
        try:
            ships = function == TRAINS and chosen.models
            packages = packages_to_ship(chosen.models) if ships else NO_PACKAGES
            bundle = build(function, chosen.out, packages=packages)
        except (FileNotFoundError, ValueError) as error:
            parser.exit(1, f"{error}\n")
        sys.stdout.write(f"{bundle.zip}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
