"""The real browser that tests drive: Debian's Chromium, or another that is named."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

NAMED = "PERENNIAL_CHROMIUM"
_USUAL = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> Path:
    """The program; skips where there is none, and fails in CI, which must have one."""
    named = os.environ.get(NAMED)
    found = named or next(filter(None, map(shutil.which, _USUAL)), None)
    if found and Path(found).exists():
        return Path(found)
    missing = (
        f"expected Chromium on the PATH or named by {NAMED}, found {named or 'none'}: "
        "`make chromium` installs Debian's"
    )
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser without a window, ended with all that it started."""
    # Chromium's own sandbox refuses to work for root, as which containers run.
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        yield browser
        browser.close()
