"""The HTML report: complete in itself, and safe whatever files are called."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from perennial.domain.replaying.report import to_html
from perennial.domain.replaying.svg import Axis
from perennial.wiring.replay import run

from .conftest import plan_of, pumps, source_of

HOSTILE = "<script>alert('1')</script>\"&.csv"


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    files = pumps(16, turn=0.1)
    files = [(f"{name[:-4]}{HOSTILE}", data) for name, data in files]
    source = source_of([*files, (f"bad{HOSTILE}", b"x,y\n1,2\n")])
    plan = plan_of(source, first=4, cadences=[1], windows=[4])
    return run(
        source, plan, cache=tmp_path_factory.mktemp("cache"), jobs=1, progress=lambda _: None
    )


@pytest.fixture(scope="module")
def page(document) -> str:
    return to_html(document)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict]] = []

    def handle_starttag(self, tag, attributes) -> None:
        self.seen.append((tag, dict(attributes)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes) -> None:
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag


def tags(page: str) -> list[tuple[str, dict]]:
    parser = _Tags()
    parser.feed(page)
    assert parser.open == []
    return parser.seen


def test_names_of_files_are_shown_and_never_run(page: str) -> None:
    assert "script" not in {tag for tag, _ in tags(page)}
    assert "day004&lt;script&gt;" in page
    assert "bad&lt;script&gt;" in page


def test_it_loads_nothing(page: str) -> None:
    for tag, attributes in tags(page):
        assert tag not in {"link", "img", "iframe", "object", "embed"}
        assert not {"src", "href", "srcset"} & attributes.keys()
    assert "url(" not in page
    assert "@import" not in page
    assert "://" not in page
    (policy,) = (a for tag, a in tags(page) if tag == "meta" and "http-equiv" in a)
    assert policy["content"].startswith("default-src 'none';")


def test_every_chart_has_named_axes_numbers_under_the_mouse_and_a_table_behind_it(
    page: str,
) -> None:
    parts = re.split(r'<svg class="desk" ', page)[1:]

    assert len(parts) == 4
    for part in parts:
        desk, phone, rest = part.split("</svg>", 2)
        assert phone.startswith('<svg class="phone" ')
        for chart in (desk, phone):
            assert 'aria-label="' in chart
            assert "mae" in chart
            assert "<title>" in chart
        assert rest.startswith("\n<details>")
    assert "mae, in flow" in page
    assert "in files" in page
    assert "in seconds" in page


def test_a_phone_sees_charts_of_its_own_width(page: str) -> None:
    """Text that shrinks with a chart cannot be read."""
    widths = {
        attributes["class"]: int(attributes["viewbox"].split()[2])
        for tag, attributes in tags(page)
        if tag == "svg"
    }
    assert widths["phone"] <= 390 < widths["desk"]
    assert "svg.phone { display: none; }" in page
    assert re.search(r"max-width: \S+\) \{ svg\.desk \{ display: none", page)


def test_gates_have_a_verdict_each(page: str, document) -> None:
    assert [one["promotion"] for one in document["gates"]] == ["duel", "duel+probation"]
    for one in document["gates"]:
        shown = f"<td>{one['loss']:.4g}</td><td>{one['difference']:+.1%}</td>"
        assert f"<td>{one['promotion'].replace('+', ' and ')}</td>{shown}" in page


def test_it_is_drawn_for_light_and_for_dark(page: str) -> None:
    assert "prefers-color-scheme: dark" in page
    assert not re.search(r"(?:fill|stroke)=", page)  # colours come from the style alone


def test_the_numbers_are_those_of_the_document(page: str, document) -> None:
    for one in document["policies"]:
        assert f"<td>{one['policy']}</td><td>{one['loss']:.4g}</td>" in page


def test_an_interval_that_is_cut_off_has_no_end_there(document) -> None:
    wide = {**document["policies"][0], "low": 0.0, "high": 40.0}
    page = to_html({**document, "policies": [wide, *document["policies"][1:]]})

    ends = re.findall(r'<path class="whisker" d="([^"]+)"', page)
    assert min(path.count("V") for path in ends) == 1
    assert max(path.count("V") for path in ends) == 2


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 95.5), (-0.4, 1.7), (3, 3), (0, 1e-9)])
def test_ticks_are_few_round_and_within_the_axis(low: float, high: float) -> None:
    ticks = Axis("x", low, high, str).ticks()

    assert len(ticks) <= 12
    assert all(low - 1e-6 <= tick <= max(high, low + 1) + 1e-6 for tick in ticks)


def test_nothing_is_drawn_outside_of_a_chart(page: str) -> None:
    for tag, attributes in tags(page):
        if tag == "svg":
            width, height = map(float, attributes["viewbox"].split()[2:])
        places = re.findall(r"[-\d.]+", attributes.get("points", ""))
        across = [
            *places[::2],
            *(attributes[n] for n in ("x", "x1", "x2", "cx") if n in attributes),
        ]
        down = [*places[1::2], *(attributes[n] for n in ("y", "y1", "y2", "cy") if n in attributes)]
        assert all(0 <= float(one) <= width for one in across)
        assert all(0 <= float(one) <= height for one in down)
