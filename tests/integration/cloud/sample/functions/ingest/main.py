"""Notes every event; fails, while a file says so, on names that ask for it."""

import os
from pathlib import Path

import functions_framework
from cloudevents.http import CloudEvent
from perennial.notebook import note


@functions_framework.cloud_event
def ingest(cloud_event: CloudEvent) -> None:
    """Take an event."""
    name = cloud_event.data["name"]
    note("event", name=name, id=cloud_event["id"], subject=cloud_event["subject"])
    if "broken" in name and (Path(os.environ["LOCALDEV_DIR"]) / "broken").exists():
        raise RuntimeError("asked to fail")
