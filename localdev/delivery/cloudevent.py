"""An event as an HTTP request: CloudEvents 1.0, binary content mode."""

from __future__ import annotations

from urllib.parse import quote

from localdev.delivery.outbox import Event

# Visible ASCII without the double quote and the percent sign, which the HTTP protocol binding of
# CloudEvents encodes in header values, together with spaces and everything that is not ASCII.
_LITERAL = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


def headers(event: Event) -> dict[str, str]:
    """The request's headers, as Eventarc sends them for Cloud Storage."""
    attributes = {
        "id": event.event_id,
        "source": f"//storage.googleapis.com/projects/_/buckets/{event.bucket}",
        "specversion": "1.0",
        "type": event.type,
        "time": event.time,
        "subject": f"objects/{event.name}",
        "bucket": event.bucket,
    }
    encoded = {f"ce-{name}": quote(value, safe=_LITERAL) for name, value in attributes.items()}
    return encoded | {"content-type": "application/json"}
