"""A real browser, shared by all tests of a process; a page that went wrong fails its test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import launched
from tests.browser.watched import DESK, Scheme, Watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

OpenPage = Callable[..., Watched]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For a module and no longer: while it lives an event loop runs, which other tests need."""
    with launched() as one:
        yield one


@pytest.fixture
def open_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[OpenPage]:
    """Opens watched pages; at the end none of them may have had trouble."""
    opened: list[Watched] = []

    def open_one(
        url: str,
        *,
        width: int = DESK,
        scheme: Scheme = "light",
        headers: dict[str, str] | None = None,
        refused: tuple[int, ...] = (),
    ) -> Watched:
        watched = Watched(browser, width, scheme, headers)
        watched.expected.update(refused)
        opened.append(watched)
        watched.page.goto(url)
        return watched

    yield open_one
    for number, one in enumerate(opened):
        one.keep(f"{request.node.name} {number}")
        one.close()
    assert [trouble for one in opened for trouble in one.troubles] == []
