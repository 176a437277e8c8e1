"""The console as operators use it: every page looked at, every action clicked, in a real browser.

All tests of this file share one local cloud. An action takes what nothing else here needs.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.accessibility import grave_faults
from tests.browser.addresses import MISSING, PAGES, READ, TABS, address
from tests.browser.reader import READER, reading
from tests.browser.shop import AUTOMATIC, MANUAL, PAGE, TYPO, WEDDING, Shop, open_shop
from tests.browser.watched import DESK, PHONE, SCHEMES, Scheme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import OpenPage

WHY = "because the <b>till</b> said so"
"""A reason, of which every page must show each letter."""

LONG = 120_000
"""Milliseconds that a training run may take on a busy machine."""


@pytest.fixture(scope="module")
def shop(browser: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop; it is not opened where there is no browser to look at it."""
    one = open_shop(tmp_path_factory.mktemp("shop"))
    yield one
    one.cloud.down()


# --- every page -------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_for_everybody(
    shop: Shop, open_page: OpenPage, path: str, scheme: Scheme
) -> None:
    """axe-core finds nothing grave, nothing scrolls sideways on a phone, no error is told."""
    watched = open_page(
        address(shop, path), scheme=scheme, refused=(404,) if path in MISSING else ()
    )
    page = watched.page
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    for behind in page.locator("details > summary").all():
        behind.click()
    assert grave_faults(page) == []
    watched.keep(f"{path} {scheme} desk")
    for width in (320, PHONE):
        page.set_viewport_size({"width": width, "height": 844})
        assert watched.overflow() == []
    assert is_dark(page) == (scheme == "dark")


def is_dark(page: Page) -> bool:
    red, green, blue = page.evaluate(
        "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    )[:3]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_every_page_can_be_reached_by_links(shop: Shop, open_page: OpenPage, width: int) -> None:
    page = open_page(shop.address(), width=width).page
    page.get_by_role("link", name=AUTOMATIC, exact=True).click()
    for tab in TABS:
        tabs = page.get_by_role("navigation", name=AUTOMATIC)
        tabs.get_by_role("link", name=tab, exact=True).click()
        expect(tabs.locator("[aria-current=page]")).to_have_text(tab)
    page.get_by_role("link", name="Perennial", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pipelines")


def test_a_chart_has_its_figures_behind_it(shop: Shop, open_page: OpenPage) -> None:
    page = open_page(shop.address(f"/p/{AUTOMATIC}")).page
    figure = page.locator("figure").first
    picture = figure.get_by_role("img").first
    expect(picture).to_be_visible()
    expect(picture.locator("circle title").first).not_to_be_empty()
    figure.get_by_text("The figures").click()
    expect(figure.get_by_role("row").nth(1)).to_be_visible()


def test_findings_have_numbers_and_what_to_do(shop: Shop, open_page: OpenPage) -> None:
    page = open_page(shop.address(f"/p/{AUTOMATIC}")).page
    expect(page.get_by_role("img", name=re.compile("^Drift by feature"))).to_be_visible()
    page.get_by_role("link", name="Findings", exact=True).click()
    found = page.locator(".findings > li").filter(has_text=re.compile("training drift.*bouquet"))
    expect(found).to_contain_text("Jensen-Shannon")
    expect(found).to_contain_text(f"perennial replay {AUTOMATIC}")
    found.get_by_text("Evidence").click()
    expect(found.get_by_role("row").nth(1)).to_be_visible()


def test_a_replay_shows_what_a_static_model_would_have_done(
    shop: Shop, open_page: OpenPage
) -> None:
    page = open_page(shop.address(f"/p/{AUTOMATIC}/replay")).page
    expect(page.get_by_role("img").first).to_be_visible()
    page.get_by_text("The figures").first.click()
    static = page.get_by_role("columnheader", name="static")
    expect(static.first).to_be_visible()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", ["report", "replay"])
def test_a_report_that_is_mailed_is_whole_and_for_everybody(
    shop: Shop, open_page: OpenPage, kind: str, scheme: Scheme
) -> None:
    """It is opened from the disk, as from a mail: nothing else is loaded, no script is in it."""
    file = shop.replay
    if kind == "report":
        file = shop.visits.parent / "report.html"
        shop.cloud.run("report", AUTOMATIC, "-o", str(file))
    watched = open_page(file.as_uri(), scheme=scheme)
    page = watched.page
    assert page.evaluate("() => performance.getEntriesByType('resource').length") == 0
    expect(page.locator("script, link, iframe")).to_have_count(0)
    for behind in page.locator("details > summary").all():
        behind.click()
    assert grave_faults(page) == []
    watched.keep(f"{kind} {scheme} desk")
    for width in (320, PHONE):
        page.set_viewport_size({"width": width, "height": 844})
        assert watched.overflow() == []


# --- what an operator does --------------------------------------------------------------------


def confirm(page: Page, button: str, why: str = WHY) -> None:
    """On the page that asks for a reason: give it, and go on."""
    page.get_by_label("Why").fill(why)
    page.get_by_role("button", name=button, exact=True).click()


def row_of(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name))


def test_a_dropped_file_is_seen_judged(shop: Shop, open_page: OpenPage) -> None:
    [week] = shop.weeks("2025-10-07")
    shop.cloud.run("drop", AUTOMATIC, week)
    page = open_page(shop.address(f"/p/{AUTOMATIC}/files")).page
    row = row_of(page, Path(week).name)
    for _ in range(60):
        if row.count():
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(row).to_contain_text("accepted")
    page.get_by_label("Name or reason").fill("10-07")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("rowheader")).to_have_count(1)
    page.get_by_role("link", name=Path(week).name).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("accepted")


def test_a_run_is_watched_from_order_to_statistics(shop: Shop, open_page: OpenPage) -> None:
    page = open_page(shop.address(f"/p/{AUTOMATIC}")).page
    page.get_by_role("link", name="Retrain now").click()
    confirm(page, "Retrain now")
    expect(page.get_by_role("status").first).to_contain_text("Retrain now")
    loaded: list[str] = []
    page.on("framenavigated", lambda frame: loaded.append(frame.url))
    over = page.locator("#run [data-over]")
    expect(over).to_be_visible(timeout=LONG)
    assert loaded == [], "the page is renewed, not loaded again"
    expect(over.get_by_role("row").nth(1)).to_be_visible()
    expect(over).to_contain_text("New rows")


def test_a_version_that_waits_is_approved(shop: Shop, open_page: OpenPage) -> None:
    page = open_page(shop.address()).page
    card = page.get_by_role("listitem").filter(has=page.get_by_role("link", name=MANUAL))
    expect(card.first).to_contain_text("v000001")
    page.get_by_role("link", name=MANUAL, exact=True).click()
    page.get_by_role("link", name="Approve v000001").click()
    confirm(page, "Approve")
    expect(page.get_by_role("status")).to_contain_text("Approve: done")
    expect(row_of(page, "v000001")).to_contain_text("champion")
    assert shop.cloud.json("status", MANUAL)["champion"] == "v000001"
    page.goto(shop.address(f"/p/{MANUAL}/history"))
    expect(page.get_by_role("row").nth(1)).to_contain_text(WHY)


def test_predict_answers_a_form_and_the_curl_line_says_the_same(
    shop: Shop, open_page: OpenPage
) -> None:
    page = open_page(shop.address(f"/p/{AUTOMATIC}")).page
    form = page.locator("form.try")
    for name, value in {
        "channel": 'Bob\'s "ads" & <more>',
        "bouquet": "roses",
        "basket_eur": "31.5",
        "pages": "4",
        "days_to_holiday": "1",
    }.items():
        form.get_by_label(re.compile(f"^{name} ")).fill(value)
    for name in ("returning", "gift_card"):
        form.get_by_label(re.compile(f"^{name} ")).select_option("true")
    when = form.get_by_label(re.compile("^visited_at "))
    if when.count():
        when.fill("2026-02-13T10:00:00Z")
    form.get_by_role("button", name="Predict").click()
    answer = page.locator(".answer")
    expect(answer).to_contain_text("answered by v0000")
    expect(answer.locator(".big")).to_have_text(re.compile("^(true|false)$", re.IGNORECASE))
    silent, url, h, header, d, body = as_a_shell_reads(answer.locator("pre").inner_text())
    assert (silent, h, d) == ("-s", "-H", "-d")
    headers = dict([header.split(": ")])
    by_hand = requests.post(url, data=body.encode(), headers=headers, timeout=30)
    [prediction] = by_hand.json()["predictions"]
    assert str(prediction["label"]) == answer.locator(".big").inner_text()
    expect(answer).to_contain_text(by_hand.json()["model_version"])


def as_a_shell_reads(curl: str) -> list[str]:
    """The words that curl is given."""
    script = 'curl() { printf "%s\\0" "$@"; }\n' + curl
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


def test_what_is_wrong_with_values_is_said_beside_the_form(shop: Shop, open_page: OpenPage) -> None:
    watched = open_page(shop.address(f"/p/{AUTOMATIC}"))
    form = watched.page.locator("form.try")
    form.get_by_label(re.compile("^pages ")).fill("lots")
    form.get_by_role("button", name="Predict").click()
    answer = watched.page.locator(".answer")
    expect(answer).to_contain_text("pages")
    expect(answer).to_contain_text("lots")
    expect(form.get_by_label(re.compile("^pages "))).to_have_value("lots")


def test_a_rollback_pins_and_is_unpinned(shop: Shop, open_page: OpenPage) -> None:
    before = shop.cloud.json("status", AUTOMATIC)["champion"]
    page = open_page(shop.address(f"/p/{AUTOMATIC}/versions")).page
    row_of(page, "v000001").get_by_role("link", name="Roll back to it").click()
    expect(page.locator("main")).to_contain_text("v000001 serves again and is pinned")
    confirm(page, "Roll back")
    expect(page.get_by_role("status")).to_contain_text("Roll back: done")
    assert shop.cloud.json("status", AUTOMATIC)["champion"] == "v000001" != before
    page.get_by_role("link", name="Unpin").click()
    confirm(page, "Unpin")
    expect(page.get_by_role("link", name="Pin", exact=True)).to_be_visible()


def test_a_file_is_released_after_a_look_at_its_marked_cell(
    shop: Shop, open_page: OpenPage
) -> None:
    page = open_page(shop.address(f"/p/{AUTOMATIC}/quarantine")).page
    page.get_by_role("link", name=WEDDING).click()
    expect(page.locator("mark")).to_have_text(["640"])
    page.get_by_role("link", name="Release").click()
    confirm(page, "Release", "a wedding: the amount is right")
    expect(page.get_by_role("heading", level=1)).to_contain_text("accepted")


def test_a_file_is_repaired_after_a_look_at_what_changes(shop: Shop, open_page: OpenPage) -> None:
    page = open_page(address(shop, f"/p/{AUTOMATIC}/files/{{{TYPO}}}")).page
    page.get_by_role("link", name="Repair").click()
    page.get_by_label("How").fill("drop-bad-rows")
    page.get_by_role("button", name="Show what changes").click()
    expect(page.locator("pre")).to_contain_text("It would be accepted")
    confirm(page, "Repair")
    expect(page.get_by_role("heading", level=1)).to_contain_text("accepted")
    expect(page.locator("main")).to_contain_text(WHY)


def test_a_file_that_nobody_can_heal_is_judged_again_and_discarded(
    shop: Shop, open_page: OpenPage
) -> None:
    page = open_page(address(shop, f"/p/{AUTOMATIC}/files/{{{PAGE}}}")).page
    page.get_by_role("link", name="Judge again").click()
    expect(page.locator("pre")).to_contain_text("It would stay in quarantine")
    page.get_by_role("link", name="Cancel").click()
    page.goto(address(shop, f"/p/{AUTOMATIC}/files/{{{PAGE}}}"))
    page.get_by_role("link", name="Discard").click()
    confirm(page, "Discard")
    expect(page.get_by_role("heading", level=1)).to_contain_text("discarded")
    assert PAGE not in shop.cloud.run("quarantine", "list", AUTOMATIC).stdout


def test_an_action_without_a_reason_is_not_sent(shop: Shop, open_page: OpenPage) -> None:
    page = open_page(shop.address(f"/p/{AUTOMATIC}/do/retrain")).page
    page.get_by_role("button", name="Retrain now").click()
    assert page.get_by_label("Why").evaluate("(one) => one.validity.valueMissing")
    assert page.url == shop.address(f"/p/{AUTOMATIC}/do/retrain")


def test_an_action_needs_no_mouse(shop: Shop, open_page: OpenPage) -> None:
    """From the top of the page by Tab, Enter and letters; where the focus is can be seen."""
    page = open_page(shop.address(f"/p/{MANUAL}")).page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("link", name="Retrain now"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Retrain now")
    tab_to(page, page.get_by_label("Why"))
    page.keyboard.type("the keyboard asked")
    tab_to(page, page.get_by_role("button", name="Retrain now"))
    page.keyboard.press("Enter")
    expect(page.locator("#run [data-over]")).to_be_visible(timeout=LONG)


def tab_to(page: Page, wanted: Locator) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            "() => { const s = getComputedStyle(document.activeElement);"
            " return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2; }"
        )
        assert seen, page.evaluate("() => document.activeElement.outerHTML.slice(0, 200)")
        if wanted.evaluate("(one) => one === document.activeElement"):
            return
    pytest.fail(f"{wanted} is not reached by Tab")


# --- what a reader does not -------------------------------------------------------------------


def test_a_reader_sees_all_and_is_offered_nothing(shop: Shop, open_page: OpenPage) -> None:
    with reading(shop.cloud) as (console, headers):
        for path in READ:
            page = open_page(
                address(shop, path).replace(shop.address(""), console), headers=headers
            ).page
            expect(page.get_by_role("banner")).to_contain_text(f"{READER}, read only")
            assert page.locator("a[href*='/do/']").count() == 0, path
        refused = open_page(f"{console}/p/{AUTOMATIC}/do/retrain", headers=headers, refused=(403,))
        expect(refused.page.get_by_label("Why")).to_have_count(0)
