"""What a person needs to know when a deployment stands."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.deploying.wanted import Wanted
from perennial.domain.descriptor import DEPLOYMENT

_ROW = '{"price": 9.5, "weekday": "Friday"}'
_SSH = re.compile(r"(?:ssh://)?([\w.-]+@)([\w.-]+)[:/](.+)")
_HTTPS = re.compile(r"https://(?:[^@/]*@)?(.+)")


def first_steps(
    wanted: Wanted, environment: str, outputs: Mapping[str, Any], remote: str | None
) -> str:
    """Addresses, the first commands, the first call, and how a teammate begins.

    Args:
        wanted: the deployment.
        environment: which variables file is in force.
        outputs: of Terraform.
        remote: the repository's address, as `pip` takes it; None when unknown.
    """
    sections = (
        _addresses(wanted, environment, outputs),
        _commands(wanted),
        _call(outputs),
        _rights(wanted, environment, remote),
    )
    return "\n\n".join(sections) + "\n"


def repository_address(root: Path) -> str | None:
    """Where this checkout came from, as `pip install git+…` takes it; None when it does not say.

    Credentials in the address are left out.
    """
    try:
        asked = subprocess.run(  # noqa: S603  the arguments are our own
            ["git", "-C", str(root), "remote", "get-url", "origin"],  # noqa: S607  a person's git
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    address = asked.stdout.strip()
    if match := _HTTPS.fullmatch(address):
        return f"git+https://{match[1]}"
    if match := _SSH.fullmatch(address):
        return f"git+ssh://{match[1]}{match[2]}/{match[3]}"
    return None


def _addresses(wanted: Wanted, environment: str, outputs: Mapping[str, Any]) -> str:
    return f"""\
Deployed: {wanted.deployment} in {wanted.project}, {wanted.region}.
  as         environments/{environment}.tfvars. {wanted.purpose(environment)}
  predict    {outputs["predict_url"]}
  landing    gs://{outputs["buckets"]["landing"]}
  dashboard  {outputs["dashboard"]}"""


def _commands(wanted: Wanted) -> str:
    named = f"  export PERENNIAL_DEPLOYMENT={wanted.deployment}\n"
    return f"""\
First commands:
{named if wanted.deployment != DEPLOYMENT else ""}  export GOOGLE_CLOUD_PROJECT={wanted.project}
  perennial init sales --sample jan.csv --label revenue -o sales.yaml
  perennial apply sales.yaml                    # after a look at what it inferred
  perennial drop sales feb.csv mar.csv --wait   # judged, learned, proved"""


def _call(outputs: Mapping[str, Any]) -> str:
    url, caller = outputs["predict_url"], outputs["caller_account"]
    return f"""\
First call, for callers and operators (below). The command line gets the token itself:
  perennial predict sales --instances '[{_ROW}]'
  TOKEN=$(gcloud auth print-identity-token --audiences={url} \\
      --impersonate-service-account={caller})
  curl -X POST {url}/v1/models/sales:predict \\
      -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \\
      -d '{{"instances": [{_ROW}]}}'"""


def _rights(wanted: Wanted, environment: str, remote: str | None) -> str:
    return f"""\
Who else may do what is in infra/environments/{environment}.tfvars; add, and deploy again:
  droppers  = {{ sales = ["user:ada@example.com"] }}   # may drop files for sales
  callers   = ["group:shop@example.com"]             # may call predict
  operators = ["user:bob@example.com"]               # may do all that the command line does
They install the command line, log in, and drop:
  pip install {f'"{remote}"' if remote else "PATH   # of a checkout"}
  gcloud auth application-default login
  perennial drop sales feb.csv --wait --project {wanted.project}"""
