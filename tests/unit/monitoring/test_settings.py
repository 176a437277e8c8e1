"""The README says what the `monitoring` section says, and names every kind of finding."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from perennial.domain.monitoring.findings import KINDS
from perennial.domain.monitoring.settings import Monitoring

README = Path(__file__).parents[3] / "README.md"
SECTION = README.read_text().split("## Watching", 1)[1].split("\n## ", 1)[0]


def test_the_readme_has_every_key_with_its_default() -> None:
    text = re.search(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
    assert text is not None
    given = yaml.safe_load(text[1])["monitoring"]
    assert given.keys() == Monitoring.model_fields.keys()
    assert Monitoring(**given) == Monitoring()


def test_the_readme_has_every_kind_of_finding_once() -> None:
    rows = [line for line in SECTION.splitlines() if line.startswith("| `")]
    named = [kind for row in rows for kind in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(named) == sorted(KINDS)
