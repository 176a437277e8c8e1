"""Charts: what they draw, what they say, and that nothing breaks them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.domain.charts.axes import CountAxis
from perennial.domain.charts.bars import MOST_BARS, Bar, bar_chart
from perennial.domain.charts.lines import MOST_POINTS, Point, Series, line_chart
from perennial.domain.charts.marks import Mark
from perennial.domain.charts.numbers import NumberAxis, said
from perennial.domain.charts.sparkline import sparkline
from perennial.domain.charts.style import STYLE
from perennial.domain.charts.text import NARROW, WIDE, Label, fitting
from perennial.domain.charts.thinning import thinned
from perennial.domain.charts.times import TimeAxis
from tests.unit.charts.pictures import assert_inside, drawn, every, hints, texts

START = datetime(2012, 10, 1, tzinfo=UTC)
WEEK = timedelta(days=7)

any_text = st.text(st.characters(), max_size=40)
any_number = st.floats(allow_nan=True, allow_infinity=True)
any_time = st.datetimes(timezones=st.just(UTC))
any_points = st.lists(st.builds(Point, any_time, any_number, any_text), max_size=30)
any_series = st.lists(st.builds(Series, any_text, any_points), min_size=1, max_size=6)
any_marks = st.lists(st.builds(Mark, any_time, any_text, any_text), max_size=30)


def weekly(*values: float, name: str = "") -> Series:
    return Series(name, [Point(START + WEEK * n, value) for n, value in enumerate(values)])


@given(any_series, any_marks, any_text, st.booleans())
def test_a_line_chart_is_well_formed_and_within_its_picture_whatever_it_shows(
    series: list[Series], marks: list[Mark], title: str, from_zero: bool
) -> None:
    chart = line_chart(title, title, series, marks, from_zero=from_zero)
    root = drawn(chart.svg)
    assert_inside(root)
    assert root.get("role") == "img"
    assert all(len(row) == len(chart.table.headers) for row in chart.table.rows)
    assert "style=" not in chart.svg.replace(title, "")


@given(st.lists(st.builds(Bar, any_text, any_number, st.none() | any_number, told=any_text)))
def test_a_bar_chart_is_well_formed_and_within_its_picture_whatever_it_shows(
    bars: list[Bar],
) -> None:
    chart = bar_chart("Drift", "distance", bars)
    root = drawn(chart.svg)
    assert_inside(root)
    assert all(0 <= float(one.get("width", "")[:-1]) <= 100 for one in every(root, "rect", "bar"))
    assert len(chart.table.rows) == len(bars)


@given(st.lists(any_number, max_size=300))
def test_a_sparkline_is_well_formed_whatever_it_shows(values: list[float]) -> None:
    root = drawn(sparkline("Score", values))
    assert_inside(root)
    assert len(every(root, "circle")) == any(map(math.isfinite, values))


def test_each_point_is_drawn_at_its_place_and_says_its_time_and_value() -> None:
    root = drawn(line_chart("Score", "MAE", [weekly(10.0, 20.0, 30.0)]).svg)
    dots = every(root, "circle")
    assert [one.get("cx") for one in dots] == ["0%", "50%", "100%"]
    downs = [float(one.get("cy", "")) for one in dots]
    assert downs[0] - downs[1] == pytest.approx(downs[1] - downs[2])
    assert downs[0] > downs[2]
    assert hints(root)[0] == "2012-10-01 00:00\n10"


def test_a_line_breaks_where_nothing_is_known() -> None:
    root = drawn(line_chart("Score", "MAE", [weekly(1.0, 2.0, math.nan, 3.0, 4.0)]).svg)
    (path,) = every(root, "path")
    assert (path.get("d", "").count("M"), path.get("d", "").count("L")) == (2, 2)
    assert len(every(root, "circle")) == 4


@pytest.mark.parametrize("values", [(), (math.nan,), (5.0,), (0.0, 0.0), (7.0, 7.0, 7.0)])
def test_few_or_constant_values_give_a_readable_chart(values: tuple[float, ...]) -> None:
    root = drawn(line_chart("Score", "MAE", [weekly(*values)]).svg)
    assert_inside(root)
    known = [value for value in values if not math.isnan(value)]
    assert len(every(root, "circle")) == len(known)
    assert ("Nothing to show yet" in texts(root)) == (not known)
    for group in every(root, "g", "wide"):
        group.clear()
    assert len(set(texts(root))) == len(texts(root)), "no label comes twice on a phone"


def test_what_users_wrote_is_escaped() -> None:
    evil = '<script>alert("1")</script>&'
    series = [Series(evil, [Point(START, 1.0, evil)]), weekly(2.0, name=evil)]
    chart = line_chart(evil, evil, series, [Mark(START, evil, evil)])
    bars = bar_chart(evil, evil, [Bar(evil, 1.0, 2.0, told=evil)])
    for svg in (chart.svg, bars.svg, sparkline(evil, [1.0])):
        assert "<script" not in svg
        drawn(svg)
    assert evil in chart.table.rows[0][-1], "a table's cells are escaped by who writes the page"
    assert chart.__html__() == chart.svg


def test_a_thousand_versions_and_ten_thousand_files_stay_small_and_lose_no_peak() -> None:
    values = [math.sin(n / 300) for n in range(10_000)]
    values[4321] = 9.0
    hour = timedelta(hours=1)
    points = [Point(START + hour * n, value) for n, value in enumerate(values)]
    marks = [Mark(START + 10 * hour * n, f"v{n}") for n in range(1000)]
    chart = line_chart("Score", "MAE", [Series("", points)], marks)
    root = drawn(chart.svg)
    assert MOST_POINTS / 2 <= len(every(root, "circle")) <= MOST_POINTS
    assert any(hint.endswith("\n9") for hint in hints(root))
    assert len(chart.svg) < 120_000
    assert "9,6" in chart.table.note
    assert "lowest and its highest" in every(root, "desc")[0].text  # type: ignore[operator]
    assert any("7 from v" in hint for hint in hints(root)), "marks too close are one, and say so"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=300), st.integers(2, 40), st.randoms())
def test_thinning_keeps_order_and_extremes(places: list[float], most: int, random: Random) -> None:
    places.sort()
    values = [random.choice([math.nan, random.random()]) for _ in places]
    kept = thinned(places, values, most)
    assert kept == sorted(set(kept))
    assert len(kept) <= max(most, 2)
    known = [value for value in values if math.isfinite(value)]
    if known:
        chosen = [values[index] for index in kept if math.isfinite(values[index])]
        assert (min(chosen), max(chosen)) == (min(known), max(known))


@given(st.lists(st.builds(Label, st.floats(0, 1), any_text)), st.sampled_from([NARROW, WIDE]))
def test_labels_that_fit_do_not_overlap(labels: list[Label], width: int) -> None:
    spans = sorted(label.span(width) for label in fitting(labels, width))
    assert all(end < start for (_, end), (start, _) in pairwise(spans))


@given(any_time, any_time, st.integers(2, 10))
def test_ticks_of_time_lie_on_the_axis_in_order_and_are_not_too_many(
    one: datetime, other: datetime, most: int
) -> None:
    ticks = TimeAxis.around([one, other]).ticks(most)
    places = [place for place, _ in ticks]
    assert places == sorted(places)
    assert len(places) <= most
    assert all(0 <= place <= 1 for place in places)


@pytest.mark.parametrize(
    ("span", "labels"),
    [
        (timedelta(seconds=50), ["00:00:00", "00:00:15", "00:00:30", "00:00:45"]),
        (timedelta(minutes=50), ["00:00", "00:15", "00:30", "00:45"]),
        (timedelta(hours=20), ["00:00", "06:00", "12:00", "18:00"]),
        (timedelta(days=5), ["1 Oct", "3 Oct", "5 Oct"]),
        (timedelta(days=70), ["Oct", "Nov", "Dec"]),
        (timedelta(days=500), ["Jan 2013", "Jul 2013", "Jan 2014"]),
        (timedelta(days=2000), ["2014", "2016", "2018"]),
    ],
)
def test_ticks_of_time_are_where_calendars_are_round(span: timedelta, labels: list[str]) -> None:
    axis = TimeAxis(START, START + span)
    assert [label for _, label in axis.ticks(4)] == labels


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20), st.booleans())
def test_ticks_of_numbers_are_few_and_lie_on_an_axis_that_holds_all_values(
    values: list[float], zero: bool
) -> None:
    axis = NumberAxis.around(values, zero=zero)
    assert axis.low < axis.high
    assert all(axis.low <= value <= axis.high for value in values)
    assert 1 <= len(axis.ticks(5)) <= 6
    if zero:
        assert axis.low <= 0 <= axis.high


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0"), (0.00012, "0.00012"), (0.00001234, "1.2e-5"), (34.7, "34.7"), (1234.0, "1234"),
     (12_345.0, "12,345"), (1_234_567.0, "1.235M"), (2e15, "2.0e15"), (-3.5, "-3.5"),
     (math.inf, "–")],
)  # fmt: skip
def test_numbers_are_written_short(value: float, expected: str) -> None:
    assert said(value) == expected


def test_bars_beyond_their_limit_say_so_without_colour() -> None:
    chart = bar_chart("Drift", "distance", [Bar("amount", 0.3, 0.2), Bar("visits", 0.1, 0.2)])
    root = drawn(chart.svg)
    assert texts(root, "value") == ["0.3 ▲", "0.1"]
    assert len(every(root, "line", "limit")) == 2
    assert [one.get("class") for one in every(root, "rect", "bar")] == ["bar bad", "bar"]
    assert "1 of 2 above their limits" in every(root, "desc")[0].text  # type: ignore[operator]
    assert chart.table.headers == ("name", "distance", "limit", "what")


def test_a_chart_draws_its_first_bars_and_its_table_holds_all() -> None:
    chart = bar_chart("Runs", "seconds", [Bar(f"run {n}", n) for n in range(500)])
    assert len(every(drawn(chart.svg), "rect", "bar")) == MOST_BARS
    assert len(chart.table.rows) == 500


def test_every_class_that_charts_use_has_its_style() -> None:
    mark = [Mark(START, "v1")]
    long = [Point(START + WEEK * n, n) for n in range(100)]
    pictures = [
        line_chart("a", "b", [weekly(1.0, 2.0, name=str(n)) for n in range(4)], mark).svg,
        line_chart("a", "b", [Series("", long)]).svg,
        bar_chart("a", "b", [Bar("x", 2.0, 1.0), Bar("y", 1.0, tone="good")]).svg,
        sparkline("a", [1.0, 2.0]),
    ]
    used = {
        css
        for svg in pictures
        for one in drawn(svg).iter()
        for css in (one.get("class") or "").split()
    }
    unstyled = {css for css in used if f".{css}" not in STYLE}
    assert unstyled <= {"value"}


def test_things_that_are_counted_have_an_axis_of_whole_numbers() -> None:
    points = [Point(number, float(number), f"{number}.csv") for number in range(1, 80)]
    chart = line_chart("Files", "MAE", [Series("", points)], counts="scored file")
    shown = texts(drawn(chart.svg))
    assert "scored file 1 to 79" in shown
    assert {"20", "40", "60"} <= set(shown)
    assert chart.table.headers == ("scored file", "MAE", "what")
    assert chart.table.rows[10] == ("11", "11", "11.csv")


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(2, 10))
def test_ticks_of_counts_are_few_whole_and_in_order(one: int, other: int, most: int) -> None:
    ticks = CountAxis.around([one, other], "file").ticks(most)
    places = [place for place, _ in ticks]
    assert places == sorted(set(places))
    assert len(ticks) <= most
    assert all(0 <= place <= 1 for place in places)


def test_an_interval_is_an_area_around_its_line_and_fits_the_picture() -> None:
    band = [(0, -5.0, 5.0), (1, 1.0, math.nan), (2, 3.0, 40.0)]
    series = Series("", [Point(age, 10.0 * age) for age in range(3)], band)
    root = drawn(line_chart("Ageing", "%", [series], counts="age").svg)
    assert_inside(root)
    (area,) = every(root, "path", "band")
    assert area.get("d", "").endswith("Z")
    assert area.get("d", "").count("L") == 3, "four corners: the unknown one is left out"


def test_a_long_name_of_a_bar_is_shorter_on_a_phone_only() -> None:
    root = drawn(
        bar_chart("Policies", "loss", [Bar("every 13 files, last 26 files, duel", 1.0)]).svg
    )
    assert texts(root, "narrow") == ["every 13 files, last 26 fil…"]
    assert texts(root, "wide") == ["every 13 files, last 26 files, duel"]
