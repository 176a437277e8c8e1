"""What planned grants allow: a small evaluator of the roles and conditions that infra/ uses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

READ = frozenset({"storage.objects.get", "storage.objects.list"})
CREATE = frozenset({"storage.objects.create"})
# An object that is there can only be overwritten by who may delete it.
REPLACE = frozenset({"storage.objects.delete"})

KINDS = {"read": READ, "create": CREATE, "replace": REPLACE}
"""What one does with objects, as permissions."""

ROLES = {
    "roles/storage.objectViewer": READ,
    "roles/storage.objectCreator": CREATE,
    "roles/storage.legacyBucketReader": frozenset({"storage.objects.list", "storage.buckets.get"}),
    "roles/storage.objectUser": READ | CREATE | REPLACE | {"storage.objects.update"},
    "roles/run.jobsExecutorWithOverrides": frozenset({"run.jobs.run", "run.jobs.runWithOverrides"}),
    "roles/run.viewer": frozenset({"run.jobs.get", "run.executions.get", "run.executions.list"}),
    "roles/run.invoker": frozenset({"run.routes.invoke"}),
}
"""As Google documents them, as far as they matter to what is granted here."""

PROJECT = "*"
"""Where a grant on the whole project is."""

_WHERE = {
    "google_storage_bucket_iam_member": "bucket",
    "google_cloud_run_v2_job_iam_member": "name",
    "google_cloud_run_v2_service_iam_member": "name",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that a member has somewhere, perhaps under a condition.

    Attributes:
        on: the bucket, job or service; `PROJECT` for all of them.
        condition: an expression over `resource.name`; empty for none.
    """

    role: str
    on: str
    condition: str = ""

    def allows(self, permission: str, on: str, name: str) -> bool:
        """Whether it gives a permission there, for a resource of this full name."""
        given = permission in ROLES[self.role] and self.on in (on, PROJECT)
        return given and (not self.condition or holds(self.condition, name))


@dataclass(frozen=True, slots=True)
class Access:
    """All that one member may do in buckets, with jobs and with services."""

    grants: tuple[Grant, ...]

    @classmethod
    def planned(cls, resources: Mapping[str, Mapping[str, Any]], member: str) -> Access:
        """What Terraform gives to a member, written as IAM writes members."""
        found = []
        for address, values in resources.items():
            kind, role = address.partition(".")[0], values.get("role")
            if values.get("member") != member:
                continue
            conditions = values["condition"] or [{"expression": ""}]
            if kind in _WHERE:
                found.append(Grant(role, values[_WHERE[kind]], conditions[0]["expression"]))
            elif kind == "google_project_iam_member" and role in ROLES:
                # The others are about services that no workflow asks.
                found.append(Grant(role, PROJECT, conditions[0]["expression"]))
        return cls(tuple(found))

    def granting(self, permission: str, on: str, name: str = "") -> list[Grant]:
        """Its grants that give a permission."""
        return [grant for grant in self.grants if grant.allows(permission, on, name)]

    def may(self, permission: str, on: str, name: str = "") -> bool:
        """Whether any of its grants gives a permission."""
        return bool(self.granting(permission, on, name))

    def kinds(self) -> set[tuple[str, str]]:
        """What it may do with objects at all: kind and bucket."""
        return {
            (kind, grant.on)
            for grant in self.grants
            for kind, permissions in KINDS.items()
            if permissions & ROLES[grant.role]
        }


def object_name(bucket: str, name: str) -> str:
    """An object's full name, as conditions see it."""
    return f"projects/_/buckets/{bucket}/objects/{name}"


def holds(condition: str, name: str) -> bool:
    """Whether a condition is true of a resource's full name.

    Raises:
        ValueError: it says something that this evaluator does not know.
    """
    return any(
        all(_term(term, name) for term in alternative.strip("()").split(" && "))
        if alternative.startswith("(")
        else _term(alternative, name)
        for alternative in condition.split(" || ")
    )


def _term(text: str, name: str) -> bool:
    if match := re.fullmatch(r'resource\.name\.(startsWith|endsWith)\("([^"]*)"\)?', text):
        return name.startswith(match[2]) if match[1] == "startsWith" else name.endswith(match[2])
    if match := re.fullmatch(r'resource\.name == "([^"]*)"', text):
        return name == match[1]
    raise ValueError(f"cannot evaluate the condition {text!r}")
