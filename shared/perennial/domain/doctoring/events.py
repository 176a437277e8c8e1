"""The way of an event, from landing to ingest: Eventarc's trigger and its Pub/Sub subscription."""

from __future__ import annotations

from perennial.domain.descriptor import Descriptor
from perennial.domain.doctoring.access import account
from perennial.domain.doctoring.findings import (
    DEPLOY,
    Finding,
    Look,
    compared,
    dig,
    ok,
    problem,
    unseen,
)
from perennial.domain.doctoring.values import seconds, whole

_DEFAULT_ACK_SECONDS = 10


def check_trigger(descriptor: Descriptor, look: Look) -> list[Finding]:
    """The trigger tells ingest of every object that landing finishes."""
    check = "trigger"
    if findings := unseen(check, look, role="roles/eventarc.viewer"):
        return findings
    filters = {
        str(each.get("attribute")): each.get("value")
        for each in look.document.get("eventFilters", [])
    }
    run = dig(look.document, "destination", "cloudRun")
    expected = {
        "event type": descriptor.table["events"]["type"],
        "bucket": descriptor.buckets["landing"],
        "destination": f"{descriptor.services['ingest']} in {descriptor.region}",
        "service account": account(descriptor, "trigger"),
        "subscription": descriptor.subscription,
    }
    found = {
        "event type": filters.get("type"),
        "bucket": filters.get("bucket"),
        "destination": run and f"{dig(run, 'service')} in {dig(run, 'region')}",
        "service account": look.document.get("serviceAccount"),
        "subscription": dig(look.document, "transport", "pubsub", "subscription"),
    }
    failed = [
        problem(check, "that it works", f"{name}: {dig(state, 'message') or code}", DEPLOY)
        for name, state in (look.document.get("conditions") or {}).items()
        if (code := dig(state, "code")) not in (None, "OK")
    ]
    findings = compared(check, expected, found)
    return failed + [each for each in findings if not failed or each.state != "ok"]


def check_subscription(descriptor: Descriptor, look: Look) -> list[Finding]:
    """Events are repeated as the table says, and given up into the dead letters."""
    check = "subscription"
    if findings := unseen(check, look, role="roles/pubsub.viewer"):
        return findings
    events, document = descriptor.table["events"], look.document
    letters, pauses = dig(document, "deadLetterPolicy"), dig(document, "retryPolicy")
    expected = {
        "ack deadline (s)": events["ack_deadline_seconds"],
        "first pause (s)": float(events["first_pause_seconds"]),
        "longest pause (s)": float(events["longest_pause_seconds"]),
        "dead-letter topic": descriptor.dead_letter_topic,
        "attempts": events["max_attempts"],
        "retention (s)": float(events["retention_seconds"]),
        "expiry": "never",  # by default it goes after 31 days without a message
        "caller": account(descriptor, "trigger"),
    }
    found = {
        "ack deadline (s)": whole(document.get("ackDeadlineSeconds")) or _DEFAULT_ACK_SECONDS,
        "first pause (s)": seconds(dig(pauses, "minimumBackoff")),
        "longest pause (s)": seconds(dig(pauses, "maximumBackoff")),
        "dead-letter topic": dig(letters, "deadLetterTopic"),
        "attempts": dig(letters, "maxDeliveryAttempts"),
        "retention (s)": seconds(document.get("messageRetentionDuration")),
        "expiry": dig(document, "expirationPolicy", "ttl") or "never",
        "caller": dig(document, "pushConfig", "oidcToken", "serviceAccountEmail"),
    }
    return [*_receiving(look), *compared(check, expected, found)]


def check_topic(look: Look) -> list[Finding]:
    """The dead letters have somewhere to go."""
    check = "dead letters"
    return unseen(check, look, role="roles/pubsub.viewer") or [ok(check, "the topic exists")]


def _receiving(look: Look) -> list[Finding]:
    """Whether messages reach the subscription at all; nothing when they do."""
    check = "subscription: state"
    if look.document.get("state") == "RESOURCE_ERROR":
        found = "it cannot push to ingest"
        return [problem(check, "active", found, "look at ingest's logs, then run `make deploy`")]
    if look.document.get("detached") or look.document.get("topic") == "_deleted-topic_":
        fix = "delete the trigger and run `make deploy`, which makes both anew"
        return [problem(check, "attached to its topic", "it is not, and receives nothing", fix)]
    return []
