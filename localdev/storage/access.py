"""Who may do what with objects, as IAM says it: callers with a token are held to what they have.

A token stands for a part of the deployment, and what each part may do is the table that infra/
makes its roles of. Whoever sends no token owns this machine and may do everything: this finds a
function that oversteps before the cloud refuses it, and is no wall against one that means harm.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from localdev.storage.errors import Forbidden, Unauthorized
from localdev.storage.routing import Target

GET, LIST = "storage.objects.get", "storage.objects.list"
CREATE, DELETE, UPDATE = (f"storage.objects.{verb}" for verb in ("create", "delete", "update"))

HEAD = "/registry/head.json"
"""How the names of the only objects end that anybody may replace."""

_READS = frozenset({GET, LIST})
VERBS = {
    "reads": _READS,
    "adds to": frozenset({CREATE}),
    "replaces heads": _READS | {CREATE, DELETE, UPDATE},
}
"""What the words of the table permit; the last one of heads only."""

_BEARER = "Bearer "
_NEEDED = {
    "get": (GET,),
    "download": (GET,),
    "list": (LIST,),
    "patch": (UPDATE,),
    "update": (UPDATE,),
    "delete": (DELETE,),
    "copy": (GET,),
    "rewrite": (GET,),
    "move": (GET, DELETE),
    "compose": (GET,),
    # What is written is told once its name is known, by the commit itself.
    "insert": (),
    "resume": (),
    "cancel": (),
    # Of a batch each request is asked by itself.
    "batch": (),
}
"""The permissions that an operation takes on the object that it names; others are an owner's."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request.

    Attributes:
        part: its name; empty for the owner.
        verbs: what it may do, by bucket.
    """

    part: str
    verbs: Mapping[str, Iterable[str]]

    def require(self, permission: str, bucket: str, name: str = "") -> None:
        """See that a permission is there. Raises `Forbidden`."""
        if self.part and not self._may(permission, bucket, name):
            raise Forbidden(
                f"{self.part} does not have {permission} access to the Google Cloud Storage "
                f"{'object' if name else 'bucket'}. Permission '{permission}' denied on resource "
                f"'projects/_/buckets/{bucket}{'/objects/' + name if name else ''}' "
                "(or it may not exist)."
            )

    def check(self, target: Target) -> None:
        """See that it may ask for this. Raises `Forbidden`."""
        if not self.part:
            return
        if target.operation not in _NEEDED:
            raise Forbidden(f"{self.part} may not {target.operation} of {target.bucket or 'all'}.")
        for permission in _NEEDED[target.operation]:
            self.require(permission, target.bucket, target.name)

    def _may(self, permission: str, bucket: str, name: str) -> bool:
        return any(
            permission in VERBS[verb] and (verb != "replaces heads" or name.endswith(HEAD))
            for verb in self.verbs.get(bucket, ())
        )


OWNER = Caller("", {})
"""Of this machine."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who has which token.

    Attributes:
        callers: by token.
    """

    callers: Mapping[str, Caller]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read `{token: {"part": …, "verbs": {bucket: [verb, …]}}}`.

        Raises:
            ValueError: a verb is unknown.
        """
        callers = {token: Caller(**entry) for token, entry in json.loads(path.read_text()).items()}
        unknown = {
            verb
            for caller in callers.values()
            for verbs in caller.verbs.values()
            for verb in verbs
            if verb not in VERBS
        }
        if unknown:
            raise ValueError(f"{path}: expected {', '.join(VERBS)}; found {sorted(unknown)}")
        return cls(callers)

    def caller(self, authorization: str | None) -> Caller:
        """Who a header names: where no token was issued, whoever sends one is the owner, too.

        Raises:
            Unauthorized: where others have tokens, and nobody this one.
        """
        if not authorization or not self.callers:
            return OWNER
        token = authorization.removeprefix(_BEARER)
        if token not in self.callers:
            raise Unauthorized("Invalid Credentials")
        return self.callers[token]


NOBODY = Access({})
"""No token was issued."""
