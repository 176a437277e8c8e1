"""Each part's grants suffice for all that it does, and are not broader in kind than that."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from perennial.errors import PermissionDenied
from tests.integration.infra.guarded import ROLES, Account
from tests.integration.infra.in_memory import PARTS, PREFIX, Deployment, Killed
from tests.integration.infra.roles import Access, holds, object_name


@pytest.fixture(scope="module")
def access(deployed) -> Callable[[str], Access]:
    """What Terraform gives to a part's account."""
    made = deployed.resources("apply")

    def access(part: str) -> Access:
        email = f"perennial-{part}@flower-shop.iam.gserviceaccount.com"
        return Access.planned(made, f"serviceAccount:{email}")

    return access


@pytest.fixture(scope="module")
def deployment(access) -> Deployment:
    """A deployment in which everything happened that happens, each part with its own rights."""
    deployment = Deployment({part: Account(access(part)) for part in PARTS})
    deployment.apply()
    assert deployment.ingest(deployment.drop("monday.csv", 0)) == "accepted"
    assert deployment.platform.launched == ["taps"]
    assert deployment.ingest(deployment.drop("tuesday.csv", 1)) == "accepted"  # asks after the run
    bad = deployment.drop("bad.csv", 2, heat=1000)
    assert deployment.ingest(bad) == "quarantined"
    deployment.forget(bad)
    assert deployment.ingest(bad) == "quarantined"  # finds what the one that died wrote
    deployment.codec.killed = True
    with suppress(Killed):
        deployment.train("execution-1")
    deployment.codec.killed = False
    deployment.drop("unheard.csv", 3)
    bad = deployment.drop("unheard-bad.csv", 4, heat=1000)
    swept = deployment.sweep()  # asks whether the run that claimed is over
    assert swept.errors == {}
    assert swept.judged == {"accepted": 1, "quarantined": 1}
    assert swept.launched == []
    deployment.forget(bad)
    assert deployment.sweep().judged == {"quarantined": 1}
    deployment.platform.ended.add("execution-1")
    assert deployment.sweep().launched == ["taps"]
    assert deployment.train("execution-2") == ["promoted"]  # asks the same
    assert deployment.ingest(deployment.drop("friday.csv", 5)) == "accepted"
    assert deployment.train("execution-3") == ["promoted"]
    assert deployment.predict() != []
    watched = deployment.watch()
    assert (watched.looked, watched.errors, watched.untold) == (1, {}, {})
    deployment.platform.launched.clear()
    assert deployment.ingest(deployment.drop("score/june.csv", 6)) == "to_score"
    assert deployment.platform.launched == ["score taps/waiting"]
    assert deployment.score("execution-4") == ["scored"]
    deployment.drop("score/july.csv", 7)
    deployment.platform.ended.add("execution-1")
    assert deployment.sweep().scoring == ["taps"]
    assert deployment.score("execution-5") == ["scored"]
    assert deployment.look_up("6017") is not None
    assert deployment.look_up("9999") is None
    return deployment


@pytest.mark.parametrize("part", PARTS)
def test_nothing_that_a_part_does_is_refused(deployment, part):
    assert deployment.accounts[part].used
    assert deployment.accounts[part].refused == []


@pytest.mark.parametrize("part", PARTS)
def test_a_part_may_do_nothing_in_a_bucket_that_it_does_not_do(deployment, part):
    account = deployment.accounts[part]
    assert account.access.kinds() == account.used


def test_who_starts_runs_does_so_with_overrides_and_asks_after_them(deployment):
    asked = {part: deployment.accounts[part].asked for part in PARTS}
    starts = {"run.jobs.run", "run.jobs.runWithOverrides", "run.executions.get"}
    assert asked == {
        "ingest": starts,
        "monitor": starts,
        "train": {"run.executions.get"},
        "predict": set(),
    }


@pytest.mark.parametrize("part", PARTS)
def test_nothing_but_a_head_can_be_replaced(access, part):
    for role in ROLES:
        for name in ("taps/versions/v000001/model.onnx", "taps/registry/commits/0001.json", "x"):
            full = object_name(PREFIX + role, name)
            assert not access(part).may("storage.objects.delete", PREFIX + role, full)
    head = object_name(PREFIX + "models", "taps/registry/head.json")
    may = access(part).may("storage.objects.delete", PREFIX + "models", head)
    assert may == (part == "train")


def test_a_part_without_a_grant_is_refused(deployment):
    """The guard itself: it refuses what no grant allows."""
    bare = Account(Access(()))
    with pytest.raises(PermissionDenied):
        bare.stores(deployment.stores).landing.read("taps/monday.csv")
    assert bare.refused


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('resource.name.endsWith("/registry/head.json")', True),
        ('resource.name.startsWith("taps/")', True),
        ('resource.name == "taps/registry"', False),
        ('resource.name == "x" || resource.name.startsWith("taps/")', True),
        ('(resource.name.startsWith("taps/") && resource.name.endsWith(".csv"))', False),
    ],
)
def test_conditions_are_evaluated(condition, expected):
    assert holds(condition, "taps/registry/head.json") is expected


def test_an_unknown_condition_is_an_error():
    with pytest.raises(ValueError, match="cannot evaluate"):
        holds('request.time < timestamp("2027-01-01T00:00:00Z")', "x")
