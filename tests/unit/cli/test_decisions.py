"""What people read after a decision about versions, and when there is none to take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from perennial.domain.versioning.registry import Status
from perennial.workflows.registry import Registry

from .conftest import DEFINITION, Run


def versions(registry: Registry, *, champion: str | None, **statuses: Status) -> None:
    """Put versions into the registry of flowers, as runs would have."""
    registry.commit(
        "flowers", lambda head: replace(head, champion=champion, statuses=statuses),
        action="judge", by="run r1",
    )  # fmt: skip


def test_rollback_says_until_when_it_holds(flowers: Run, registry: Registry) -> None:
    versions(
        registry, champion="v000002", v000001="approved", v000002="approved", v000003="waiting"
    )
    out = flowers("rollback", "flowers", "--to", "v000001", "--why", "it wilted").out

    assert out.splitlines() == [
        "flowers: v000001 serves, pinned by rosa: it wilted",
        "later versions wait until `perennial unpin flowers`",
        "v000003 waits: `perennial unpin flowers` and `perennial approve flowers` lets it serve",
    ]


@pytest.mark.parametrize(
    ("mode", "then"), [("automatic", "serves at once"), ("manual", "waits for approval")]
)
def test_unpin_says_what_happens_next(
    flowers: Run, registry: Registry, mode: str, then: str
) -> None:
    Path("mode.yaml").write_text(f"{DEFINITION}promotion: {{mode: {mode}}}\n")
    flowers("apply", "mode.yaml")
    versions(registry, champion="v000002", v000001="approved", v000002="approved")
    flowers("rollback", "flowers", "--to", "v000001", "--why", "it wilted")

    assert flowers("unpin", "flowers").out.splitlines() == [
        "flowers: v000001 serves",
        f"nothing is pinned: the next version that passes {then} (promotion.mode: {mode})",
    ]


def test_rollback_to_a_version_never_approved_lists_those_that_were(
    flowers: Run, registry: Registry
) -> None:
    versions(
        registry, champion="v000003", v000001="approved", v000002="rejected", v000003="approved"
    )

    assert flowers("rollback", "flowers", "--to", "v000002", "--why", "x").complaint == (
        "perennial: v000002 was never approved: it is rejected; approved are v000001"
    )


def test_rollback_of_a_first_version_says_what_to_do(flowers: Run, registry: Registry) -> None:
    versions(registry, champion="v000001", v000001="approved")

    assert flowers("rollback", "flowers", "--why", "x").complaint == (
        "perennial: flowers had no champion before v000001, the only version ever approved: "
        "drop better files, or apply another definition"
    )
