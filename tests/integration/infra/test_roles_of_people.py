"""What Terraform gives to people suffices for their commands, and is not more than these need."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from perennial.domain import descriptor
from perennial.errors import PermissionDenied
from tests.integration.infra.commands import Living, Person
from tests.integration.infra.guarded import Account
from tests.integration.infra.in_memory import DEFINITION, PARTS, PREFIX, taps
from tests.integration.infra.roles import Access, object_name

PEOPLE = """
run "people" {
  variables {
    operators = ["user:olga@example.com"]
    droppers  = { taps = ["user:dora@example.com"] }
    callers   = ["user:cora@example.com"]
  }
}
"""
BY_HAND = DEFINITION + "promotion: {mode: manual}\n"
ROSES = DEFINITION.replace("name: taps", "name: roses").replace("min_rows: 40", "min_rows: 4000")


@dataclass(frozen=True, slots=True)
class Team:
    """The people of a deployment: who operates it, who drops taps, who calls it."""

    deployment: Living
    olga: Person
    dora: Person
    cora: Person


@pytest.fixture(scope="module")
def team(initialised, bundles, tmp_path_factory, variables) -> Team:
    """People whose commands all went well, each with the rights that Terraform gives."""
    copy = initialised.another(tmp_path_factory.mktemp("people"), bundles)
    copy.write_test("given", variables + PEOPLE)
    outcome = copy.test("given", verbose=True)
    assert outcome.ok, outcome.messages
    made = outcome.resources("people")

    def account(member: str) -> Account:
        return Account(Access.planned(made, member))

    parts = {
        part: account(f"serviceAccount:perennial-{part}@flower-shop.iam.gserviceaccount.com")
        for part in PARTS
    }
    deployment = Living(parts)
    told = json.loads(made["google_storage_bucket_object.descriptor"]["content"])
    told["subscription"] = "made by Eventarc, which is mocked"
    deployment.stores["models"].create(descriptor.OBJECT, json.dumps(told).encode())

    def person(name: str) -> Person:
        folder = tmp_path_factory.mktemp(name)
        return Person(account(f"user:{name}@example.com"), deployment, folder)

    team = Team(deployment, person("olga"), person("dora"), person("cora"))
    begin(team)
    drop(team)
    decide(team)
    heal(team)
    look(team)
    return team


def begin(team: Team) -> None:
    """A file comes before its pipeline, and the first run dies."""
    deployment, olga, dora = team.deployment, team.olga, team.dora
    [early] = dora.drop("sunday.csv", 0, "--wait")["files"]
    assert early["verdict"] == "pending"
    assert dora("status", "taps", code=1)["error"]["type"] == "NotFoundError"
    applied = olga.apply(DEFINITION)
    assert applied["changed"]
    assert [file["verdict"] for file in applied["judged"]] == ["accepted"]
    deployment.codec.killed = True
    deployment.work()
    deployment.codec.killed = False
    for person in (olga, dora):  # both ask whether its process lives
        assert person("status", "taps")["run"]["execution"] == "execution-1"
    deployment.platform.ended.add("execution-1")
    deployment.lose("monday.csv", 1)
    swept = olga("sweep")
    assert (swept["judged"], swept["launched"], swept["errors"]) == ({"accepted": 1}, ["taps"], {})
    deployment.work()
    assert dora("status", "taps")["champion"] == "v000002"  # the one that died had the first


def drop(team: Team) -> None:
    """Files are dropped by both, one of them twice."""
    olga, dora = team.olga, team.dora
    for _ in range(2):
        [file] = dora.drop("tuesday.csv", 2, "--wait")["files"]
        assert file["verdict"] == "accepted"
    assert dora("status", "taps")["champion"] == "v000003"
    assert [run["outcome"] for run in olga.drop("friday.csv", 5, "--wait")["runs"]] == ["promoted"]
    assert olga.apply(ROSES)["changed"]
    [file] = olga.drop("monday.csv", 1, "--wait", into="roses")["files"]
    assert file["verdict"] == "accepted"


def decide(team: Team) -> None:
    """Versions wait for the operator."""
    olga = team.olga
    assert olga.apply(BY_HAND)["changes"]
    paths = [olga.write("saturday.csv", 6), olga.write("next-sunday.csv", 7)]
    done = olga("drop", "taps", *paths, "--backfill", "--wait")
    assert [file["verdict"] for file in done["files"]] == ["accepted", "accepted"]
    assert [run["outcome"] for run in done["runs"]] == ["waiting_approval"]
    version = done["runs"][0]["version"]
    assert olga("approve", "taps")["champion"] == version
    [run] = olga.drop("next-monday.csv", 8, "--wait")["runs"]
    assert olga("reject", "taps")["versions"][run["version"]] == "rejected"
    assert olga("rollback", "taps", "--why", "trial")["pinned"]
    assert olga("unpin", "taps")["pinned"] is None


def heal(team: Team) -> None:
    """Files are held back, and leave quarantine on each way out."""
    olga = team.olga
    for name, day in (("hot.csv", 9), ("hotter.csv", 10), ("hottest.csv", 11)):
        [file] = olga.drop(name, day, "--wait", heat=1000, code=3)["files"]
        assert file["verdict"] == "quarantined"
    held = olga("quarantine", "list", "taps")["files"]
    assert [file["name"] for file in held] == [
        f"taps/hot{more}.csv" for more in ("", "ter", "test")
    ]
    original = olga.folder / "original.csv"
    assert olga("quarantine", "show", "taps", "hot.csv", "--original", str(original))["findings"]
    assert original.read_bytes() == (olga.folder / "hot.csv").read_bytes()
    for word, name, why, expected in (
        ("retry", "hot.csv", (), "quarantined"),
        ("release", "hot.csv", ("--why", "a hot day"), "accepted"),
        ("discard", "hotter.csv", ("--why", "a broken probe"), "discarded"),
    ):
        [file] = olga("quarantine", word, "taps", name, *why)["files"]
        assert file["verdict"] == expected


def look(team: Team) -> None:
    """The operator trains, rebuilds, hands in a model and reads what is on record."""
    olga = team.olga
    assert olga("retrain", "taps")["outcome"] in ("waiting_approval", "rejected", "nothing_new")
    assert olga("rebuild", "taps", "--verify")["outcome"] == "equal"
    graph = team.deployment.stores["models"].read("taps/versions/v000002/model.onnx").data
    (olga.folder / "elsewhere.onnx").write_bytes(graph)
    handed_in = str(olga.folder / "elsewhere.onnx")
    words = ("import", "taps", handed_in, "--trained-through", "2025-12-31", "--why", "trial")
    assert olga(*words)["outcome"] in ("waiting_approval", "rejected")  # promotion is by hand
    to_score = olga.folder / "september.csv"
    to_score.write_bytes(taps(30))
    for words in ((), ("--version", "v000002")):
        [scored] = olga("score", "taps", str(to_score), *words)["files"]
        assert (scored["outcome"], scored["rows"]) == ("scored", 100)
    listed = olga("versions", "taps")["versions"]
    assert olga("versions", "taps", "--explain", listed[-1]["version"])["history"]
    looked = olga("monitor", "taps")
    assert looked["errors"] == {}
    assert team.dora("status", "taps")["findings"] == looked["findings"]
    found = {one["pipeline"] for one in olga("status")["pipelines"]}
    assert found == {"roses", "taps"}


def test_nothing_that_an_operator_does_is_refused(team):
    assert team.olga.account.refused == []


def test_an_operator_starts_runs_with_overrides_and_asks_after_them(team):
    asked = {"run.jobs.run", "run.jobs.runWithOverrides", "run.executions.get"}
    assert team.olga.account.asked == asked


def test_no_part_is_refused_anything_that_peoples_commands_lead_to(team):
    for part, account in team.deployment.accounts.items():
        assert account.refused == [], part


def test_an_operators_commands_need_every_grant_but_those_for_looking_around(team):
    account = team.olga.account
    spare = {(grant.role, grant.on) for grant in {*account.access.grants} - account.needed}
    everywhere = ("landing", "quarantine", "data", "models", "predictions")
    # doctor looks at buckets.
    assert spare == {("roles/storage.legacyBucketReader", PREFIX + role) for role in everywhere}


def test_a_dropper_starts_nothing_and_needs_every_grant(team):
    account = team.dora.account
    assert account.asked == {"run.executions.get"}
    assert account.needed == {*account.access.grants}


def test_a_dropper_is_refused_only_what_their_commands_go_on_without(team):
    landing, models = PREFIX + "landing", PREFIX + "models"
    there = object_name(landing, "taps/tuesday.csv")
    other = object_name(models, f"{descriptor.OBJECT}/registry/head.json")
    assert set(team.dora.account.refused) == {
        f"storage.objects.delete on {landing}: {there}",  # and is found to hold the same
        f"storage.objects.get on {models}: {other}",  # no pipeline is suggested then
    }


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param(lambda b, _: b.landing.overwrite("roses/x.csv", b"x"), id="another's file"),
        pytest.param(lambda b, _: b.landing.overwrite("taps-2/x.csv", b"x"), id="longer name"),
        pytest.param(lambda b, _: b.landing.overwrite("x.csv", b"x"), id="no pipeline"),
        pytest.param(lambda b, _: b.landing.overwrite("taps/tuesday.csv", b"x"), id="overwriting"),
        pytest.param(lambda b, _: b.landing.delete("taps/tuesday.csv"), id="deleting"),
        pytest.param(lambda b, _: b.landing.read("roses/monday.csv"), id="reading another's file"),
        pytest.param(lambda b, _: b.landing.read("taps/none.csv"), id="whether a file is missing"),
        pytest.param(lambda b, _: list(b.landing.list("taps/")), id="listing landing"),
        pytest.param(lambda b, stored: b.data.read(stored("roses")), id="another's rows"),
        pytest.param(lambda b, stored: b.data.read(stored("taps")), id="own pipeline's rows"),
        pytest.param(lambda b, _: b.data.create("taps/runs/x.json", b"x"), id="forging a run"),
        pytest.param(lambda b, _: b.models.read("roses/registry/head.json"), id="another's state"),
        pytest.param(lambda b, _: b.models.read("taps/versions/v000001/model.onnx"), id="a model"),
        pytest.param(lambda b, _: b.models.overwrite("taps/registry/head.json", b""), id="a head"),
        pytest.param(lambda b, _: list(b.quarantine.list("taps/")), id="quarantine"),
    ],
)
def test_a_dropper_may_not(team, attempt):
    def stored(pipeline: str) -> str:
        [first, *_] = team.deployment.stores["data"].list(f"{pipeline}/rows/")
        return first.name

    somebody = Account(team.dora.account.access)
    before = contents(team)
    with pytest.raises(PermissionDenied):
        attempt(somebody.stores(team.deployment.stores), stored)
    assert contents(team) == before


@pytest.mark.parametrize(
    "words",
    [
        ("drop", "roses", "tuesday.csv"),
        ("drop", "taps", "other/tuesday.csv"),  # of other content
        ("drop", "taps", "new.csv", "--backfill"),
        ("status", "roses"),
        ("sweep", "taps"),
        ("retrain", "taps"),
        ("apply", "definition.yaml"),
        ("rollback", "taps", "--why", "x"),
        ("quarantine", "show", "taps", "hottest.csv"),
        ("versions", "taps"),
    ],
    ids=" ".join,
)
def test_a_droppers_command_changes_nothing_and_says_that_it_is_refused(team, words, monkeypatch):
    dora = Person(Account(team.dora.account.access), team.deployment, team.dora.folder)
    monkeypatch.chdir(dora.folder)
    Path("other").mkdir(exist_ok=True)
    Path("definition.yaml").write_text(DEFINITION + "promotion: {tolerance: 0.5}\n")
    for name, day in (("other/tuesday.csv", 3), ("new.csv", 4)):
        dora.write(name, day)
    before = contents(team)
    error = dora(*words, code=1)["error"]
    assert error["type"] in ("PermissionDenied", "LaunchError")
    assert contents(team) == before


def test_a_caller_finds_the_deployment_and_nothing_else(team):
    buckets = team.cora.stores()
    assert buckets.models.read(descriptor.OBJECT).data
    assert team.cora("status", "taps", code=1)["error"]["type"] == "PermissionDenied"
    assert team.cora.account.access.kinds() == {("read", PREFIX + "models")}
    with pytest.raises(PermissionDenied):
        next(buckets.models.list())


def contents(team: Team) -> list[tuple[str, str, int]]:
    """Every generation of every object."""
    return [
        (role, info.name, info.generation)
        for role, store in team.deployment.stores.items()
        for info in store.list(versions=True)
    ]
