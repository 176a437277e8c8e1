"""The options of `up`, which the supervisor takes as they are."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from localdev.delivery import dial
from localdev.settings import ROOT
from perennial.adapters.model_packages import packages_to_ship

_DELIVERY = (
    "duplicates",
    "loss",
    "delay",
    "shuffle",
    "seed",
    "attempts",
    "retry_first",
    "retry_longest",
    "ack_deadline",
    "senders",
)
_CLOUD = (
    "dir",
    "port",
    "clock_scale",
    "tick",
    "jobs",
    "root",
    "timeout",
    "models",
    "alert_webhook",
)


class Parser(argparse.ArgumentParser):
    """Complains in one line, which whoever started this process passes on."""

    def parse_args(
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Read options; end the process with exit code 2 where they cannot be understood."""
        options, unknown = self.parse_known_args(args, namespace)
        if unknown:
            what = "option" if unknown[0].startswith("-") else "argument"
            self.error(f"No such {what}: {unknown[0]}")
        return options

    def error(self, message: str) -> NoReturn:
        """End the process with exit code 2."""
        self.exit(2, f"{message}\n")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Offer the options of a cloud."""
    parser.add_argument(
        "--dir", type=Path, required=True, metavar="DIR", help="its state, logs and endpoints.json"
    )
    parser.add_argument(
        "--port",
        type=int,
        default=0,
        metavar="N",
        help="the storage emulator's port, others follow; without it free ones, or the last run's",
    )
    parser.add_argument(
        "--clock-scale", type=float, default=1.0, metavar="S", help="virtual seconds in a real one"
    )
    parser.add_argument(
        "--tick", type=float, default=60.0, metavar="S", help="interval of calls to monitor"
    )
    parser.add_argument(
        "--jobs", type=int, default=2, metavar="N", help="executions at the same time"
    )
    parser.add_argument(
        "--timeout", type=float, default=60.0, metavar="S", help="until every part must answer"
    )
    parser.add_argument(
        "--root", type=Path, default=ROOT, metavar="DIR", help="the checkout whose functions run"
    )
    parser.add_argument(
        "--models", type=Path, metavar="DIR", help="a folder of packages for the training job"
    )
    parser.add_argument("--alert-webhook", metavar="URL", help="whom monitor tells what it finds")
    dial.add_arguments(parser)


def check(options: argparse.Namespace) -> None:
    """Make paths absolute and refuse what cannot be.

    Raises:
        ValueError: naming the option.
    """
    options.dir = options.dir.expanduser().resolve()
    options.root = options.root.resolve()
    options.models = options.models and options.models.expanduser().resolve()
    for name in ("clock_scale", "tick", "timeout"):
        if getattr(options, name) <= 0:
            raise ValueError(f"{_flag(name)} must be above zero")
    if not 0 <= options.port < 65_000:
        raise ValueError("--port must be from 1 to 64999, or 0 for any")
    try:
        packages_of(options)
    except ValueError as error:
        raise ValueError(f"--models: {error}") from None
    try:
        dial.dial_of(options)
    except ValueError as error:
        raise ValueError(f"--{error}") from None


def packages_of(options: argparse.Namespace) -> dict[str, Path]:
    """The packages that the training job may import models from, by name.

    Raises:
        ValueError: when the folder has none, or one that cannot be shipped.
    """
    return packages_to_ship(options.models) if options.models else {}


def delivery_arguments(options: argparse.Namespace) -> list[str]:
    """The part that is about event delivery, as a command line."""
    return _command_line(options, _DELIVERY)


def all_arguments(options: argparse.Namespace) -> list[str]:
    """Everything, as a command line."""
    return _command_line(options, _CLOUD + _DELIVERY)


def _command_line(options: argparse.Namespace, names: tuple[str, ...]) -> list[str]:
    given = {name: getattr(options, name) for name in names}
    return [f"{_flag(name)}={value}" for name, value in given.items() if value is not None]


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
