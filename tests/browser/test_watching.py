"""What watches pages sees what is wrong with them, or its silence would mean nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.accessibility import grave_faults
from tests.browser.watched import PHONE, Watched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

ILL = """<!DOCTYPE html><title>Ill</title>
<meta http-equiv="Content-Security-Policy" content="style-src 'none'">
<p style="width: 2000px">wide</p>
<div style="overflow-x: auto"><pre>this may scroll</pre></div>
<img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">
<form><input></form><table width="1500"><tr><td>wide</td></tr></table>
<script>console.error("said aloud"); nothing.there</script>"""


@pytest.fixture
def ill(browser: Browser, tmp_path: Path) -> Iterator[Watched]:
    (tmp_path / "ill.html").write_text(ILL)
    watched = Watched(browser, PHONE)
    watched.page.goto((tmp_path / "ill.html").as_uri())
    yield watched
    watched.close()


def test_errors_of_console_and_scripts_and_broken_policies_are_troubles(ill: Watched) -> None:
    for sign in ("said aloud", "nothing is not defined", "Content Security Policy"):
        assert any(sign in trouble for trouble in ill.troubles), ill.troubles


def test_what_is_wider_than_the_window_is_named(ill: Watched) -> None:
    width, *elements = ill.overflow()
    assert width.endswith(f"of {PHONE} pixels")
    assert any("<table" in element for element in elements)
    assert not any("<pre" in element for element in elements)


def test_grave_faults_are_named(ill: Watched) -> None:
    found = "\n".join(grave_faults(ill.page))
    assert "critical image-alt" in found
    assert "critical label" in found
    assert "serious html-has-lang" in found
