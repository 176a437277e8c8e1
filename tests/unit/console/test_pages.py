"""Every page, over real versions and files."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace

import pytest

from perennial.console import pages
from perennial.domain import names
from perennial.domain.names import FileId
from perennial.errors import NotFoundError
from perennial.workflows.console.files import find_file
from perennial.workflows.judging import judge
from perennial.workflows.rebuild import rebuild, record
from perennial.workflows.replays import keep_replay
from tests.unit.console.conftest import Answers, drop_bad

REPLAY = {
    "pipeline": "taps", "task": "binary", "metric": "log_loss", "label": "open",
    "verdict": {"sentence": "It drifts."},
    "recommendation": {"sentence": "Retrain weekly.", "promotion": "", "definition": "every: 1"},
    "history": {"files": 3, "rows": 30, "first": "day0.csv", "last": "day2.csv"},
    "policies": [
        {"policy": "static", "every": None, "loss": 0.6, "difference": 1.0, "low": 0.0,
         "high": 0.2, "trainings": 1}
    ],
    "gates": [],
    "course": [
        {"file": "day<b>.csv", "rows": 10, "static": 0.6, "retrained": 0.3, "policy": "all"},
        {"file": "day2.csv", "rows": 0, "static": None, "retrained": None, "policy": "all"},
    ],
    "decay": {"window": 1, "curve": [
        {"age": 0, "files": 2, "loss": 0.3, "fresh_loss": 0.3, "excess": 0.0, "low": 0.0,
         "high": 0.0},
        {"age": 1, "files": 1, "loss": 0.6, "fresh_loss": 0.3, "excess": 1.0, "low": 0.5,
         "high": 1.5},
    ]},
}  # fmt: skip
BAD = "at,heat,room,open\n2026-01-09T00:00:00,hot<script>alert(1)</script>,a,1\n"


def text_of(page) -> str:
    assert page.status_code == 200, page.get_data(as_text=True)[:2000]
    return page.get_data(as_text=True)


def test_all_pipelines_are_shown_with_what_serves(served, browse):
    page = text_of(browse(served).get("/"))
    assert "taps" in page
    assert served.head.champion in page
    assert "Healthy" in page
    assert "<svg" in page


def test_without_any_pipeline_it_says_how_to_begin(browse, taps):
    taps.trainer.buckets.models.delete("taps/registry/head.json")
    assert "perennial init" in text_of(browse(taps).get("/"))


def test_a_pipeline_that_cannot_be_read_does_not_hide_the_others(served, browse):
    models, head = served.trainer.buckets.models, served.head
    models.overwrite("broken/registry/head.json", replace(head, pipeline="broken").to_json())
    models.overwrite(f"broken/definitions/{head.definition}.yaml", b"<b>another")

    page = text_of(browse(served).get("/"))

    assert head.champion in page
    assert '<a href="/p/broken">broken</a> cannot be shown: broken/definitions/' in page
    assert browse(served).get("/p/broken").status_code == 500


def test_a_pipeline_shows_its_score_its_files_and_its_runs(served, browse):
    page = text_of(browse(served).get("/p/taps"))
    assert "Progressive log_loss" in page
    assert page.count("promoted") >= 2
    assert "day0.csv" in page


@pytest.mark.parametrize(
    "path",
    [
        "/p/taps/versions", "/p/taps/versions/v000001", "/p/taps/versions/v000002",
        "/p/taps/compare", "/p/taps/compare?a=v000001&b=v000002", "/p/taps/files",
        "/p/taps/quarantine", "/p/taps/findings", "/p/taps/runs", "/p/taps/history",
        "/p/taps/replay",
        "/p/_unknown/quarantine", "/p/taps/do/retrain", "/p/taps/do/rollback?subject=v000001",
    ],
)  # fmt: skip
def test_every_page_opens(served, browse, path):
    page = text_of(browse(served).get(path))
    assert page.count("<h1>") == 1
    assert "<main" in page


def test_a_version_says_why_with_its_numbers_and_its_files(served, browse):
    page = text_of(browse(served).get("/p/taps/versions/v000002"))
    assert "Difference of the loss" in page
    assert "of v000002" in page
    assert "day1.csv" in page
    assert "Judged against" in page


def test_the_history_is_the_chain_in_pages(served, browse, monkeypatch):
    browser = browse(served)
    page = text_of(browser.get("/p/taps/history"))
    numbers = [int(n) for n in re.findall(r'<th scope="row" class="n">(\d+)</th>', page)]
    assert numbers == list(range(served.head.number, 0, -1))
    chain = list(served.registry.history("taps"))
    before = f"{chain[2].head.number}-{chain[2].head.commit}"
    older = text_of(browser.get(f"/p/taps/history?before={before}"))
    assert int(re.findall(r'<th scope="row" class="n">(\d+)</th>', older)[0]) == numbers[2]


def test_a_bad_file_is_shown_with_the_cell_that_breaks_the_rule_and_no_markup_of_its_own(
    served, browse
):
    file = drop_bad(served, "bad.csv", BAD)
    browser = browse(served)
    page = text_of(browser.get(f"/p/taps/files/{file.stem}"))
    assert "<mark>hot&lt;script&gt;alert(1)&lt;/script&gt;</mark>" in page
    assert "<script>alert" not in page
    assert "bad.csv" in text_of(browser.get("/p/taps/quarantine"))
    assert "1 file in quarantine" in text_of(browser.get("/"))


def test_of_a_large_file_no_rows_are_read_and_the_page_says_what_shows_them(
    served, browse, monkeypatch
):
    file = drop_bad(served, "bad.csv", BAD)
    browser = browse(served)
    monkeypatch.setattr(pages, "EXCERPT_BYTES", len(BAD) - 1)
    read = browser.console.buckets.quarantine.read
    seen = []
    monkeypatch.setattr(
        browser.console.buckets.quarantine, "read", lambda *a, **k: seen.append(a) or read(*a, **k)
    )
    page = text_of(browser.get(f"/p/taps/files/{file.stem}"))
    assert "<mark>" not in page
    assert f"perennial quarantine show taps {file.generation}" in page
    assert not seen


def test_a_small_file_that_unpacks_to_a_large_one_shows_no_rows(served, browse, monkeypatch):
    text = "at,heat,room,open\n" + "2026-01-09T00:00:00,hot,a,1\n" * 500
    info = served.trainer.buckets.landing.overwrite("taps/bad.csv.gz", gzip.compress(text.encode()))
    file = FileId(info.generation, info.name)
    judge(served.trainer.buckets, served.registry, served.trainer.clock, file)
    browser = browse(served)
    assert "<mark>hot" in text_of(browser.get(f"/p/taps/files/{file.stem}"))
    monkeypatch.setattr(pages, "EXCERPT_BYTES", len(text) - 1)
    assert "<mark>" not in text_of(browser.get(f"/p/taps/files/{file.stem}"))


@pytest.mark.parametrize("stem", ["", "0", "0" * 20, "0" * 20 + "-" + "g" * 16, "../x"])
def test_what_is_no_stem_lists_nothing(stem):
    """A stem is a listing's prefix: a digit would list ten thousand files."""
    with pytest.raises(NotFoundError):
        find_file(None, "taps", stem)


def test_files_are_searched_by_words_and_verdict(served, browse):
    drop_bad(served, "odd name.csv", BAD)
    browser = browse(served)
    assert "odd name.csv" in text_of(browser.get("/p/taps/files?q=ODD+name"))
    assert "odd name.csv" not in text_of(browser.get("/p/taps/files?q=day"))
    assert "odd name.csv" not in text_of(browser.get("/p/taps/files?state=accepted"))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/p/taqs", "no pipeline &#39;taqs&#39;; there are: taps"),
        ("/p/taps/versions/v000099", "taps has no version v000099"),
        ("/p/taps/files/123-abc", "no verdict on a file"),
        ("/p/taps/do/explode", "no action"),
        ("/p/ghost/do/pin", "no pipeline &#39;ghost&#39;"),
        ("/p/_unknown/do/retrain", "no pipeline &#39;_unknown&#39;"),
        ("/p//taps", "there is no page"),
        ("/p/taps/history?before=3-zzz", "has no commit 3 zzz"),
        ("/nowhere", "there is no page /nowhere"),
    ],
)
def test_what_does_not_exist_is_said_in_a_page(served, browse, path, said):
    page = browse(served).get(path)
    assert page.status_code == 404
    assert said in page.get_data(as_text=True)


def test_a_method_that_a_page_does_not_know_is_told_those_that_it_does(served, browse):
    page = browse(served).get("/p/taps/try")
    assert (page.status_code, page.headers["Allow"]) == (405, "POST")


def test_all_parts_of_a_console_forget_together_however_many_ask_first(served, browse):
    """They are made once, before requests ask for them side by side."""
    console = browse(served).console
    assert {"gatherer", "records", "snapshots"} <= vars(console).keys()
    assert console.gatherer.snapshots is console.snapshots


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=x", "page=99999999999", "before=x-y"])
def test_odd_numbers_of_pages_do_no_harm(served, browse, query):
    browser = browse(served)
    for path in ("versions", "files", "quarantine", "runs", "history"):
        assert browser.get(f"/p/taps/{path}?{query}").status_code == 200


def test_no_page_may_run_what_is_not_ours(served, browse):
    page = browse(served).get("/p/taps")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe" not in policy
    assert not re.search(r"<(script|style)>| style=| on\w+=", page.get_data(as_text=True))
    for address in re.findall(r'"(/assets/[^"]+)"', page.get_data(as_text=True)):
        found = browse(served).get(address)
        assert found.status_code == 200
        assert "immutable" in found.headers["Cache-Control"]


def test_what_is_typed_is_asked_and_answered_with_the_curl_line(served, browse):
    predict = Answers()
    browser = browse(served, predict=predict)
    form = re.search(r'name="form" value="([^"]+)"', text_of(browser.get("/p/taps")))
    typed = {"form": form[1], "x-heat": "1.5", "x-room": "<b>", "x-at": ""}
    page = text_of(browser.post("/p/taps/try", typed, origin="http://127.0.0.1:8080"))
    assert predict.asked == [{"at": None, "heat": 1.5, "room": "<b>"}]
    assert "2.5" in page
    assert "curl -s http://predict.test/v1/models/taps:predict" in page
    assert "&lt;b&gt;" in page
    assert '"<b>"' not in page


def test_a_problem_names_the_field(served, browse):
    errors = [{"field": "heat", "expected": "a number", "found": "'x'"}]
    predict = Answers(422, {"title": "t", "detail": "1 field is wrong", "errors": errors})
    browser = browse(served, predict=predict)
    form = re.search(r'name="form" value="([^"]+)"', text_of(browser.get("/p/taps")))
    page = text_of(browser.post("/p/taps/try", {"form": form[1], "x-heat": "x"}))
    assert "1 field is wrong" in page
    assert "expected a number, found &#39;x&#39;" in page


def test_a_replay_that_was_kept_is_shown_and_so_is_the_way_to_one(served, browse):
    assert "perennial replay taps --keep" in text_of(browse(served).get("/p/taps/replay"))
    assert "Static against retrained" not in text_of(browse(served).get("/p/taps"))
    data, now = served.trainer.buckets.data, served.trainer.clock.now()
    keep_replay(data, "taps", REPLAY, at=now, by="ada<b>")

    page = text_of(browse(served).get("/p/taps/replay"))

    assert page.count('role="img"') == 3
    for told in ("It drifts.", "Retrain weekly.", "every: 1", "day&lt;b&gt;.csv", "ada&lt;b&gt;"):
        assert told in page
    assert "<b>" not in page
    overview = text_of(browse(served).get("/p/taps"))
    assert "It drifts." in overview
    assert "Static against retrained, file by file" in overview


def test_a_version_shows_what_its_last_rebuild_found(served, browse):
    browser, path = browse(served), "/p/taps/versions/v000001"
    assert "It was not trained again yet" in text_of(browser.get(path))
    for execution in ("zz-first", "aa-last"):  # names say nothing of the order
        trainer = replace(served.trainer, execution=execution)
        found = record(trainer, rebuild(trainer, "taps", "v000001"))
        assert served.trainer.buckets.data.stat(found).size
    served.trainer.buckets.data.create(
        names.upgrade("taps", "v000001", "another"), b"what an upgrade found, in another form"
    )

    page = text_of(browser.get(path))

    assert "state-equal" in page
    assert "equal bit for bit" in page
    assert "aa-last" in page
    assert "zz-first" not in page
    assert "It was not trained again yet" in text_of(browser.get("/p/taps/versions/v000002"))


def test_a_rebuild_that_could_not_be_made_says_what_is_gone(served, browse):
    data = served.trainer.buckets.data
    for info in list(data.list("taps/rows/")):
        data.delete(info.name)
    record(served.trainer, rebuild(served.trainer, "taps", "v000001"))
    page = text_of(browse(served).get("/p/taps/versions/v000001"))
    assert "state-impossible" in page
    assert "taps/day0.csv" in page.partition('id="rebuild"')[2].partition("</section>")[0]


def test_many_rebuilds_cost_a_version_page_one_listing_and_one_read(served, browse, monkeypatch):
    data, browser, path = (
        served.trainer.buckets.data, browse(served), "/p/taps/versions/v000001",
    )  # fmt: skip
    browser.get(path)
    calls: list[str] = []
    for verb in ("list", "read", "stat"):
        real = getattr(data, verb)
        monkeypatch.setattr(
            data,
            verb,
            lambda name, *more, real=real, verb=verb, **options: (
                calls.append(f"{verb} {name}"), real(name, *more, **options),
            )[1],
        )  # fmt: skip
    browser.get(path)
    without = len(calls)
    found = rebuild(served.trainer, "taps", "v000001").to_json()
    for number in range(50):
        data.create(names.rebuild("taps", "v000001", f"job-{number:02}"), found)
    calls.clear()
    text_of(browser.get(path))
    assert len(calls) == without + 1
    assert [one for one in calls if "/rebuilds/" in one] == [
        "list taps/rebuilds/v000001/", "read taps/rebuilds/v000001/job-49.json",
    ]  # fmt: skip
