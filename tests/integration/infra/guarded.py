"""A deployment in memory whose every call needs the permissions that Google Cloud would ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from perennial.adapters.memory import MemoryStore
from perennial.errors import LaunchError, ObjectNotFound, PermissionDenied, PreconditionFailed
from perennial.ports import Buckets, ObjectInfo
from tests.integration.infra.roles import CREATE, KINDS, REPLACE, Access, Grant, object_name

ROLES = ("landing", "quarantine", "data", "models")

_NEEDED = {
    "stat": {"storage.objects.get"},
    "read": {"storage.objects.get"},
    "download": {"storage.objects.get"},
    "list": {"storage.objects.list"},
    "create": CREATE,
    "overwrite": CREATE,
    "replace": CREATE | REPLACE,
    "copy_from": CREATE,
    "delete": REPLACE,
}
"""The permissions that a call of an ObjectStore takes in its own bucket."""


@dataclass
class Account:
    """A service account or a person at work, and what was tried.

    Attributes:
        access: what it may do.
        used: what it did with objects: kind and bucket.
        asked: the other permissions that it used.
        refused: what it tried and may not, in words.
        needed: its grants without which something would have been refused.
    """

    access: Access
    used: set[tuple[str, str]] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    needed: set[Grant] = field(default_factory=set)

    def need(self, permission: str, on: str, name: str = "") -> bool:
        """Note the use of a permission; whether it may."""
        kinds = {(kind, on) for kind, permissions in KINDS.items() if permission in permissions}
        self.used |= kinds
        if not kinds:
            self.asked.add(permission)
        granting = self.access.granting(permission, on, name)
        if not granting:
            self.refused.append(f"{permission} on {on}: {name}")
        if len(granting) == 1:
            self.needed.update(granting)
        return bool(granting)

    def stores(self, stores: dict[str, MemoryStore]) -> Buckets:
        """The four buckets, as this account sees them."""
        return Buckets(**{role: Guarded(stores[role], self) for role in ROLES})  # type: ignore[arg-type]


class Guarded:
    """A bucket that refuses what an account may not do, as Cloud Storage does."""

    def __init__(self, inner: MemoryStore, account: Account) -> None:
        self.inner = inner
        self.account = account
        self.bucket = inner.bucket

    def __getattr__(self, method: str) -> Callable[..., Any]:
        bound = getattr(self.inner, method)

        def call(name: str, *args: Any, **options: Any) -> Any:
            self._check(method, name)
            try:
                return bound(name, *args, **options)
            except ObjectNotFound:
                self._check_sees_names()
                raise

        return call

    def overwrite(self, name: str, *args: Any, **options: Any) -> ObjectInfo:
        there = any(info.name == name for info in self.inner.list(name, limit=1))
        self._check("replace" if there else "overwrite", name)
        return self.inner.overwrite(name, *args, **options)

    def create(self, name: str, *args: Any, **options: Any) -> ObjectInfo:
        self._check("create", name)
        try:
            return self.inner.create(name, *args, **options)
        except PreconditionFailed:
            self._check_sees(name)
            raise

    def copy_from(self, source: Guarded, name: str, to: str, *, generation: int) -> ObjectInfo:
        source._check("read", name)
        self._check("copy_from", to)
        try:
            return self.inner.copy_from(source.inner, name, to, generation=generation)
        except ObjectNotFound:
            source._check_sees_names()
            raise
        except PreconditionFailed:
            self._check_sees(to)
            raise

    def list(self, prefix: str = "", **options: Any) -> Iterator[ObjectInfo]:
        self._check_sees_names()
        return self.inner.list(prefix, **options)

    def _check_sees_names(self) -> None:
        """Who may not list is told 403 of what is missing, too.

        Listing is of the bucket: no condition on names can allow it.
        """
        self._check("list", "")

    def _check_sees(self, name: str) -> None:
        """Who may create and not replace is told 403 of what is there, and has to look."""
        self._check("stat", name)

    def _check(self, method: str, name: str) -> None:
        full = object_name(self.bucket, name) if name else f"projects/_/buckets/{self.bucket}"
        for permission in sorted(_NEEDED[method]):
            if not self.account.need(permission, self.bucket, full):
                raise PermissionDenied(f"{permission} on {full}", bucket=self.bucket, name=name)


@dataclass
class Platform:
    """Cloud Run: it starts executions, and knows which are over, for those who may ask.

    Attributes:
        job: the job's name.
        launched: the pipeline of each execution, or `task pipeline/subject` of another task.
        forced: executions that are to work whether or not it is due.
        ended: executions that are over.
    """

    job: str
    launched: list[str] = field(default_factory=list)
    forced: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)

    def launcher(self, account: Account) -> Launcher:
        """The platform, as an account sees it."""
        return Launcher(self, account)


@dataclass
class Launcher:
    """Starts jobs with the rights of an account."""

    platform: Platform
    account: Account

    def launch(self, pipeline: str, *, force: bool = False) -> str:
        execution = self._launch(pipeline)
        if force:
            self.platform.forced.add(execution)
        return execution

    def launch_task(self, task: str, pipeline: str, subject: str) -> str:
        return self._launch(f"{task} {pipeline}/{subject}")

    def _launch(self, what: str) -> str:
        # What to do is an override of the job's environment.
        for permission in ("run.jobs.run", "run.jobs.runWithOverrides"):
            if not self.account.need(permission, self.platform.job):
                raise LaunchError(f"{permission} is missing")
        self.platform.launched.append(what)
        return f"execution-{len(self.platform.launched)}"

    def has_ended(self, execution: str) -> bool:
        # The adapter takes a refusal for "cannot be asked".
        return self.account.need("run.executions.get", self.platform.job) and (
            execution in self.platform.ended
        )
