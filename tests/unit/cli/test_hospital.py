"""What people read of files in quarantine leads on to what they can do."""

from __future__ import annotations

import json
import re
import shlex
from datetime import datetime
from pathlib import Path

import pytest

from perennial.cli.excerpt import draw
from perennial.cli.quarantine import quarantine
from perennial.domain.judging.excerpts import Excerpt
from perennial.domain.judging.validation import Judgement
from perennial.domain.names import FileId
from perennial.ports import Buckets
from perennial.workflows.deciding import Desk

from .conftest import BAD, GOOD, Run

MIXED = b"petals,bought\n1,true\nmany,false\n"


@pytest.fixture
def hospital(flowers: Run, buckets: Buckets) -> Run:
    """A file that breaks a rule, one with a row that cannot be read, and one of no pipeline."""
    Path("bad one.csv").write_bytes(BAD)
    Path("mixed.csv").write_bytes(MIXED)
    flowers("drop", "flowers", "bad one.csv", "mixed.csv")
    buckets.landing.overwrite("stray.csv", GOOD)
    flowers("sweep")
    return flowers


@pytest.mark.parametrize("verb", sorted(quarantine.commands))
def test_help_gives_an_example_that_is_a_command(verb: str) -> None:
    """Its options exist, and it is about this very command."""
    command = quarantine.commands[verb]
    examples = re.findall(r"Example: `perennial quarantine (.*?)`", command.help or "")

    assert examples
    for example in examples:
        told, *words = shlex.split(example)
        assert told == verb
        command.make_context(verb, [w if w != "corrected.csv" else __file__ for w in words])


def test_the_list_says_how_to_see_all_that_is_wrong(hospital: Run) -> None:
    for name in ("flowers", "_unknown"):
        out = hospital("quarantine", "list", name).out
        assert f"`perennial quarantine show {name} FILE` says all that is wrong" in out


def test_a_file_is_shown_with_the_ways_out(hospital: Run) -> None:
    out = hospital("quarantine", "show", "flowers", "bad one.csv").out
    assert "`perennial quarantine release flowers 'flowers/bad one.csv' --why …`" in out


def test_a_file_of_no_pipeline_cannot_be_released_and_is_not_said_to(hospital: Run) -> None:
    out = hospital("quarantine", "show", "_unknown", "stray.csv").out
    assert "drop it again under a pipeline's name" in out
    assert "release" not in out


def test_release_says_how_many_rows_were_accepted_and_left_out(hospital: Run) -> None:
    words = ["quarantine", "release", "flowers", "mixed.csv", "--why", "it happens"]
    assert "released by rosa: it happens (1 row accepted, 1 left out)" in hospital(*words).out


def test_a_discarded_file_is_not_called_so_twice(hospital: Run) -> None:
    words = ["quarantine", "discard", "flowers", "mixed.csv", "--why", "bin"]
    out = hospital(*words).out
    assert out.count("discarded") == 1
    assert "by rosa: bin" in out


def test_one_file_is_counted_in_the_singular(flowers: Run, buckets: Buckets) -> None:
    buckets.landing.overwrite("flowers/a.csv", GOOD)
    assert flowers("sweep").out.startswith("1 file seen; ")


def test_the_list_counts_files_by_the_rules_that_they_break(hospital: Run) -> None:
    document = hospital("quarantine", "list", "flowers", "--json").json

    assert document["counts"] == {"range": 1, "type": 1}
    assert [file["rules"] for file in document["files"]] == [["range"], ["type"]]
    assert "rules broken: range 1, type 1" in hospital("quarantine", "list", "flowers").out


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--rule", "range"], ["flowers/bad one.csv"]),
        (["--rule", "null"], []),
        (["--file", "m*.csv"], ["flowers/mixed.csv"]),
        (["--state", "suspect"], []),
        (["--state", "quarantined", "--rule", "type"], ["flowers/mixed.csv"]),
    ],
)
def test_the_list_can_be_narrowed(hospital: Run, words: list[str], found: list[str]) -> None:
    document = hospital("quarantine", "list", "flowers", *words, "--json").json

    assert [file["name"] for file in document["files"]] == found
    assert sum(document["counts"].values()) == len(found)


def test_a_retry_can_be_foreseen(hospital: Run, buckets: Buckets) -> None:
    """Each file as it would come out, and nothing decided."""
    lenient = Path("flowers.yaml").read_text().replace("[0, 10]", "[0, 100]")
    Path("flowers.yaml").write_text(lenient)
    assert hospital("apply", "flowers.yaml").code == 0
    before = [info.name for info in buckets.data.list()]

    document = hospital("quarantine", "retry", "flowers", "--all", "--dry-run", "--json").json

    assert document["dry_run"] is True
    assert [(f["name"], f["verdict"], f["rows"]) for f in document["files"]] == [
        ("flowers/bad one.csv", "accepted", 2),
        ("flowers/mixed.csv", "quarantined", 0),
    ]
    assert document["files"][1]["reason"].startswith("petals: expected an integer, found 'many'")
    assert [info.name for info in buckets.data.list()] == before


def test_all_files_can_be_retried(hospital: Run) -> None:
    lenient = Path("flowers.yaml").read_text().replace("[0, 10]", "[0, 100]")
    Path("flowers.yaml").write_text(lenient)
    assert hospital("apply", "flowers.yaml").code == 0

    document = hospital("quarantine", "retry", "flowers", "--all", "--json").json

    assert [f["verdict"] for f in document["files"]] == ["accepted", "quarantined"]
    held = hospital("quarantine", "list", "flowers", "--json").json["files"]
    assert [file["name"] for file in held] == ["flowers/mixed.csv"]


@pytest.mark.parametrize("words", [[], ["--all", "mixed.csv"]])
def test_a_retry_names_files_or_all(hospital: Run, words: list[str]) -> None:
    ran = hospital("quarantine", "retry", "flowers", *words)

    assert (ran.code, "Name files, or say --all." in ran.err) == (2, True)


def test_the_list_is_cut_to_the_latest_and_counts_all(hospital: Run) -> None:
    document = hospital("quarantine", "list", "flowers", "--limit", "1", "--json").json

    assert [file["name"] for file in document["files"]] == ["flowers/mixed.csv"]
    assert (document["held"], document["counts"]) == (2, {"range": 1, "type": 1})
    assert (
        "the latest 1 of 2 files" in hospital("quarantine", "list", "flowers", "--limit", "1").out
    )


@pytest.mark.parametrize(("since", "found"), [("2020-01-01", 2), ("2999-01-01T00:00:00", 0)])
def test_the_list_begins_at_a_date(hospital: Run, since: str, found: int) -> None:
    document = hospital("quarantine", "list", "flowers", "--since", since, "--json").json

    assert len(document["files"]) == found


def test_verdicts_whose_metadata_name_no_rules_are_read(hospital: Run, buckets: Buckets) -> None:
    """As those that an earlier version wrote."""
    for info in list(buckets.data.list("flowers/verdicts/")):
        facts = json.loads(info.metadata["summary"])
        del facts["rules"]
        data = buckets.data.read(info.name).data
        buckets.data.overwrite(info.name, data, metadata={"summary": json.dumps(facts)})

    document = hospital("quarantine", "list", "flowers", "--rule", "type", "--json").json

    assert [file["rules"] for file in document["files"]] == [["type"]]


def test_a_retry_of_all_can_be_narrowed(hospital: Run) -> None:
    words = ["quarantine", "retry", "flowers", "--all", "--rule", "type", "--dry-run", "--json"]

    assert [file["name"] for file in hospital(*words).json["files"]] == ["flowers/mixed.csv"]


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_one_file_that_cannot_be_judged_keeps_no_other_from_it(
    hospital: Run, buckets: Buckets, dry_run: list[str]
) -> None:
    """The command says so of each, and fails."""
    bad = hospital("quarantine", "list", "flowers", "--rule", "range", "--json").json["files"][0]
    stem = FileId(bad["generation"], bad["name"]).stem
    buckets.quarantine.delete(f"flowers/{stem}/original")
    buckets.landing.delete(bad["name"], generation=bad["generation"])

    ran = hospital("quarantine", "retry", "flowers", "--all", *dry_run, "--json")

    assert ran.code == 1
    assert "1 of 2 files could not be judged" in ran.err
    assert [file["verdict"] for file in ran.document["files"]] == [None, "quarantined"]


def test_files_are_named_or_narrowed_down(hospital: Run) -> None:
    ran = hospital("quarantine", "retry", "flowers", "mixed.csv", "--rule", "type")

    assert (ran.code, "not both" in ran.err) == (2, True)


def test_the_cells_that_break_a_rule_are_marked(hospital: Run) -> None:
    out = hospital("quarantine", "show", "flowers", "mixed.csv").out

    assert "    line  petals  bought\n    3     «many»  false\n" in out


def test_the_cells_that_break_a_rule_are_red_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else the file says to the terminal is left out."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    rows = ((3, ("many", "\x1b[2Jx")),)

    lines = list(draw(Excerpt("type", "petals", ("petals", "bought"), rows, 0)))

    assert lines == [
        "    line  petals  bought",
        "    3     \x1b[31m\x1b[1mmany  \x1b[0m  ·[2Jx",
    ]


def test_a_file_whose_bytes_are_gone_is_shown_without_cells(
    hospital: Run, buckets: Buckets
) -> None:
    for info in list(buckets.quarantine.list("flowers/")):
        if info.name.endswith("/original"):
            buckets.quarantine.delete(info.name)
    for info in list(buckets.landing.list("flowers/")):
        buckets.landing.delete(info.name, generation=info.generation)

    ran = hospital("quarantine", "show", "flowers", "mixed.csv")

    assert (ran.code, "«" in ran.out, "found 'many' in line 3" in ran.out) == (0, False, True)


def test_a_file_is_repaired_with_another(hospital: Run, buckets: Buckets) -> None:
    """Foreseen first, then decided; the same again is the same decision."""
    Path("fixed.csv").write_bytes(BAD.replace(b"99", b"9"))
    words = ["quarantine", "repair", "flowers", "bad one.csv", "--with", "fixed.csv"]

    foreseen = hospital(*words, "--dry-run", "--json").json
    assert (foreseen["dry_run"], foreseen["verdict"], foreseen["rows"]) == (True, "accepted", 2)
    assert len(hospital("quarantine", "list", "flowers", "--json").json["files"]) == 2

    document = hospital(*words, "--why", "a typo", "--json").json
    assert (document["verdict"], document["rows"]) == ("accepted", 2)
    assert document["reason"] == "repaired by rosa: with fixed.csv: a typo"
    before = [info.name for info in buckets.data.list()]
    assert "repaired by rosa: with fixed.csv: a typo" in hospital(*words).out
    assert [info.name for info in buckets.data.list()] == before


@pytest.mark.parametrize(("text", "code"), [(BAD.replace(b"99", b"9"), 0), (BAD + b"98,true\n", 1)])
def test_corrected_bytes_are_judged_once(
    hospital: Run, monkeypatch: pytest.MonkeyPatch, text: bytes, code: int
) -> None:
    Path("fixed.csv").write_bytes(text)
    judged: list[bytes] = []
    judge = Desk.judge

    def counting(desk: Desk, file: FileId, data: bytes, covered: datetime | None) -> Judgement:
        judged.append(data)
        return judge(desk, file, data, covered)

    monkeypatch.setattr(Desk, "judge", counting)
    ran = hospital("quarantine", "repair", "flowers", "bad one.csv", "--with", "fixed.csv")
    assert (ran.code, judged) == (code, [text])


def test_a_repair_that_breaks_a_rule_is_refused_with_all_that_is_wrong(hospital: Run) -> None:
    Path("worse.csv").write_bytes(b"petals,bought\n98,true\nx,false\n")
    words = ["quarantine", "repair", "flowers", "bad one.csv", "--with", "worse.csv"]

    ran = hospital(*words, "--json")

    assert (ran.code, ran.document["verdict"]) == (1, "refused")
    assert {finding["rule"] for finding in ran.document["findings"]} == {"range", "type"}
    assert "flowers/bad one.csv stays in quarantine" in ran.err
    assert len(hospital("quarantine", "list", "flowers", "--json").json["files"]) == 2
    released = hospital("quarantine", "release", "flowers", "mixed.csv", "--why", "x")
    assert released.code == 0
    left = hospital("quarantine", "repair", "flowers", "mixed.csv", "--with", "worse.csv")
    assert "flowers/mixed.csv is not in quarantine: it is accepted" in left.complaint


def test_a_file_is_fixed_once_its_changes_were_seen(flowers: Run) -> None:
    Path("semi.csv").write_bytes(GOOD.replace(b",", b";"))
    flowers("drop", "flowers", "semi.csv")
    flowers("sweep")
    words = ["quarantine", "repair", "flowers", "semi.csv", "--fix", "delimiter=;"]

    unasked = flowers(*words)
    assert (unasked.code, "Say --yes" in unasked.err) == (2, True)
    seen = flowers(*words, "--dry-run").out
    assert "-petals;bought\n" in seen
    assert "+petals,bought\n" in seen
    assert "nothing was decided" in seen
    document = flowers(*words, "--yes", "--json").json

    assert (document["verdict"], document["rows"]) == ("accepted", 2)
    assert document["reason"].endswith("';' between fields became ',' in 3 rows")


@pytest.mark.parametrize("words", [[], ["--with", "fixed.csv", "--fix", "decimal=comma"]])
def test_a_repair_says_with_what_or_how(hospital: Run, words: list[str]) -> None:
    Path("fixed.csv").write_bytes(GOOD)
    ran = hospital("quarantine", "repair", "flowers", "mixed.csv", *words)

    assert (ran.code, "Say either --with or --fix." in ran.err) == (2, True)
