"""The prediction log as the sink keeps it: counted by pipeline, whatever else lies in it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from perennial.domain.monitoring.requests import tally
from perennial.workflows.monitoring.logs import Logs

from .conftest import answer


def lines(world) -> list[bytes]:
    return [
        line
        for info in world.predictions.list()
        for line in world.predictions.read(info.name).data.splitlines()
    ]


def test_instances_features_keys_and_predictions_are_counted(world):
    world.ask([{"id": "a", "amount": 3.5, "channel": "web"}], [answer(28)], holdout=True)
    world.ask([{"id": "b", "amount": None}, {"id": "c", "amount": "4"}], [answer(8)] * 2)
    counted = tally(lines(world), world.clock.now() - timedelta(hours=1), {"shop"})["shop"]
    assert (counted.requests, counted.rows, dict(counted.versions)) == (2, 3, {"v000001": 3})
    assert counted.features == {"amount": [3.5, None, "4"], "channel": ["web"]}
    assert {key: one.holdout for key, one in counted.keyed.items()} == {
        ("a",): True, ("b",): False, ("c",): False,
    }  # fmt: skip
    assert len(counted.distinct) == 3


def test_lines_of_others_and_lines_that_are_none_count_nothing(world):
    world.ask([{"id": "a", "amount": 1}], [answer(28)])
    [line] = lines(world)
    other = json.loads(line)
    other["jsonPayload"]["pipeline"] = "nobody"
    odd = [b"", b"{", b"[]", b"7", b'{"jsonPayload": 7, "timestamp": "x"}', line[:-9]]
    broken = json.loads(line)
    broken["jsonPayload"]["instances"] = [7, {"digest": "x"}, {"prediction": 1, "features": 7}]
    since = world.clock.now() - timedelta(hours=1)
    assert tally([*odd, json.dumps(other).encode()], since, {"shop"}) == {}
    assert tally([json.dumps(broken).encode()], since, {"shop"})["shop"].rows == 1
    assert tally([line], world.clock.now() + timedelta(seconds=1), {"shop"}) == {}


def test_failed_look_ups_are_kept_by_the_sink_and_found_within_the_hour(world):
    failure = {
        "severity": "ERROR", "time": world.clock.now().isoformat(), "message": "the look-up failed",
        "logger": "perennial.workflows.serving.pipeline", "pipeline": "shop",
        "failed_lookup": "DigestMismatch",
    }  # fmt: skip
    for number in range(11):
        assert world.look().findings == (), number
        world.log(json.dumps(failure).encode() + b"\n")
    world.wait(minutes=1)
    [finding] = world.look().findings
    assert finding.kind == "look_ups_failing"
    assert "11 times" in finding.summary
    assert "DigestMismatch" in finding.summary
    world.wait(hours=4)
    assert world.look().findings == ()


def test_the_newest_objects_are_read_as_far_as_a_look_bears(world):
    for number in range(6):
        world.wait(hours=1)
        world.ask([{"id": str(number), "amount": number}], [answer(20)])
    size = max(info.size for info in world.predictions.list())
    now = world.clock.now()
    logs = Logs(world.predictions, now - timedelta(hours=24), now, {"shop"}, 2 * size)
    assert logs.partial
    assert logs.tallies["shop"].features["amount"] == [4, 5]
    whole = Logs(world.predictions, now - timedelta(hours=3), now, {"shop"})
    assert not whole.partial
    assert whole.tallies["shop"].features["amount"] == [2, 3, 4, 5]


@pytest.fixture
def served(world, visits):
    """Eight days of files, of which the model is asked about, too."""
    for number in range(8):
        world.wait(hours=24)
        world.drop(visits(number))
        world.run()
        world.ask_about(visits(f"asked{number}", 120))
        world.look()
    assert world.opened() == []
    return world


def test_predictions_that_move_though_requests_do_not_are_prediction_drift(served, visits):
    served.wait(hours=24)
    served.ask_about(visits("asked", 200), shift=0.45)
    served.look()
    assert served.opened() == [("prediction_drift", "")]
    [row] = [one for one in served.look().features if one.part == "prediction"]
    assert row.drift.verdict == "beyond"


def test_predictions_that_stay_otherwise_for_a_week_are_what_is_usual(served, visits):
    for number in range(10):
        served.wait(hours=24)
        served.ask_about(visits(f"then{number}", 200), shift=0.45)
        served.drop(visits(100 + number))
        served.run()
        served.look()
    assert [(change.what, change.finding.kind) for _, change in served.told] == [
        ("opened", "prediction_drift"), ("closed", "prediction_drift"),
    ]  # fmt: skip


def test_few_instances_sent_often_say_nothing(served):
    served.wait(hours=25)
    one = {"id": "a", "amount": 4000.0}
    served.ask([one] * 40, [answer(39.2)] * 40)
    served.ask([one] * 40, [answer(39.2)] * 40)
    watch = served.look()
    [amount] = [feature for feature in watch.features if feature.name == "amount"]
    assert amount.skew.verdict == "too_few"
    assert ("serving_skew", "amount") not in served.opened()


def test_values_that_were_never_learned_are_skew_of_their_column(served, visits):
    served.wait(hours=24)
    shouted = {"MAIL": 0.3, "SHOP": 0.4, "WEB": 0.2, "RADIO": 0.1}
    served.ask_about(visits("odd", 200, channels=shouted))
    served.look()
    assert served.opened() == [("serving_skew", "channel")]
    assert "'SHOP'" in served.told[0][1].finding.summary
