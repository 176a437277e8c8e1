"""What Eventarc leaves unset on its subscription is set, once."""

from __future__ import annotations

from typing import Any

import pytest

from infra.deploying.errors import Refused
from infra.deploying.subscription import differences, tune, wanted_settings
from infra.deploying.wanted import Wanted
from tests.unit.infra.google_apis import PROJECT, REGION, SUBSCRIPTION, TOPIC, Apis


@pytest.fixture
def settings() -> dict[str, Any]:
    """Those of the table that is deployed."""
    return wanted_settings(Wanted(PROJECT, REGION).table()["events"], TOPIC)


def test_what_differs_is_set_and_told(apis: Apis, settings: dict[str, Any]) -> None:
    changes = tune(apis.google, SUBSCRIPTION, settings)

    assert [str(change) for change in changes] == [
        "ackDeadlineSeconds: 10 → 600",
        f"deadLetterPolicy: not set → deadLetterTopic {TOPIC}, maxDeliveryAttempts 10",
        "messageRetentionDuration: 86400s → 604800s",
        "expirationPolicy: ttl 2678400s → never",
    ]
    (body,) = apis.bodies
    assert body["updateMask"] == (
        "ackDeadlineSeconds,deadLetterPolicy,messageRetentionDuration,expirationPolicy"
    )
    assert apis.subscription["retryPolicy"] == settings["retryPolicy"]


def test_a_second_call_changes_nothing(apis: Apis, settings: dict[str, Any]) -> None:
    tune(apis.google, SUBSCRIPTION, settings)
    apis.calls.clear()

    assert tune(apis.google, SUBSCRIPTION, settings) == ()
    assert apis.asked("PATCH") == []


@pytest.mark.parametrize(
    "answered",
    [
        {"retryPolicy": {"minimumBackoff": "10.000s", "maximumBackoff": "600.0s"}},
        {"expirationPolicy": {}},
    ],
)
def test_the_same_in_other_words_is_the_same(
    settings: dict[str, Any], answered: dict[str, Any]
) -> None:
    assert differences({**settings, **answered}, settings) == ()


def test_an_answer_without_an_expiration_never_expires(settings: dict[str, Any]) -> None:
    found = {name: value for name, value in settings.items() if name != "expirationPolicy"}
    assert differences(found, settings) == ()


def test_another_dead_letter_topic_is_replaced(settings: dict[str, Any]) -> None:
    other = {"deadLetterTopic": f"{TOPIC}-2", "maxDeliveryAttempts": 10}
    (change,) = differences({**settings, "deadLetterPolicy": other}, settings)
    assert change.field == "deadLetterPolicy"


def test_a_subscription_that_is_not_there_is_told(apis: Apis, settings: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"could not read projects/garden-1/subscriptions/gone: 404"):
        tune(apis.google, f"projects/{PROJECT}/subscriptions/gone", settings)
