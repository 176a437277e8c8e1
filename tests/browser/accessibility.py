"""Faults that axe-core finds in a page as it is shown."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

GRAVE = ("serious", "critical")


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text()


def grave_faults(page: Page) -> list[str]:
    """Serious and critical faults, each with the first elements that have it.

    The script is evaluated by the debugger, so a page's security policy need not allow it.
    """
    page.evaluate(_axe())
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    assert found["testEngine"]["name"] == "axe-core"
    assert found["passes"], "axe-core looked at nothing"
    return [
        f"{fault['impact']} {fault['id']}: {fault['help']}: "
        + "; ".join(node["html"][:200] for node in fault["nodes"][:3])
        for fault in found["violations"]
        if fault["impact"] in GRAVE
    ]
