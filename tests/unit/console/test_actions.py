"""What operators do: with a reason, in their name, and from a page of the console's own."""

from __future__ import annotations

import logging

import pytest

from perennial.console import actions
from perennial.console.actions import ACTIONS
from perennial.errors import LaunchError, PermissionDenied, StoreUnavailable
from perennial.workflows.console.callers import ASSERTION, Gate
from perennial.workflows.verdicts import verdict_in_force
from tests.unit.console.conftest import HOST, Answers, drop_bad, manual

BAD = "at;heat;room;open\n" + "".join(
    f"2026-01-09T00:{n:02d}:00;{n / 10};a;{n % 2}\n" for n in range(60)
)


def decision(taps, file):
    return verdict_in_force(taps.trainer.buckets.data, "taps", file)


def test_a_waiting_version_is_approved_in_the_operators_name(taps, browse, caplog):
    manual(taps)
    taps.drop()
    taps.train()
    assert taps.head.champion is None
    browser = browse(taps)
    assert "v000001 can be approved" in browser.get("/p/taps").get_data(as_text=True)
    with caplog.at_level(logging.INFO, "perennial.console"):
        done = browser.act("/p/taps/do/approve?subject=v000001", "it is better")
    assert done.status_code == 303
    assert taps.head.champion == "v000001"
    commit = next(taps.registry.history("taps"))
    assert (commit.action, commit.by, commit.why) == ("approve", "ada", "it is better")
    (line,) = [one for one in caplog.records if getattr(one, "action", "") == "approve"]
    assert (line.by, line.why, line.subject) == ("ada", "it is better", "v000001")
    assert "Approve: done" in browser.get(done.headers["Location"]).get_data(as_text=True)


def test_a_waiting_version_is_turned_down(taps, browse):
    manual(taps)
    taps.drop()
    taps.train()
    assert browse(taps).act("/p/taps/do/reject?subject=v000001").status_code == 303
    assert taps.head.statuses["v000001"] == "rejected"


def test_rolling_back_pins_and_unpinning_lifts_it(served, browse):
    browser = browse(served)
    assert browser.act("/p/taps/do/rollback?subject=v000001", "it is odd").status_code == 303
    assert (served.head.champion, served.head.pin.why) == ("v000001", "it is odd")
    assert browser.act("/p/taps/do/unpin").status_code == 303
    assert served.head.pin is None
    assert browser.act("/p/taps/do/pin", "a holiday").status_code == 303
    assert (served.head.champion, served.head.pin.by) == ("v000001", "ada")


def test_what_the_registry_refuses_is_said_beside_the_form(served, browse):
    page = browse(served).act(f"/p/taps/do/rollback?subject={served.head.champion}", "again")
    assert page.status_code == 409
    assert "is the champion already" in page.get_data(as_text=True)
    assert ">again</textarea>" in page.get_data(as_text=True)


def test_a_run_is_asked_for_and_watched(served, browse):
    browser = browse(served)
    done = browser.act("/p/taps/do/retrain", "the summer is over")
    assert done.headers["Location"].startswith("/p/taps/runs/never?since=")
    noted = next(served.registry.history("taps"))
    assert (noted.action, noted.by, noted.why) == ("retrain", "ada", "the summer is over")
    assert "Starting" in browser.get(done.headers["Location"]).get_data(as_text=True)
    served.trainer.launcher.ended.add("never")
    page = browser.get("/p/taps/runs/never/state?since=").get_data(as_text=True)
    assert "ended without a run of its own" in page
    run = browser.get("/p/taps/runs/job-1/state?since=").get_data(as_text=True)
    assert "promoted" in run
    assert "data-over" in run


def test_a_run_that_the_platform_does_not_start_is_a_page_that_says_so(served, browse, monkeypatch):
    def refuse(*_, **__):
        raise LaunchError("the quota of executions is used up")

    monkeypatch.setattr(served.trainer.launcher, "launch", refuse)
    page = browse(served).act("/p/taps/do/retrain")
    assert page.status_code == 503
    assert "quota of executions" in page.get_data(as_text=True)


@pytest.mark.parametrize(
    "since", ["x", "x" * 5000, "%00", "../../other", "20261399T000000000000-0", "%F0%9F%90%8D"]
)
def test_what_is_no_run_is_no_beginning_to_look_from(served, browse, since):
    for page in ("", "/state"):
        place = f"/p/taps/runs/job-1{page}?since={since}"
        assert browse(served).get(place).status_code == 400


@pytest.mark.parametrize("execution", ["x" * 101, "..", "job%2F1", "j%C3%B6b", "%00"])
def test_what_can_be_no_execution_is_not_asked_for(served, browse, monkeypatch, execution):
    asked = []
    monkeypatch.setattr(served.trainer.launcher, "has_ended", asked.append)
    assert browse(served).get(f"/p/taps/runs/{execution}/state").status_code == 404
    assert not asked


def test_that_something_was_done_is_said_on_its_page_alone_and_to_nobody_else(served, browse):
    browser = browse(served)
    place = browser.act("/p/taps/do/pin").headers["Location"]
    mark = place.partition("?")[2]
    said = "Pin: done"
    assert said in browser.get(place).get_data(as_text=True)
    links = [
        "/p/taps?done=pin", "/p/taps?done=pin.", f"/p/taps/versions?{mark}",
        f"/p/taps?{mark.replace('pin', 'unpin')}", "/p/taps?done=%00.%F0%9F%90%8D",
    ]  # fmt: skip
    for link in links:
        page = browser.get(link)
        assert page.status_code == 200
        assert ": done" not in page.get_data(as_text=True)
    assert said not in browse(served).get(place).get_data(as_text=True)


def test_a_file_is_repaired_after_its_changes_were_shown(served, browse):
    file = drop_bad(served, "semicolons.csv", BAD)
    assert decision(served, file).decision == "quarantined"
    browser = browse(served)
    place = f"/p/taps/do/repair?subject={file.stem}"
    shown = browser.get(f"{place}&fix=delimiter%3D%3B").get_data(as_text=True)
    assert "It would be accepted, with 60 rows." in shown
    assert "+2026-01-09T00:01:00,0.1,a,1" in shown
    assert decision(served, file).number == 1  # nothing was decided by looking
    assert browser.act(place, fix="delimiter=;").status_code == 303
    assert (decision(served, file).decision, decision(served, file).rows) == ("accepted", 60)


@pytest.mark.parametrize("place", ["retry?", "repair?fix=delimiter%3D%3B&"])
def test_a_large_file_is_not_judged_only_to_show_what_would_come_of_it(
    served, browse, monkeypatch, place
):
    file = drop_bad(served, "semicolons.csv", BAD)
    browser = browse(served)
    shown = f"/p/taps/do/{place}subject={file.stem}"
    monkeypatch.setattr(actions, "FORESEEN_BYTES", len(BAD.encode()))
    assert "It would" in browser.get(shown).get_data(as_text=True)
    monkeypatch.setattr(actions, "FORESEEN_BYTES", len(BAD.encode()) - 1)
    page = browser.get(shown)
    assert page.status_code == 200
    assert "It would" not in page.get_data(as_text=True)
    assert f"taps {file.generation} --dry-run" in page.get_data(as_text=True)


def test_of_a_giant_line_a_preview_shows_its_beginning(served, browse):
    room = "x" * 100_000
    file = drop_bad(served, "giant.csv", BAD.replace(";a;", f";{room};"))
    place = f"/p/taps/do/repair?subject={file.stem}&fix=delimiter%3D%3B"
    page = browse(served).get(place).get_data(as_text=True)
    assert "+2026-01-09T00:01:00,0.1,xxx" in page
    assert len(page) < 50_000


@pytest.mark.parametrize(
    ("action", "after"),
    [("release", "accepted"), ("discard", "discarded"), ("retry", "quarantined")],
)
def test_a_file_leaves_quarantine(served, browse, action, after):
    rows = "".join(f"2026-01-09T00:{n:02d}:00,{n / 10},a,{n % 2}\n" for n in range(60))
    file = drop_bad(served, "bad.csv", f"at,heat,room,open\n{rows}2026-01-10T00:00:00,hot,a,1\n")
    assert browse(served).act(f"/p/taps/do/{action}?subject={file.stem}").status_code == 303
    found = decision(served, file)
    assert (found.decision, found.number) == (after, 2)
    assert "ada" in found.decided_by or "ada" in found.reason


def test_why_a_file_was_judged_again_is_on_record(served, browse):
    rows = "".join(f"2026-01-09T00:{n:02d}:00,{20 + n / 10},a,{n % 2}\n" for n in range(60))
    text, lax = "at,heat,room,open\n" + rows, served.text
    served.apply(
        lax.replace("heat: {type: number", "heat: {type: number, rules: [{range: [0, 1]}]")
    )
    file = drop_bad(served, "warm.csv", text)
    assert decision(served, file).decision == "quarantined"
    served.apply(lax)
    browse(served).act(f"/p/taps/do/retry?subject={file.stem}", "the range was wrong")
    found = decision(served, file)
    assert (found.decision, found.reason) == (
        "accepted", "judged again by ada: the range was wrong"
    )  # fmt: skip


def test_a_reason_is_kept_in_one_line_without_control_characters(served, browse):
    browse(served).act("/p/taps/do/pin", "  two\r\nlines\x1b[31m ")
    assert served.head.pin.why == "two lines [31m"


def test_a_form_that_is_too_large_is_refused(served, browse):
    assert browse(served).act("/p/taps/do/pin", "x" * (1 << 20)).status_code == 413
    assert served.head.pin is None


def test_the_secret_of_forms_goes_over_https_alone_behind_the_proxy(served, browse):
    cookie = browse(served).get("/", x_forwarded_proto="https").headers["Set-Cookie"]
    assert {"Secure", "HttpOnly", "SameSite=Strict"} <= set(cookie.split("; "))


def test_after_an_action_without_an_answer_the_next_page_lists_anew(served, browse, monkeypatch):
    """It may have happened."""
    browser = browse(served)
    forgotten = []
    monkeypatch.setattr(browser.console.snapshots, "forget", forgotten.append)

    def unanswered(*_, **__):
        raise StoreUnavailable("no answer")

    monkeypatch.setattr(browser.console.registry, "commit", unanswered)
    assert browser.act("/p/taps/do/pin").status_code == 503
    assert forgotten == ["taps"]


class TestForgery:
    def test_a_browser_that_opened_no_page_has_no_secret_to_repeat(self, served, browse):
        for form in ({"why": "x"}, {"why": "x", "form": ""}):
            assert browse(served).post("/p/taps/do/pin", form, origin=HOST).status_code == 403
        assert served.head.pin is None

    def test_without_the_secret_of_the_form_nothing_happens(self, served, browse):
        browser = browse(served)
        browser.get("/p/taps/do/pin")
        for form in ({"why": "x"}, {"why": "x", "form": "guess"}):
            assert browser.post("/p/taps/do/pin", form, origin=HOST).status_code == 403
        assert served.head.pin is None

    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": "http://["},
            {"sec_fetch_site": "cross-site"},
        ],
    )
    def test_a_foreign_page_is_refused_even_with_the_secret(self, served, browse, headers):
        browser = browse(served)
        page = browser.get("/p/taps/do/pin").get_data(as_text=True)
        secret = page.partition('name="form" value="')[2].partition('"')[0]
        form = {"why": "x", "form": secret}
        assert browser.post("/p/taps/do/pin", form, **headers).status_code == 403
        assert served.head.pin is None
        assert browser.post("/p/taps/do/pin", form, origin=HOST).status_code == 303

    def test_looking_changes_nothing(self, served, browse):
        """An action is a POST."""
        before = served.head
        assert browse(served).get("/p/taps/do/pin?why=x").status_code == 200
        assert served.head == before

    @pytest.mark.parametrize("why", ["", "  \n", "x" * 1001])
    def test_a_reason_is_asked_for(self, served, browse, why):
        assert browse(served).act("/p/taps/do/pin", why).status_code == 400
        assert served.head.pin is None


class TestWho:
    def verify(self, assertion: str) -> str:
        if not assertion.startswith("signed:"):
            raise PermissionDenied("forged")
        return assertion.removeprefix("signed:")

    def gate(self) -> Gate:
        return Gate(self.verify, frozenset({"ada@example.com"}))

    @pytest.mark.parametrize("assertion", ["", "forged"])
    def test_nobody_unproved_sees_anything(self, served, browse, assertion):
        page = browse(served, self.gate()).get("/p/taps", **{ASSERTION: assertion})
        assert page.status_code == 403
        assert "taps" not in page.get_data(as_text=True)

    def test_a_viewer_reads_and_finds_no_way_to_act(self, served, browse):
        browser = browse(served, self.gate())
        seen = browser.get("/p/taps", **{ASSERTION: "signed:bob@example.com"})
        assert seen.status_code == 200
        assert "read only" in seen.get_data(as_text=True)
        assert "/do/" not in seen.get_data(as_text=True)
        refused = browser.post("/p/taps/do/pin", {}, **{ASSERTION: "signed:bob@example.com"})
        assert refused.status_code == 403
        assert served.head.pin is None

    def test_a_viewer_may_ask_for_a_prediction_by_a_form_of_this_browser(self, served, browse):
        """It changes nothing that serves or is learned; and a foreign page cannot have it asked."""
        predict = Answers()
        browser = browse(served, self.gate(), predict)
        viewer = {ASSERTION: "signed:bob@example.com"}
        page = browser.get("/p/taps", **viewer).get_data(as_text=True)
        secret = page.partition('name="form" value="')[2].partition('"')[0]
        form = {"form": secret, "x-heat": "1.5"}
        before = served.head
        assert browser.post("/p/taps/try", {"x-heat": "1.5"}, **viewer).status_code == 403
        evil = {"origin": "https://evil.example"}
        assert browser.post("/p/taps/try", form, **viewer, **evil).status_code == 403
        assert not predict.asked
        assert browser.post("/p/taps/try", form, **viewer).status_code == 200
        assert [one["heat"] for one in predict.asked] == [1.5]
        assert served.head == before

    def test_a_viewer_asks_so_often_and_so_much_and_the_others_do_not_wait_for_them(
        self, served, browse
    ):
        predict = Answers()
        browser = browse(served, self.gate(), predict)
        bob, eve = ({ASSERTION: f"signed:{name}@example.com"} for name in ("bob", "eve"))
        page = browser.get("/p/taps", **bob).get_data(as_text=True)
        secret = page.partition('name="form" value="')[2].partition('"')[0]
        form = {"form": secret, "x-heat": "1.5"}
        large = {**form, "x-room": "x" * (1 << 16)}
        assert browser.post("/p/taps/try", large, **bob).status_code == 413
        found = [browser.post("/p/taps/try", form, **bob).status_code for _ in range(32)]
        assert found == [200] * 30 + [429] * 2
        assert len(predict.asked) == 30
        assert browser.post("/p/taps/try", form, **eve).status_code == 200

    @pytest.mark.parametrize("action", sorted(ACTIONS))
    def test_a_viewer_is_refused_every_action_and_its_preview(self, served, browse, action):
        viewer = {ASSERTION: "signed:bob@example.com"}
        browser = browse(served, self.gate())
        page = browser.get("/p/taps", **viewer).get_data(as_text=True)
        secret = page.partition('name="form" value="')[2].partition('"')[0]
        place = f"/p/taps/do/{action}"
        assert browser.get(f"{place}?subject=v000001", **viewer).status_code == 403
        form = {"form": secret, "why": "x", "subject": "v000001"}
        before = served.head
        assert browser.post(place, form, **viewer).status_code == 403
        assert served.head == before

    def test_an_operator_may_act(self, served, browse):
        page = browse(served, self.gate()).get("/p/taps", **{ASSERTION: "signed:Ada@example.com"})
        assert "/p/taps/do/retrain" in page.get_data(as_text=True)

    def test_a_console_without_settings_knows_nobody(self, served, browse):
        assert browse(served, Gate(None, frozenset())).get("/").status_code == 403

    def test_a_local_console_answers_to_its_own_address_only(self, served, browse):
        """A foreign name may be made to lead to this machine."""
        assert browse(served).get("/", host="evil.example:8080").status_code == 403
