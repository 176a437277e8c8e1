"""Where the console's pages are."""

from __future__ import annotations

import re

import requests

from tests.browser.shop import AUTOMATIC, MANUAL, PAGE, TYPO, Shop

TABS = (
    "Versions", "Files", "Quarantine", "Findings", "Runs", "Replay", "History", "Overview",
)  # fmt: skip

READ = (
    "/",
    f"/p/{AUTOMATIC}",
    f"/p/{MANUAL}",
    f"/p/{AUTOMATIC}/versions",
    f"/p/{AUTOMATIC}/versions/v000002",
    f"/p/{AUTOMATIC}/compare",
    f"/p/{AUTOMATIC}/files",
    f"/p/{AUTOMATIC}/files?q=nothing+like+this",
    f"/p/{AUTOMATIC}/files/{{visits-2025-07-01.csv}}",
    f"/p/{AUTOMATIC}/files/{{{TYPO}}}",
    f"/p/{AUTOMATIC}/files/{{{PAGE}}}",
    f"/p/{AUTOMATIC}/quarantine",
    f"/p/{MANUAL}/quarantine",
    f"/p/{AUTOMATIC}/findings",
    f"/p/{AUTOMATIC}/runs",
    f"/p/{AUTOMATIC}/replay",
    f"/p/{MANUAL}/replay",
    f"/p/{AUTOMATIC}/history",
    "/p/_unknown/quarantine",
)
"""What everybody may look at. In braces the name of a file, which stands for its address."""

ASKING = (
    f"/p/{AUTOMATIC}/do/retrain",
    f"/p/{AUTOMATIC}/do/rollback?subject=v000001",
    f"/p/{AUTOMATIC}/do/repair?subject={{{TYPO}}}&fix=drop-bad-rows",
)
"""Where operators are asked for a reason."""

MISSING = ("/p/shopp", f"/p/{AUTOMATIC}/versions/v999999")

PAGES = (*READ, *ASKING, *MISSING)


def address(shop: Shop, path: str) -> str:
    """The address of one of `PAGES`."""

    def stem(named: re.Match[str]) -> str:
        listed = requests.get(
            shop.address(f"/p/{AUTOMATIC}/files"), params={"q": named[1]}, timeout=30
        )
        [found] = set(re.findall(rf"/p/{AUTOMATIC}/files/([^\"]+)\"", listed.text))
        return found

    return shop.address(re.sub(r"\{(.+?)\}", stem, path))
