"""The flower shop in a local cloud, as an operator finds it on a morning with some work to do."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.conftest import REPOSITORY, LocalCloud

DEFINITION = REPOSITORY / "localdev" / "demo" / "shop.yaml"

AUTOMATIC, MANUAL = "shop", "boutique"
"""Pipelines: in the first, versions serve when they pass; in the second, when they are approved."""

TYPO, WEDDING, PAGE = "typo.csv", "wedding.csv", "visits-2025-10-14.csv"
"""Bad files of the first: one cell that is no number, a basket beyond its range that is right, and
an HTML page."""


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop.

    Attributes:
        cloud: the local cloud.
        visits: a folder with every file of visits, those that are not dropped yet among them.
    """

    cloud: LocalCloud
    visits: Path

    @property
    def replay(self) -> Path:
        """The report of the replay that was kept."""
        return self.visits.parent / "replay.html"

    def weeks(self, *patterns: str) -> list[str]:
        """Paths of weekly files, in their order."""
        found = {path for pattern in patterns for path in self.visits.glob(f"visits-{pattern}.csv")}
        return sorted(map(str, found))

    def address(self, path: str = "/") -> str:
        """Where a page of the console is."""
        return f"{self.cloud.endpoints['console'].rstrip('/')}{path}"


def open_shop(folder: Path) -> Shop:
    """Start a local cloud, and let it have learned, quarantined and left to decide what it must."""
    shop = Shop(LocalCloud(folder / "cloud"), folder / "visits")
    files = [sys.executable, "-m", "localdev.demo.files", str(shop.visits)]
    subprocess.run(files, check=True, capture_output=True, cwd=REPOSITORY)
    shop.cloud.up()
    with ThreadPoolExecutor(2) as both:
        for done in [both.submit(fill, shop) for fill in (_fill_automatic, _fill_manual)]:
            done.result()
    return shop


def _fill_automatic(shop: Shop) -> None:
    cloud = shop.cloud
    cloud.run("apply", str(DEFINITION))
    cloud.run("drop", AUTOMATIC, *shop.weeks("2025-07-*", "2025-08-*"), "--backfill", "--wait")
    bad = [
        _spoiled(shop, TYPO, "2025-10-21", {"pages": "lots"}),
        _spoiled(shop, WEDDING, "2025-10-28", {"basket_eur": "640"}),
        shop.visits / PAGE,
    ]
    weeks = shop.weeks("2025-09-*")
    cloud.run("drop", AUTOMATIC, *weeks, *map(str, bad), "--wait", check=False)
    versions = cloud.json("versions", AUTOMATIC)["versions"]
    assert len(versions) >= 2, versions
    short = ["--first", "4", "--every", "1", "--window", "4", "--jobs", "1"]
    kept = ["--keep", "--html", str(shop.replay), "--cache", str(shop.visits.parent / "cache")]
    cloud.run("replay", AUTOMATIC, *short, *kept)
    assert cloud.json("monitor", AUTOMATIC)["findings"], "the crowd of September is another"


def _fill_manual(shop: Shop) -> None:
    text = DEFINITION.read_text()
    for old, new in (("name: shop", f"name: {MANUAL}"), ("mode: automatic", "mode: manual")):
        assert old in text
        text = text.replace(old, new)
    definition = shop.visits.parent / f"{MANUAL}.yaml"
    definition.write_text(text)
    shop.cloud.run("apply", str(definition))
    shop.cloud.run("drop", MANUAL, *shop.weeks("2025-07-*")[:4], "--backfill", "--wait")


def _spoiled(shop: Shop, name: str, week: str, spoil: dict[str, str]) -> Path:
    """A good week under another name, with its ninth line spoiled."""
    [good] = shop.weeks(week)
    lines = Path(good).read_text().splitlines()
    cells = dict(zip(lines[0].split(","), lines[8].split(","), strict=True))
    lines[8] = ",".join((cells | spoil).values())
    path = shop.visits.parent / name
    path.write_text("\n".join(lines) + "\n")
    return path
