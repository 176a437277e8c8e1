"""Make the real google provider available offline, so that `infra/` can be tested against it.

Terraform downloads providers from a registry. Where that cannot be reached, this builds the very
same release from its Go module into a filesystem mirror, and writes a command-line configuration
that knows this mirror and nothing else. Both stay in the user's cache, for all checkouts. Where no
`terraform` is on the PATH it is built too, without most of its remote-state backends: enough to
validate and test, not to deploy.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NO_GO = 3
"""The exit code where there is no Go to build with."""


@dataclass(frozen=True, slots=True)
class Release:
    """One release of a program that is written in Go.

    Attributes:
        version: as the program names it.
        module, revision: what Go's tools call it. The provider's module has no version suffix, so
            its releases are addressed by their commits.
        sum: the module's hash; another one is never built.
    """

    version: str
    module: str
    revision: str
    sum: str


PROVIDER = Release(
    "8.0.0",
    "github.com/hashicorp/terraform-provider-google",
    "v1.20.1-0.20260828184646-f3721fb45fa3",
    "h1:2onI4HYzwHTtekjeWin7ZrO+v7S8TkFyTP+IaS2FcbQ=",
)
TERRAFORM = Release(
    "1.13.3",
    "github.com/hashicorp/terraform",
    "v1.13.3",
    "h1:Wjwx4gk2sEFbSiHK30nLgde+KuHoIvk1MTW2hojnbmg=",
)
OLDEST_TERRAFORM = (1, 9)


class BuildError(Exception):
    """Something could not be built; what Go said is on stderr."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Where everything is, or would be.

    Attributes:
        terraform: the one on the PATH, else the built one.
        provider: the provider's executable in the mirror.
        config: the command-line configuration, for TF_CLI_CONFIG_FILE.
    """

    terraform: Path
    provider: Path
    config: Path

    @property
    def missing(self) -> tuple[str, ...]:
        """The parts that are not there."""
        return tuple(name for name in self.__slots__ if not getattr(self, name).is_file())


def find(variables: Mapping[str, str] = os.environ) -> Tools:
    """Where the tools are for this user, on this kind of machine.

    Args:
        variables: PATH and XDG_CACHE_HOME count.
    """
    cache = Path(variables.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "perennial"
    home = cache / "terraform"
    # The address under which Terraform knows the provider; nothing is asked there.
    mirror = home / "mirror" / "registry.terraform.io" / "hashicorp" / "google"
    own = shutil.which("terraform", path=variables.get("PATH"))
    built = home / "bin" / f"terraform-{TERRAFORM.version}"
    return Tools(
        terraform=Path(own) if own and _version(Path(own)) >= OLDEST_TERRAFORM else built,
        provider=mirror
        / PROVIDER.version
        / _machine()
        / f"terraform-provider-google_v{PROVIDER.version}",
        config=home / "terraformrc",
    )


def make(variables: Mapping[str, str] = os.environ) -> Tools:
    """Build what is missing. A second process waits for the first and then finds its work.

    Raises:
        BuildError: Go failed, or a module is not the one that is meant.
        FileNotFoundError: there is no Go.
    """
    tools = find(variables)
    if not tools.missing:
        return tools
    home = tools.config.parent
    home.mkdir(parents=True, exist_ok=True)
    with _alone(home / "lock"):
        if not tools.provider.is_file():
            _say(f"building the google provider {PROVIDER.version}: minutes, once")
            _install(tools.provider, variables)
        if not tools.terraform.is_file():
            _say(f"building Terraform {TERRAFORM.version}: minutes, once")
            _build_terraform(tools.terraform, variables)
        mirror = tools.provider.parents[5]
        text = (
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n'
        )
        with _arriving(tools.config) as partial:
            partial.write_text(text)
    return tools


def _install(target: Path, variables: Mapping[str, str]) -> None:
    """Build the provider as its own release does: without cgo, stripped, and with its version."""
    _checked(PROVIDER, variables)
    flags = f"-s -w -X {PROVIDER.module}/version.ProviderVersion={PROVIDER.version}"
    with _workshop(target) as folder:
        package = f"{PROVIDER.module}@{PROVIDER.revision}"
        command = ["install", "-trimpath", "-ldflags", flags, package]
        _go(command, folder, {**variables, "GOBIN": str(folder)})
        _arrive(folder / PROVIDER.module.rpartition("/")[2], target)


def _build_terraform(target: Path, variables: Mapping[str, str]) -> None:
    """Build Terraform from a module of our own that requires it.

    `go install` refuses a module with replacements, and Terraform's point at backends that are
    modules of their own, which its archive lacks. In their places stand packages that only have
    the one function that Terraform's list of backends names.
    """
    source = _checked(TERRAFORM, variables)
    with _workshop(target) as folder:
        text = (source / "go.mod").read_text()
        for module, place in re.findall(r"^replace (\S+) => \./(\S+)$", text, re.MULTILINE):
            _stand_in(module, folder / place)
        text = text.replace(f"module {TERRAFORM.module}\n", "module workshop\n", 1)
        required = f"require {TERRAFORM.module} {TERRAFORM.revision}\n"
        (folder / "go.mod").write_text(f"{text}\n{required}")
        (folder / "go.sum").write_text((source / "go.sum").read_text())
        flags = ["-mod=mod", "-trimpath", "-ldflags", f"-s -w -X {TERRAFORM.module}/version.dev=no"]
        _go(["build", *flags, "-o", "terraform", TERRAFORM.module], folder, variables)
        _arrive(folder / "terraform", target)


def _stand_in(module: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text(f"module {module}\n")
    backend = f"{TERRAFORM.module}/internal/backend"
    (folder / "backend.go").write_text(
        f'package {folder.name}\n\nimport "{backend}"\n\n'
        'func New() backend.Backend { panic("this build is for tests") }\n'
    )


def _checked(release: Release, variables: Mapping[str, str]) -> Path:
    """Fetch a module, and return where its source lies, if it is the one that is meant."""
    with tempfile.TemporaryDirectory() as folder:
        package = f"{release.module}@{release.revision}"
        answer = _go(["mod", "download", "-json", package], Path(folder), variables)
    found = json.loads(answer)
    if found["Sum"] != release.sum:
        raise BuildError(f"{package}: expected {release.sum}, found {found['Sum']}")
    return Path(found["Dir"])


def _go(arguments: list[str], folder: Path, variables: Mapping[str, str]) -> str:
    """Run Go where no checkout's settings reach it, and return what it printed."""
    go = shutil.which("go", path=variables.get("PATH"))
    if go is None:
        raise FileNotFoundError("go is not on the PATH")
    done = subprocess.run(  # noqa: S603 (the arguments are ours)
        [go, *arguments],
        cwd=folder,
        env={**variables, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"go {arguments[0]} ended with exit code {done.returncode}\n{done.stdout}")
    return done.stdout


@contextmanager
def _workshop(target: Path) -> Iterator[Path]:
    """An empty folder on the target's file system, gone in the end."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".build-", dir=target.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _arriving(target: Path) -> Iterator[Path]:
    with _workshop(target) as folder:
        yield folder / target.name
        _arrive(folder / target.name, target)


def _arrive(built: Path, target: Path) -> None:
    """Put a whole file in its place, at once."""
    built.replace(target)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock that ends with the process."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _version(terraform: Path) -> tuple[int, ...]:
    done = subprocess.run(  # noqa: S603 (found on the PATH)
        [terraform, "version", "-json"], capture_output=True, text=True, check=False
    )
    try:
        version = json.loads(done.stdout)["terraform_version"]
    except (ValueError, KeyError):
        return ()
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _machine() -> str:
    """This machine as Go and Terraform name it."""
    names = {"x86_64": "amd64", "aarch64": "arm64"}
    machine = platform.machine().lower()
    return f"{platform.system().lower()}_{names.get(machine, machine)}"


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main(arguments: list[str] | None = None) -> int:
    """Build what is missing, or only say where it would be."""
    parser = argparse.ArgumentParser(prog="provider.py", description=__doc__)
    parser.add_argument("--where", action="store_true", help="print the paths, build nothing")
    tools = find()
    if not parser.parse_args(arguments).where:
        try:
            tools = make()
        except FileNotFoundError as error:
            _say(f"cannot build {', '.join(tools.missing)}: {error}; install Go 1.26 or newer")
            return NO_GO
        except BuildError as error:
            _say(f"cannot build {', '.join(tools.missing)}: {error}")
            return 1
    for name in Tools.__slots__:
        note = "\tmissing" if name in tools.missing else ""
        sys.stdout.write(f"{name}\t{getattr(tools, name)}{note}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
