"""Google-managed accounts that the deployment gives roles to."""

from __future__ import annotations

from infra.deploying.errors import Refused
from infra.deploying.google import Google
from infra.deploying.voice import Voice

SERVICES = ("eventarc",)
"""Those whose account is not sure to be made by enabling their API.

An account that is made on request gets none of the roles that Google gives it otherwise, so each
of these must have its `serviceAgent` role in grants.tf. Pub/Sub's account comes, with its role,
when the first topic does, and Cloud Storage's when Terraform reads it.
"""


def make_agents(google: Google, project: str, voice: Voice) -> None:
    """Have the accounts made; nothing happens where they exist.

    Without it, an account appears when its service first acts, and no grant can name it before. A
    refusal is told and not fatal: most projects have these accounts already.

    Args:
        google: the APIs.
        project: its id; the services must be enabled in it.
        voice: hears of refusals.

    Raises:
        DeployError: Google could not be asked.
    """
    for service in SERVICES:
        try:
            google.call(
                f"have the account of {service} made",
                "POST",
                "serviceusage",
                # The method exists in no other version, nor has the provider a resource for it.
                f"v1beta1/projects/{project}/services/{service}.googleapis.com:generateServiceIdentity",
            )
        except Refused as refused:
            voice.say(f"Warning: {refused}. Going on: most projects have it already.")
