"""The subscription that Eventarc makes for its trigger, and what Eventarc does not set on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.deploying.google import Google

NEVER: dict[str, Any] = {}
"""The expiration policy of a subscription that stays however long nothing arrives."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of the subscription that differs from what it should be.

    Attributes:
        field: as the API calls it.
        is_now: its value; None when it is not set.
        should_be: the value to set.
    """

    field: str
    is_now: Any
    should_be: Any

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.field}: {_told(self.is_now)} → {_told(self.should_be)}"


def wanted_settings(events: Mapping[str, Any], dead_letter_topic: str) -> dict[str, Any]:
    """What infra/deployment.yaml's `events` mean on a subscription.

    By default a subscription is deleted after 31 days without a message, and with it the way from
    landing to ingest. Retention (at most 31 days) only bounds how long one message waits.

    Args:
        events: the table's entry.
        dead_letter_topic: its full name.
    """
    return {
        "ackDeadlineSeconds": events["ack_deadline_seconds"],
        "retryPolicy": {
            "minimumBackoff": f"{events['first_pause_seconds']}s",
            "maximumBackoff": f"{events['longest_pause_seconds']}s",
        },
        "deadLetterPolicy": {
            "deadLetterTopic": dead_letter_topic,
            "maxDeliveryAttempts": events["max_attempts"],
        },
        "messageRetentionDuration": f"{events['retention_seconds']}s",
        "expirationPolicy": NEVER,
    }


def tune(google: Google, subscription: str, settings: Mapping[str, Any]) -> tuple[Setting, ...]:
    """Set what differs, and nothing when nothing does; return what was set.

    Args:
        google: the APIs.
        subscription: its full name.
        settings: from `wanted_settings`.

    Raises:
        DeployError: when it cannot be read or changed.
    """
    found = google.call(f"read {subscription}", "GET", "pubsub", f"v1/{subscription}")
    changes = differences(found, settings)
    if changes:
        google.call(
            f"set up {subscription}",
            "PATCH",
            "pubsub",
            f"v1/{subscription}",
            {
                "subscription": {
                    "name": subscription,
                    **{change.field: change.should_be for change in changes},
                },
                "updateMask": ",".join(change.field for change in changes),
            },
        )
    return changes


def differences(found: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[Setting, ...]:
    """The fields whose values are not yet as they should be."""
    return tuple(
        Setting(name, found.get(name), value)
        for name, value in settings.items()
        if _normal(_held(found, name, value)) != _normal(value)
    )


def _held(found: Mapping[str, Any], name: str, value: Any) -> Any:
    """An answer leaves out what is empty."""
    return found.get(name) or NEVER if isinstance(value, Mapping) else found.get(name)


def _normal(value: Any) -> Any:
    """Durations as seconds: the API may answer `10s` or `10.000s`."""
    if isinstance(value, Mapping):
        return {name: _normal(part) for name, part in value.items()}
    if isinstance(value, str) and value.endswith("s") and value[:-1].replace(".", "", 1).isdigit():
        return float(value[:-1])
    return value


def _told(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {part}" for name, part in value.items()) or "never"
    return str(value)
