"""A page of which everything that goes wrong is written down."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")

DESK, PHONE = 1280, 390
"""Widths in CSS pixels."""

HEIGHT = 844

PICTURES = "PERENNIAL_TEST_PICTURES"
"""Names a folder in which to keep what was seen."""


class Watched:
    """A page in a context of its own, and its troubles.

    Attributes:
        page: Playwright's.
        troubles: errors of the console (a broken security policy among them), of scripts, and
            answers that were not expected, each in a line.
        expected: statuses of answers that are no trouble.
    """

    def __init__(
        self,
        browser: Browser,
        width: int = DESK,
        scheme: Scheme = "light",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": HEIGHT},
            color_scheme=scheme,
            locale="en-GB",
            timezone_id="Europe/Paris",  # not UTC, which pages must say
            reduced_motion="reduce",
            extra_http_headers=headers,
        )
        self.context.set_default_timeout(15_000)
        self.page: Page = self.context.new_page()
        self.troubles: list[str] = []
        self.expected: set[int] = set()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        self.page.on("response", self._answered)

    def overflow(self) -> list[str]:
        """What makes the page scroll sideways: elements that reach over its edge."""
        return self.page.evaluate(_OVERFLOW)

    def keep(self, name: str) -> None:
        """Keep a picture of the whole page in the folder that the environment names, if any."""
        if folder := os.environ.get(PICTURES):
            written = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")
            self.page.screenshot(path=Path(folder) / f"{written}.png", full_page=True)

    def close(self) -> None:
        self.context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        # A failed load is told of by its answer, with its status.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.troubles.append(f"console at {self.page.url}: {message.text}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.troubles.append(f"{response.status} of {response.request.method} {response.url}")


# What scrolls within a box of its own may be as wide as it likes.
_OVERFLOW = """() => {
  const edge = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= edge) return [];
  const scrolls = (one) => {
    if (getComputedStyle(one).position === 'absolute') return false;
    for (let at = one.parentElement; at && at !== document.body; at = at.parentElement)
      if (getComputedStyle(at).overflowX !== 'visible') return true;
    return false;
  };
  const wide = [...document.body.querySelectorAll('*')].filter(
    (one) => one.getBoundingClientRect().right > edge + 1 && !scrolls(one));
  return [`${document.documentElement.scrollWidth} of ${edge} pixels`,
          ...wide.slice(0, 5).map((one) => one.outerHTML.slice(0, 160))];
}"""
