"""The console's grants suffice for every page and action, and are not broader in kind than that."""

from __future__ import annotations

import pytest

from perennial.console.actions import ACTIONS
from perennial.domain.names import FileId
from perennial.wiring.console import Console
from perennial.workflows.console.callers import Gate
from perennial.workflows.registry import Registry
from tests.integration.infra.guarded import ROLES, Account
from tests.integration.infra.in_memory import DEFINITION, PARTS, PREFIX, Deployment, taps
from tests.integration.infra.roles import Access, object_name
from tests.unit.console.conftest import Browser

BY_HAND = "promotion: {mode: manual}\n"
CONSOLE = """
run "console" {
  variables {
    console   = true
    operators = ["user:olga@example.com"]
  }
}
"""


@pytest.fixture(scope="module")
def access(initialised, bundles, tmp_path_factory, variables):
    copy = initialised.another(tmp_path_factory.mktemp("console"), bundles)
    copy.write_test("given", variables + CONSOLE)
    outcome = copy.test("given", verbose=True)
    assert outcome.ok, outcome.messages
    made = outcome.resources("console")

    def access(part: str) -> Access:
        email = f"perennial-{part}@flower-shop.iam.gserviceaccount.com"
        return Access.planned(made, f"serviceAccount:{email}")

    return access


class Operator:
    """Somebody who clicks in a deployment, whose console has its own rights and no others."""

    def __init__(self, access) -> None:
        self.deployment = Deployment({part: Account(access(part)) for part in (*PARTS, "console")})
        self.account = self.deployment.accounts["console"]
        buckets = self.account.stores(self.deployment.stores)
        self.registry = Registry(buckets.models, self.deployment.clock)
        launcher = self.deployment.platform.launcher(self.account)
        gate = Gate(None, frozenset(), local="olga")
        console = Console(buckets, self.registry, launcher, self.deployment.clock, gate)
        self.browser = Browser(console)
        self.done: set[str] = set()

    def does(self, action: str, subject: str = "", **more: str) -> None:
        query = f"?subject={subject}" if subject else ""
        answer = self.browser.act(f"/p/taps/do/{action}{query}", **more)
        assert answer.status_code == 303, (action, answer.get_data(as_text=True))
        self.done.add(action)

    def looks(self, *more: str) -> None:
        pages = ("", "/versions", "/files", "/quarantine", "/findings", "/runs", "/history", *more)
        for page in pages:
            assert self.browser.get(f"/p/taps{page}").status_code == 200, page
        assert self.browser.get("/").status_code == 200

    def quarantined(self, data: bytes) -> str:
        """A file that a person has to look at; its stem."""
        landing = self.deployment.stores["landing"]
        info = landing.overwrite(f"taps/{next(self.deployment.executions)}.csv", data)
        file = FileId(info.generation, info.name)
        assert self.deployment.ingest(file) == "quarantined"
        self.looks(f"/files/{file.stem}")
        return file.stem


@pytest.fixture(scope="module")
def operator(access) -> Operator:
    """Somebody who did all that there is to do."""
    operator = Operator(access)
    world = operator.deployment
    world.apply()
    for day in range(2):
        assert world.ingest(world.drop(f"day{day}.csv", day)) == "accepted"
        assert world.train(f"execution-{day}") == ["promoted"]
    operator.looks("/versions/v000002", "/compare?a=v000001&b=v000002")
    operator.does("rollback", "v000001")
    operator.does("unpin")
    operator.does("pin")
    operator.does("unpin")
    operator.does("retrain")

    world.apply(DEFINITION + BY_HAND)
    for day, decision in ((2, "approve"), (3, "reject")):
        world.ingest(world.drop(f"day{day}.csv", day))
        assert world.train(f"execution-{day}", force=True)[-1] == "waiting_approval"
        operator.does(decision, max(operator.registry.require("taps").statuses))

    operator.does("release", operator.quarantined(taps(5, heat=1000)))
    expired = operator.quarantined(taps(10, heat=1000))
    world.stores["quarantine"].delete(f"taps/{expired}/original")  # by the bucket's lifecycle
    operator.does("release", expired)
    operator.does("discard", operator.quarantined(taps(6, heat=1000)))
    semicolons = operator.quarantined(taps(7).replace(b",", b";"))
    operator.does("repair", semicolons, fix="delimiter=;")
    again = operator.quarantined(taps(8).replace(b"00:00,", b"00:00,none", 1))
    world.apply(DEFINITION + BY_HAND + "rows: {max_bad_row_fraction: 0.5}\n")
    operator.does("retry", again)  # one row is set aside in quarantine, the others are learned
    return operator


def test_nothing_that_the_console_does_is_refused(operator):
    assert operator.account.used
    assert operator.account.refused == []


def test_it_may_do_nothing_that_it_does_not_do(operator):
    assert operator.account.access.kinds() == operator.account.used
    assert operator.account.asked >= {"run.jobs.run", "run.jobs.runWithOverrides"}


def test_every_action_was_tried(operator):
    assert operator.done == set(ACTIONS)


def test_it_replaces_nothing_but_heads(access):
    for role in ROLES:
        for name in ("taps/versions/v000001/model.onnx", "taps/registry/commits/0001.json", "x"):
            full = object_name(PREFIX + role, name)
            assert not access("console").may("storage.objects.delete", PREFIX + role, full)
    head = object_name(PREFIX + "models", "taps/registry/head.json")
    assert access("console").may("storage.objects.delete", PREFIX + "models", head)
    assert not access("console").may("storage.objects.create", PREFIX + "landing", "taps/x")
