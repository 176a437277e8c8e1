"""Deploy to a Google Cloud project, or destroy what was deployed.

Every step finds what an earlier call made: run the same command again after a failure or after
Ctrl-C, and it goes on from there. Terraform's state lies in a bucket of the project, so teammates
and CI share it.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

if __name__ == "__main__":  # run by path: the folder that holds `infra` is not on it yet
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from infra.deploying.down import down
from infra.deploying.errors import DeployError
from infra.deploying.google import Google
from infra.deploying.steps import Tools
from infra.deploying.terraform import Terminated, Terraform
from infra.deploying.up import show_plan, up
from infra.deploying.voice import Voice
from infra.deploying.wanted import Wanted, parse_state
from perennial.domain.descriptor import DEPLOYMENT

INTERRUPTED = 130
MAKES_NAMES = {"up": "deploy", "down": "destroy"}
"""What `make` calls the verbs, and people with it."""
STOPPED = {
    "up": "What was made stays and is recorded, and a build that was started goes on",
    "down": "What is not gone yet stays and is recorded",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    chosen = _parser().parse_args(arguments)
    name = MAKES_NAMES[chosen.verb]
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return _run(chosen)
    except DeployError as error:
        sys.stderr.write(f"\n{name}: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(
            f"\n{name}: stopped. {STOPPED[chosen.verb]}; "
            "run the same command again to go on from here.\n"
        )
        return INTERRUPTED


def _run(chosen: argparse.Namespace) -> int:
    wanted = Wanted(
        chosen.project,
        chosen.region,
        chosen.deployment or DEPLOYMENT,
        chosen.env or None,
        parse_state(chosen.state) if chosen.state else None,
        models=chosen.models,
    )
    voice = Voice(yes=chosen.yes)
    terraform = Terraform(wanted.infra, wanted.workspace, voice)
    terraform.check()  # before the credentials: it is the sooner found out
    tools = Tools(Google.connect(), terraform, voice)
    if chosen.verb == "down":
        down(wanted, tools, only_plan=chosen.plan)
    elif chosen.plan:
        show_plan(wanted, tools)
    else:
        sys.stdout.write(f"\n{up(wanted, tools)}")
    return 0


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deploy.py",
        description=__doc__,
        epilog="infra/README.md says which roles you need, what it costs and what can go wrong.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="up|down")
    up_parser = verbs.add_parser(
        "up",
        help="deploy, or bring what is deployed up to date",
        description="Deploy, or bring what is deployed up to date. Asks before it applies a plan.",
    )
    down_parser = verbs.add_parser(
        "down",
        help="destroy what was deployed",
        description="Destroy what was deployed. Asks for the project's id, and refuses while "
        "buckets hold data, unless the variable force_destroy was applied.",
    )
    up_parser.add_argument(
        "--models",
        type=Path,
        metavar="DIR",
        help="a folder with packages of models of your own; they are baked into the training job",
    )
    down_parser.set_defaults(models=None)
    for verb in (up_parser, down_parser):
        verb.add_argument("--project", required=True, metavar="ID", help="Google Cloud project id")
        verb.add_argument("--region", required=True, help="one region, such as europe-west1")
        verb.add_argument("--deployment", metavar="NAME", help=f"its name; {DEPLOYMENT} by default")
        verb.add_argument(
            "--env",
            metavar="NAME",
            help="a file in infra/environments, such as dev or prod; by default the one that was "
            "applied last, and dev the first time",
        )
        verb.add_argument(
            "--state",
            metavar="gs://BUCKET/PREFIX",
            help="a bucket of yours for Terraform's state, instead of PROJECT-DEPLOYMENT-state",
        )
        verb.add_argument("--plan", action="store_true", help="only show what would change")
        verb.add_argument("--yes", action="store_true", help="ask nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
