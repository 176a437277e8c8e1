"""What must be true before anything is made: the project, and what the deployer may do in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from infra.deploying.errors import DeployError, Refused
from infra.deploying.google import Google
from infra.deploying.voice import Voice

API_ATTEMPTS = 12
API_PAUSE_SECONDS = 10.0

_MANAGER = "cloudresourcemanager"


@dataclass(frozen=True, slots=True)
class Role:
    """A role that the deployer needs.

    Attributes:
        name: as IAM calls it.
        reason: what it is needed for.
        permissions: those that stand for it; who has them by another role has enough.
    """

    name: str
    reason: str
    permissions: tuple[str, ...]


ROLES = (
    Role(
        "roles/serviceusage.serviceUsageAdmin",
        "enables the APIs",
        ("serviceusage.services.enable", "serviceusage.services.use"),
    ),
    Role(
        "roles/resourcemanager.projectIamAdmin",
        "gives service accounts the few roles that only a project can give",
        ("resourcemanager.projects.setIamPolicy",),
    ),
    Role(
        "roles/iam.serviceAccountAdmin",
        "makes one service account for each part, and says who may impersonate it",
        ("iam.serviceAccounts.create", "iam.serviceAccounts.setIamPolicy"),
    ),
    Role(
        "roles/iam.serviceAccountUser",
        "lets functions, jobs and builds run as these accounts",
        ("iam.serviceAccounts.actAs",),
    ),
    Role(
        "roles/storage.admin",
        "makes the buckets, their grants and what Terraform keeps in them",
        # A project's owner has the rest only on buckets that exist.
        ("storage.buckets.create",),
    ),
    Role(
        "roles/artifactregistry.admin",
        "makes the repository of the training image",
        ("artifactregistry.repositories.create", "artifactregistry.repositories.setIamPolicy"),
    ),
    Role(
        "roles/cloudbuild.builds.editor",
        "builds the training image",
        ("cloudbuild.builds.create", "cloudbuild.builds.get"),
    ),
    Role(
        "roles/cloudfunctions.admin",
        "deploys the functions",
        ("cloudfunctions.functions.create", "cloudfunctions.functions.update"),
    ),
    Role(
        "roles/run.admin",
        "deploys the training job and says who may call which service",
        ("run.jobs.create", "run.jobs.setIamPolicy", "run.services.setIamPolicy"),
    ),
    Role(
        "roles/eventarc.admin",
        "makes the trigger from landing to ingest",
        ("eventarc.triggers.create",),
    ),
    Role(
        "roles/pubsub.admin",
        "makes the dead-letter topic and sets up the trigger's subscription",
        ("pubsub.topics.create", "pubsub.topics.setIamPolicy", "pubsub.subscriptions.update"),
    ),
    Role(
        "roles/cloudscheduler.admin",
        "makes the sweep's schedule",
        ("cloudscheduler.jobs.create",),
    ),
    Role(
        "roles/logging.configWriter",
        "makes log-based metrics, the sinks of logs and their bucket",
        ("logging.logMetrics.create", "logging.sinks.create", "logging.buckets.create"),
    ),
    Role(
        "roles/monitoring.editor",
        "makes alert policies and the dashboard",
        ("monitoring.alertPolicies.create", "monitoring.dashboards.create"),
    ),
)
"""What `up` and `down` need. `roles/owner` has all of it."""


def check_project(
    google: Google, project: str, voice: Voice, sleep: Callable[[float], None], *, may_enable: bool
) -> str:
    """See that the project is there and that the deployer has the roles; return its number.

    A new project has the Cloud Resource Manager API off, without which neither this nor
    Terraform can ask anything; it is enabled first.

    Args:
        google: the APIs.
        project: its id.
        voice: hears of warnings.
        sleep: waits for seconds.
        may_enable: whether that API may be enabled.

    Raises:
        DeployError: when the project cannot be used, or when roles are missing (all are named).
    """
    number = _number(google, project, voice, sleep, may_enable=may_enable)
    if missing := missing_roles(google, project):
        raise DeployError(_lacking(project, missing))
    if google.unaccounted:
        voice.say(
            "Warning: your credentials name no project that calls are counted to, which some APIs "
            "insist on. Should a step answer that it needs a quota project, run "
            f"`gcloud auth application-default set-quota-project {project}`."
        )
    return number


def missing_roles(google: Google, project: str) -> tuple[Role, ...]:
    """The roles of which at least one permission is not the deployer's.

    Raises:
        DeployError: when that cannot be asked.
    """
    asked = sorted({permission for role in ROLES for permission in role.permissions})
    answer = google.call(
        f"ask what you may do in {project}",
        "POST",
        _MANAGER,
        f"v3/projects/{project}:testIamPermissions",
        {"permissions": asked},
    )
    held = set(answer.get("permissions", []))
    return tuple(role for role in ROLES if not held.issuperset(role.permissions))


def _number(
    google: Google, project: str, voice: Voice, sleep: Callable[[float], None], *, may_enable: bool
) -> str:
    for attempt in range(API_ATTEMPTS):
        try:
            return _read_number(google, project)
        except Refused as refused:
            if refused.reason != "SERVICE_DISABLED" or attempt == API_ATTEMPTS - 1:
                raise _unreadable(project, refused) from refused
            if not may_enable:
                raise DeployError(
                    "the Cloud Resource Manager API is off in this project; a deployment enables "
                    "it, --plan does not: `gcloud services enable "
                    f"cloudresourcemanager.googleapis.com --project {project}`."
                ) from refused
            if attempt == 0:
                _enable_manager(google, project, voice)
        sleep(API_PAUSE_SECONDS)
    raise AssertionError("the last attempt returns or raises")


def _read_number(google: Google, project: str) -> str:
    found = google.call(f"read project {project}", "GET", _MANAGER, f"v3/projects/{project}")
    if found.get("state", "ACTIVE") != "ACTIVE":
        raise DeployError(f"project {project} is being deleted (its state is {found['state']}).")
    return str(found["name"]).rpartition("/")[2]


def _enable_manager(google: Google, project: str, voice: Voice) -> None:
    voice.say("Enabling the Cloud Resource Manager API, which all that follows needs.")
    google.call(
        "enable the Cloud Resource Manager API",
        "POST",
        "serviceusage",
        f"v1/projects/{project}/services/cloudresourcemanager.googleapis.com:enable",
    )


def _unreadable(project: str, refused: Refused) -> DeployError:
    if refused.reason == "SERVICE_DISABLED":
        return DeployError(
            f"{refused} If the project that it names is not {project}, your calls are counted to "
            "another one: `gcloud auth application-default set-quota-project "
            f"{project}`. Otherwise wait a few minutes and run this again."
        )
    if refused.status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        return DeployError(
            f"there is no project {project!r} that you can read ({refused.status}: "
            f"{refused.sentence}). Is this its id, rather than its name, and is it the right "
            "account that is logged in?"
        )
    return refused


def _lacking(project: str, missing: tuple[Role, ...]) -> str:
    width = max(len(role.name) for role in missing)
    lines = [f"  {role.name:{width}}  {role.reason}" for role in missing]
    return (
        f"in {project} you lack roles, without which a deployment would stop half-way:\n"
        + "\n".join(lines)
        + "\nAn owner of the project gives them, one by one, with\n"
        f"  gcloud projects add-iam-policy-binding {project} --member=user:YOU --role=ROLE"
    )
