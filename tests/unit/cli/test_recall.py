"""What people read of a recall, before and after it."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from perennial.adapters.clock import SystemClock
from perennial.domain import names
from perennial.domain.versioning.lineage import Portion, lineage
from perennial.domain.versioning.manifest import FileDigest, Manifest
from perennial.domain.versioning.registry import crown
from perennial.ports import Buckets
from perennial.workflows.queue import accepted_files
from perennial.workflows.registry import Registry
from perennial.workflows.suspects import set_aside
from perennial.workflows.sweep import sweep

from .conftest import BAD, DEFINITION, GOOD, Launcher, Run

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def learn(buckets: Buckets, registry: Registry, version: str) -> None:
    """Bring in a version that has learned every accepted file, and crown it, as a run would."""
    files = accepted_files(buckets.data, "flowers")
    rows = [Portion(file.file.stem, ((0, file.rows),)) for file in files]
    known = lineage(files, files, rows).to_json()
    manifest = Manifest(
        pipeline="flowers", version=version, task="binary", label="bought", classes=(False, True),
        inputs=(), text="", files={"lineage.json": FileDigest(sha256(known).hexdigest(), 0)},
        run="r1", champion=None, definition="", trained_rows=2, trained_through=NOW, created=NOW,
        seed=0,
    )  # fmt: skip
    buckets.models.create(names.version("flowers", version, "claim.json"), b"{}")
    registry.write_version(manifest, {"lineage.json": known})
    registry.commit(
        "flowers",
        lambda head: crown(
            replace(head, statuses={**head.statuses, version: "approved"}), version
        ),
        action="promote", by="run r1", version=version,
    )  # fmt: skip


@pytest.fixture
def shop(flowers: Run, buckets: Buckets, registry: Registry) -> Run:
    """Two files, and a champion from each day."""
    for number in (1, 2):
        Path(f"{number}.csv").write_bytes(GOOD.replace(b"1,true", f"{number},true".encode()))
        flowers("drop", "flowers", f"{number}.csv")
        flowers("sweep")
        learn(buckets, registry, names.version_name(number))
    return flowers


WORDS = ("recall", "flowers", "2.csv", "--why", "cents, not euros")


def test_a_dry_run_says_what_would_happen(shop: Run, registry: Registry) -> None:
    lines = shop(*WORDS, "--dry-run").out.splitlines()

    assert lines[0].startswith("file       flowers/2.csv (generation ")
    assert lines[0].endswith(") would go to quarantine: cents, not euros")
    assert lines[1:] == [
        "version    v000002 would be recalled: learned 2 rows of it",
        "champion   v000001 would serve in the place of v000002",
    ]
    assert registry.require("flowers").champion == "v000002"


def test_a_recall_says_what_it_did_and_how_it_is_undone(
    shop: Run, registry: Registry, launcher: Launcher
) -> None:
    registry.commit("flowers", lambda head: head, action="apply", by="t")
    launcher.launched.clear()
    lines = shop(*WORDS).out.splitlines()

    assert lines[0].endswith(" is quarantined: recalled by rosa: cents, not euros")
    assert lines[1:4] == [
        "version    v000002 recalled: learned 2 rows of it",
        "champion   v000001 serves in the place of v000002",
        "run        started executions/e1, to learn without it",
    ]
    assert lines[4].startswith("undo       `perennial quarantine release flowers ")
    assert launcher.launched == ["flowers"]
    again = shop(*WORDS)
    assert again.code == 0
    assert again.out.splitlines()[0].endswith(
        " had been recalled: recalled by rosa: cents, not euros"
    )


def test_its_document_has_every_fact(shop: Run) -> None:
    document = shop(*WORDS, "--json").json

    assert document.keys() == {
        "pipeline", "file", "versions", "champion", "before", "unpinned", "run", "at_work",
        "already", "dry_run",
    }  # fmt: skip
    assert document["file"]["verdict"] == "quarantined"
    assert document["versions"] == [{"version": "v000002", "rows": 2}]
    assert (document["before"], document["champion"]) == ("v000002", "v000001")
    assert (document["already"], document["dry_run"]) == (False, False)
    assert shop(*WORDS, "--json").json["already"]


def test_a_lifted_pin_is_told(shop: Run) -> None:
    shop("rollback", "flowers", "--to", "v000001", "--why", "calm")
    shop("rollback", "flowers", "--to", "v000002", "--why", "storm")
    lines = shop(*WORDS).out.splitlines()
    assert "pin        lifted with the champion it held (by rosa: storm)" in lines


def test_without_a_clean_champion_it_is_refused_and_a_dry_run_says_so(shop: Run) -> None:
    words = ("recall", "flowers", "1.csv", "--why", "x")
    dry = shop(*words, "--dry-run")
    assert dry.code == 0
    assert dry.out.splitlines()[-2:] == [
        (
            "champion   none would serve in the place of v000002: predict answers 503 until a "
            "clean version has passed"
        ),
        "refused    unless --without-champion is given, or a clean version serves before",
    ]
    assert "with --without-champion nothing serves" in shop(*words).complaint

    done = shop(*words, "--without-champion")

    assert done.code == 0
    assert "champion   none serves in the place of v000002" in done.out
    assert "champion   none yet" in shop("status", "flowers").out


def test_what_cannot_be_recalled_is_one_line(shop: Run) -> None:
    assert (
        "flowers has no file 'x.csv'" in shop("recall", "flowers", "x.csv", "--why", "x").complaint
    )
    assert "no pipeline 'flwrs'" in shop("recall", "flwrs", "1.csv", "--why", "x").complaint
    assert "Missing option '--why'" in shop("recall", "flowers", "1.csv").complaint


def test_the_history_of_a_version_tells_its_recall(shop: Run, registry: Registry) -> None:
    shop(*WORDS)
    listed = shop("quarantine", "list", "flowers", "--json").json["files"]
    assert [(f["name"], f["state"]) for f in listed] == [("flowers/2.csv", "quarantined")]
    shown = shop("quarantine", "show", "flowers", "2.csv").out
    assert "reject     recalled: recalled by rosa: cents, not euros" in shown
    assert "release flowers flowers/2.csv --why …` lets it be learned" in shown


def test_a_version_that_was_trained_elsewhere_learned_nothing_of_ours(
    shop: Run, buckets: Buckets, registry: Registry
) -> None:
    """It has no lineage."""
    manifest = replace(registry.manifest("flowers", "v000001"), version="v000003", files={})
    registry.write_version(manifest, {})
    registry.commit(
        "flowers",
        lambda head: crown(
            replace(head, statuses={**head.statuses, "v000003": "approved"}), "v000003"
        ),
        action="import", by="rosa", version="v000003",
    )  # fmt: skip
    document = shop("recall", "flowers", "1.csv", "--why", "x", "--json").json
    assert [one["version"] for one in document["versions"]] == ["v000001", "v000002"]
    assert document["champion"] == "v000003"


class TestSuspects:
    """A file that training set aside, as the hospital shows it."""

    @pytest.fixture
    def suspicious(self, shop: Run, buckets: Buckets) -> Run:
        (_, second) = accepted_files(buckets.data, "flowers")
        set_aside(buckets.data, "flowers", [second], by="run r1", reason="odd", decided=NOW)
        return shop

    def test_it_is_listed_with_its_state(self, suspicious: Run) -> None:
        (file,) = suspicious("quarantine", "list", "flowers", "--json").json["files"]
        assert (file["name"], file["state"], file["reason"]) == ("flowers/2.csv", "suspect", "odd")
        assert "suspect" in suspicious("quarantine", "list", "flowers").out

    def test_it_is_shown_with_its_original(self, suspicious: Run) -> None:
        out = suspicious("quarantine", "show", "flowers", "2.csv", "--original", "back.csv").out
        assert "reject     suspect: odd" in out
        assert "original   gs://landing/flowers/2.csv#" in out
        assert "`perennial quarantine release flowers flowers/2.csv --why …`" in out
        assert Path("back.csv").read_bytes() == Path("2.csv").read_bytes()

    def test_status_counts_it(self, suspicious: Run) -> None:
        assert suspicious("status", "flowers", "--json").json["counts"] == {
            "accepted": 1,
            "suspect": 1,
        }
        out = suspicious("status", "flowers").out
        assert "1 accepted, 1 suspect" in out
        assert "`perennial quarantine show flowers FILE` says all that is wrong" in out

    def test_a_drop_that_ends_with_it_ends_with_code_3(
        self, flowers: Run, buckets: Buckets, registry: Registry, launcher: Launcher
    ) -> None:
        Path("due.yaml").write_text(DEFINITION.replace("{files: 3}", "{files: 1}, min_rows: 2"))
        flowers("apply", "due.yaml")
        Path("odd.csv").write_bytes(GOOD)
        Path("bad.csv").write_bytes(BAD)
        done = threading.Event()

        def judge_and_set_aside() -> None:
            """Stands for event delivery, ingest, and a run that does not trust the file."""
            while not done.wait(0.05):
                sweep(buckets, registry, launcher, SystemClock())
                seen = accepted_files(buckets.data, "flowers")
                set_aside(buckets.data, "flowers", seen, by="run r", reason="odd", decided=NOW)

        thread = threading.Thread(target=judge_and_set_aside)
        thread.start()
        try:
            ran = flowers("drop", "flowers", "odd.csv", "bad.csv", "--wait", "--json")
        finally:
            done.set()
            thread.join()

        assert ran.code == 3
        assert [f["verdict"] for f in ran.document["files"]] == ["suspect", "quarantined"]
        assert ran.document["files"][0]["reason"] == "odd"
        assert "2 of 2 dropped are suspect or in quarantine: " in ran.err

    def test_release_and_discard_lead_out(self, suspicious: Run) -> None:
        out = suspicious("quarantine", "release", "flowers", "2.csv", "--why", "a fair").out
        assert "released by rosa: a fair" in out
        assert "nothing in quarantine" in suspicious("quarantine", "list", "flowers").out
