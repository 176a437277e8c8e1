"""Faults on order: which request is to suffer what.

A plan names a request id, optionally a kind of request, and a list of faults. Every matching
request that carries the id in ``x-emulator-fault-id`` uses up one of them, in order.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from localdev.storage.errors import BadRequest
from localdev.storage.routing import Target

HEADER = "x-emulator-fault-id"
ANY_REQUEST = "*"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        do: ``status`` answers with an error; ``cut`` ends the connection within the body that the
            request carries, or within the answer's if it carries none; ``delay`` waits first;
            ``commit_then_drop`` does the work and ends the connection without an answer.
        status: The status of the error.
        after_bytes: How much of the body gets through before the cut.
        seconds: How long to wait, in real time.
    """

    do: str
    status: int = 503
    after_bytes: int = 0
    seconds: float = 0.0

    @classmethod
    def parse(cls, entry: Mapping[str, Any]) -> "Fault":
        """Read one fault of a plan.

        Raises:
            BadRequest: There is no such fault, or it has no such parameter.
        """
        if entry.get("do") not in ("status", "cut", "delay", "commit_then_drop"):
            raise BadRequest(f"do: expected status, cut, delay or commit_then_drop; found {entry}.")
        try:
            return cls(**entry)
        except TypeError as error:
            raise BadRequest(f"A fault that cannot be understood: {error}") from None


@dataclass(slots=True)
class Plan:
    """The faults that await requests of one kind.

    Attributes:
        id: The id that requests must carry, or ``*``.
        match: Required ``method``, ``operation``, ``bucket`` or ``name``. Requests for a bucket
            itself are struck only if their operation is named.
        faults: What is still to happen, in order.
    """

    id: str
    match: dict[str, str]
    faults: deque[Fault] = field(default_factory=deque)

    def fits(self, request_id: str | None, method: str, target: Target) -> bool:
        """Whether the next fault is for this request."""
        if not self.faults or self.id not in (ANY_REQUEST, request_id):
            return False
        if target.operation.endswith("_bucket") and "operation" not in self.match:
            # The client looks buckets up in the background, at moments that nobody controls.
            return False
        actual = {
            "method": method,
            "operation": target.operation,
            "bucket": target.bucket,
            "name": target.name,
        }
        return all(actual.get(key) == value for key, value in self.match.items())


class FaultPlans:
    """Every plan of a server; they do not outlive it."""

    def __init__(self) -> None:
        self._plans: list[Plan] = []

    @property
    def pending(self) -> bool:
        """Whether any fault is left that could strike a request."""
        return any(plan.faults for plan in self._plans)

    def add(self, document: Mapping[str, Any]) -> None:
        """Add a plan: ``{"id": …, "match": {…}, "faults": [{"do": …}, …]}``.

        Raises:
            BadRequest: The plan cannot be understood.
        """
        faults = document.get("faults")
        if not isinstance(document.get("id"), str) or not isinstance(faults, list):
            raise BadRequest("Expected a plan with an id and a list of faults.")
        match = {str(key): str(value) for key, value in (document.get("match") or {}).items()}
        self._plans.append(Plan(document["id"], match, deque(map(Fault.parse, faults))))

    def take(self, request_id: str | None, method: str, target: Target) -> Fault | None:
        """Use up the fault that awaits this request, if there is one."""
        for plan in self._plans:
            if plan.fits(request_id, method, target):
                return plan.faults.popleft()
        return None

    def shown(self) -> list[dict[str, Any]]:
        """The plans, with the faults that are left."""
        return [
            {"id": plan.id, "match": plan.match, "faults": [asdict(each) for each in plan.faults]}
            for plan in self._plans
        ]

    def clear(self) -> None:
        """Forget every plan."""
        self._plans.clear()
