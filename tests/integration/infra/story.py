"""A deployment's life under the real provider: made, looked at again, changed, unmade.

Buckets are the storage emulator's, everything else the stand-in's for Google Cloud.

The provider waits ten seconds after an account that it made, and three after each grant, one after
the other for all that are on one thing. So accounts are there from before and each thing has one
grant, unless PERENNIAL_TEST_EVERY_GRANT is set: then all is made as it is written.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from infra.bundle import FUNCTIONS, build
from localdev.settings import ROOT
from localdev.storage.process import StorageServer
from perennial.domain import descriptor
from perennial.domain.descriptor import Descriptor
from tests.integration.infra.google_cloud import GoogleCloud, google_cloud
from tests.integration.infra.network import cut_off
from tests.integration.infra.terraform import Copy
from tests.integration.infra.workspace import PROJECT, REGION, Plan, Workspace

EVERY_GRANT = bool(os.environ.get("PERENNIAL_TEST_EVERY_GRANT"))
ENVIRONMENT = "-var-file=environments/dev.tfvars"  # whose destroy takes filled buckets
PEOPLE = ('-var=callers=["user:ada@example.com"]', '-var=alert_emails=["ada@example.com"]')
NEW_IMAGE = f"{REGION}-docker.pkg.dev/{PROJECT}/perennial/train@sha256:{'1' * 64}"

# Terraform merges files of such names into what the others say.
HURRY = {
    "providers_override.tf": 'provider "google" {\n  batching {\n    send_after = "50ms"\n  }\n}\n',
}
FEWER = {
    "identities_override.tf": 'resource "google_service_account" "account" {\n'
    "  create_ignore_already_exists = true\n}\n",
    "fewer.tf": """
locals {
  # One for each thing, and those the ones with conditions.
  grants      = { for key, row in local.every_grant : key => row if contains(local.kept, key) }
  conditional = ["build reads copies", "train replaces heads"]
  kept = [
    for keys in values({
      for key, row in local.every_grant :
      "${row.on} ${row.of}" => "${contains(local.conditional, key) ? 0 : 1}${key}"...
    }) : substr(sort(keys)[0], 1, -1)
  ]
}
""",
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """What became of a deployment, step by step.

    Attributes:
        made: everything in the state after the first apply, by address.
        kept: what the stand-in kept then.
        buckets: what the storage API said of each bucket then, by name.
        policies: who might do what with each bucket, by name.
        sources: names of the objects that functions were built from.
        descriptor: what the deployment said of itself.
        again: a second plan with the same sources.
        touched: a plan after one line of a shared module was added.
        rebuilt, rebuilt_sources: the stand-in's functions, and the objects, after that was applied.
        left: what the stand-in still had when all was destroyed.
        left_buckets: the buckets that were still there.
        google: the stand-in.
        tried: the hosts beyond this machine that the provider asked for.
    """

    made: Mapping[str, Any]
    kept: Mapping[str, Any]
    buckets: Mapping[str, Any]
    policies: Mapping[str, Any]
    sources: tuple[str, ...]
    descriptor: Descriptor
    again: Plan
    touched: Plan
    rebuilt: Mapping[str, Any]
    rebuilt_sources: tuple[str, ...]
    left: Mapping[str, Any]
    left_buckets: tuple[str, ...]
    google: GoogleCloud
    tried: tuple[str, ...]


def play(folder: Path, copy: Copy, accounts: Iterable[dict[str, Any]]) -> Deployment:
    """Make a deployment, look at it, change it, unmake it.

    Args:
        folder: an empty one.
        copy: is edited.
        accounts: bodies of requests that make its service accounts.

    Raises:
        Failed: a step failed.
    """
    for name, text in (HURRY if EVERY_GRANT else HURRY | FEWER).items():
        (copy.folder / name).write_text(text)
    if not EVERY_GRANT:
        copy.edit("grants.tf", r"(?m)^  grants = \{", "  every_grant = {")
    with (
        google_cloud(PROJECT) as google,
        StorageServer(folder / "storage") as server,
        cut_off() as network,
    ):
        if not EVERY_GRANT:
            google.add_accounts(accounts)
        workspace = Workspace.new(
            copy,
            folder / "data",
            {
                **google.environment,
                **network.environment,
                "GOOGLE_STORAGE_CUSTOM_ENDPOINT": f"{server.url}/storage/v1/",
            },
        )
        settings = (ENVIRONMENT, *PEOPLE)
        workspace.apply(*settings)
        made, kept = workspace.resources, dict(google.resources)
        store = Store(server.url)
        names = store.names()
        buckets = {name: store.get(f"b/{name}") for name in names}
        policies = {
            name: store.get(f"b/{name}/iam?optionsRequestedPolicyVersion=3")["bindings"]
            for name in names
        }
        sources = store.objects("sources")
        told = Descriptor.from_json(store.descriptor())
        again = workspace.plan(*settings)
        changed = [*settings, f"-var=bundles={_touched(folder)}", f"-var=train_image={NEW_IMAGE}"]
        touched = workspace.plan(*changed)
        workspace.apply_planned()
        rebuilt, rebuilt_sources = dict(google.resources), store.objects("sources")
        workspace.destroy(*changed)
        return Deployment(
            made=made,
            kept=kept,
            buckets=buckets,
            policies=policies,
            sources=sources,
            descriptor=told,
            again=again,
            touched=touched,
            rebuilt=rebuilt,
            rebuilt_sources=rebuilt_sources,
            left=dict(google.resources),
            left_buckets=store.names(),
            google=google,
            tried=tuple(network.tried),
        )


class Store:
    """The emulator, as people's tools see it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = storage.Client(
            project=PROJECT,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": url},
        )

    def get(self, path: str) -> dict[str, Any]:
        """What the API says of a path."""
        answer = requests.get(f"{self._url}/storage/v1/{path}", timeout=10)
        answer.raise_for_status()
        return answer.json()

    def names(self) -> tuple[str, ...]:
        """Every bucket."""
        return tuple(bucket.name for bucket in self._client.list_buckets())

    def objects(self, role: str) -> tuple[str, ...]:
        """Every object of a bucket, live or not."""
        bucket = f"{PROJECT}-perennial-{role}"
        return tuple(blob.name for blob in self._client.list_blobs(bucket, versions=True))

    def descriptor(self) -> bytes:
        """What the deployment says of itself."""
        bucket = self._client.bucket(descriptor.models_bucket(PROJECT))
        return bucket.blob(descriptor.OBJECT).download_as_bytes()


def _touched(folder: Path) -> Path:
    """Bundles of a checkout in which one line of a shared module was added."""
    checkout, bundles = folder / "checkout", folder / "touched"
    for room in ("functions", "shared"):
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(ROOT / room, checkout / room, ignore=ignored)
    module = checkout / "shared" / "perennial" / "errors.py"
    module.write_text(module.read_text() + "\nTOUCHED = True\n")
    for function in FUNCTIONS:
        build(function, bundles, checkout)
    return bundles
