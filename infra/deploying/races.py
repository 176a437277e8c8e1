"""Failures of a first apply that time alone cures.

A service agent, a service account, a grant or an API that was made a moment ago is not known
everywhere yet. Terraform's provider waits for some of it; these are the errors that remain.
"""

from __future__ import annotations

import re

from infra.deploying.errors import TerraformFailed

# A new metric may take ten minutes, says Google; Terraform itself has waited for some of them.
ATTEMPTS = 8
PAUSE_SECONDS = 60.0

_RACES: dict[str, tuple[str, ...]] = {
    "Eventarc's service agent to get its permissions": (
        r"using the Eventarc Service Agent",
        r"recently started to use Eventarc",
        r"gcp-sa-eventarc\.iam\.gserviceaccount\.com.{0,120}(does not exist|permission)",
        r"could not be validated.{0,120}Eventarc service account has permission",
    ),
    "Cloud Storage's service agent to be allowed to publish": (
        r"Cloud Storage service account for your bucket is unable to publish",
        r"gs-project-accounts\.iam\.gserviceaccount\.com.{0,120}permission to publish",
    ),
    "the trigger's service account to get its permissions": (
        r"eventarc\.events\.receiveEvent",
        r"run\.routes\.invoke",
    ),
    "new service accounts and service agents to be known everywhere": (
        r"service ?account .{0,120}(does not exist|not found)",
        r"serviceAccounts/.{0,120}(does not exist|not found)",
        r"service agent .{0,120}does not exist",
        r"Unable to retrieve P4SA",
        r"Error reading service account after creation",
        r"google_service_account\..{0,120}produced an unexpected new value",
    ),
    "Cloud Run's service agent to be allowed to read images and to act as our accounts": (
        r"If you just enabled the Cloud Run API",
        r"Cloud Run Service Agent does not have permission to get access tokens",
    ),
    "Cloud Functions' service agent to get its permissions": (
        r"Unable to retrieve the repository metadata",
    ),
    "new metrics to be known to alerts": (r"Cannot find metric(\(s\))? that match",),
    "the APIs that were just enabled": (
        r"If you enabled this API recently",
        r"SERVICE_DISABLED",
    ),
    "the build account to be allowed to read sources and to write images and logs": (
        r"failed to (fetch|download).{0,120}denied",
        r"missing permission on the build service account",
        r"does not have storage\.objects\.(get|list|create) access",
        r"You must grant (the )?(Storage Object Viewer|Logs Writer|Artifact Registry)",
        r"permission to act as service account",
        r"artifactregistry\.repositories\.(uploadArtifacts|downloadArtifacts)",
    ),
}
"""What one waits for, and errors that say so, in any case."""


def race(error: str) -> str | None:
    """What one would have to wait for, if time may cure this error; else None."""
    words = " ".join(re.sub("[│╷╵]", " ", error).split())  # Terraform folds and frames long lines
    for what, patterns in _RACES.items():
        if any(re.search(pattern, words, re.IGNORECASE) for pattern in patterns):
            return what
    return None


def races(failure: TerraformFailed) -> tuple[str, ...]:
    """What to wait for, if time may cure *every* error of this failure; else nothing."""
    found = [race(error) for error in failure.errors]
    return tuple(dict.fromkeys(what for what in found if what)) if all(found) else ()
