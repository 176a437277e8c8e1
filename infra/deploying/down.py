"""Destroy a deployment, unless that would lose data that nobody said may go."""

from __future__ import annotations

from infra.deploying import steps
from infra.deploying.errors import DeployError
from infra.deploying.google import Google
from infra.deploying.image import placeholder
from infra.deploying.plans import Change, Plan
from infra.deploying.preflight import check_project
from infra.deploying.state import StateBuckets, choose_environment
from infra.deploying.steps import Tools
from infra.deploying.wanted import Wanted

_BUCKET = "google_storage_bucket"
_OBJECT = "google_storage_bucket_object"
_PROJECT_GRANT = "google_project_iam_member"
# Google's own accounts have no part in one deployment: others in the project, and whatever else in
# it uses Eventarc, lean on the very same grant.
_AGENTS = ("@gcp-sa-", "@gs-project-accounts.")


def down(wanted: Wanted, tools: Tools, *, only_plan: bool = False) -> None:
    """Show what would go, ask for the project's id, and destroy it.

    Raises:
        DeployError: nothing is deployed, something is protected, or Terraform failed; the next
            call goes on with what is left.
    """
    voice = tools.voice
    voice.step("1/3 Looking at Terraform, the project and the state")
    tools.terraform.check()
    number = check_project(
        tools.google, wanted.project, voice, tools.sleep, may_enable=not only_plan
    )
    found = StateBuckets(tools.google, wanted, number).find()
    if found is None:
        raise DeployError(
            f"there is no bucket {wanted.bucket('state')}, so {wanted.deployment} is not deployed "
            f"in {wanted.project}; a state that lies elsewhere is named with STATE=…"
        )
    environment = choose_environment(wanted, found)
    steps.turn_to(wanted, tools, found, environment)

    voice.step("2/3 What would go")
    steps.build_bundles(wanted, tools)  # the configuration wants zips and an image
    inputs = steps.inputs(wanted, environment, placeholder(wanted))
    plan = tools.terraform.plan(inputs, destroy=True)
    if not plan:
        voice.say("Nothing is left to destroy.")
        return
    steps.show(tools, plan)
    refuse_protected(plan, tools.google)
    if only_plan:
        return

    voice.step("3/3 Destroying")
    voice.confirm(f"All of the above goes from {wanted.project}.", wanted.project)
    if staying := agents_grants(plan):
        voice.say(f"Roles of Google's own accounts stay: {', '.join(staying)}")
        tools.terraform.forget(staying)
        approved, plan = plan, tools.terraform.plan(inputs, destroy=True)
        steps.approve(tools, plan, approved)
    tools.terraform.apply(plan)
    voice.say(
        f"Gone. What stays: the bucket {found.state.bucket} with the history of the state, the "
        "enabled APIs (other things may use them), what Cloud Functions keeps in "
        "gcf-v2-… buckets and its own repository, and logs until they expire. Buckets that held "
        "objects keep them, deleted and invisible, for their soft-delete time."
    )


def agents_grants(plan: Plan) -> tuple[str, ...]:
    """The addresses of roles that Google's own accounts have on the whole project."""
    return tuple(
        change.address
        for change in plan.changes
        if change.type == _PROJECT_GRANT
        and any(agent in str(change.before.get("member")) for agent in _AGENTS)
    )


def refuse_protected(plan: Plan, google: Google) -> None:
    """Stop when something is protected, or a bucket still holds what Terraform does not manage.

    Raises:
        DeployError: naming all of it and the variable that decides.
    """
    protected = [
        change.address for change in plan.changes if change.before.get("deletion_protection")
    ]
    held = [name for change in plan.changes if (name := _holds_data(change, plan, google))]
    complaints = []
    if held:
        complaints.append(
            f"these buckets hold data: {', '.join(held)}. To delete it for good, set "
            "force_destroy = true"
        )
    if protected:
        complaints.append(
            f"these are protected: {', '.join(protected)}. To let them go, set "
            "deletion_protection = false"
        )
    if complaints:
        raise DeployError(
            "Nothing was destroyed: "
            + "; and ".join(complaints)
            + " in the variables of the environment, run `make deploy`, and then this again."
        )


def _holds_data(change: Change, plan: Plan, google: Google) -> str | None:
    """The name of a bucket that Terraform could not delete for what is in it."""
    if change.type != _BUCKET or change.before.get("force_destroy"):
        return None
    name = str(change.before["name"])
    managed = {
        str(other.before["name"])
        for other in plan.changes
        if other.type == _OBJECT and other.before.get("bucket") == name
    }
    versioned = any(block.get("enabled") for block in change.before.get("versioning") or ())
    found = google.call(
        f"list bucket {name}",
        "GET",
        "storage",
        f"storage/v1/b/{name}/o",
        params={
            "versions": "true",
            "maxResults": str(len(managed) + 1),
            "fields": "items(name)",
        },
    )
    # In a versioned bucket, what Terraform deletes stays as an old version and holds the bucket.
    names = {str(item["name"]) for item in found.get("items", [])}
    return name if (names if versioned else names - managed) else None
