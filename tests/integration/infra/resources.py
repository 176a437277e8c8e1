"""The kinds of resources that the stand-in for Google Cloud keeps, by their APIs' references."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NUMBER = "123456789012"
Document = dict[str, Any]
PLACE = "projects/[^/]+/locations/[^/]+"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource.

    Attributes:
        collection: matches the path that one is created with: of the collection, or for PUT of the
            resource itself.
        named_by: the query parameter or field that names a new one; without it the service does.
        creates: the method.
        slow: whether changes are operations that end some time later.
        wrapped: the field of a creation's body that holds the resource.
        keeps_name: whether `name` in the resource is what it was called, not the full name.
        identity: the last part of the full name, from what it was named and the project.
        sets: what the service sets, from the full name and what was sent.
        makes: what else comes and goes with one, by API and full name, from the resource.
    """

    collection: str
    named_by: str = ""
    creates: str = "POST"
    slow: bool = False
    wrapped: str = ""
    keeps_name: bool = False
    identity: Callable[[str, str], str] = lambda name, _project: name
    sets: Callable[[str, Document], Document] = lambda _name, _sent: {}
    makes: Callable[[Document], dict[str, Document]] = lambda _made: {}

    def covers(self, path: str) -> bool:
        """Whether a path is that of a resource of this kind."""
        if self.creates == "PUT":
            return bool(re.fullmatch(self.collection, path))
        collection = self.collection.removesuffix(":createAsync")
        return bool(re.fullmatch(collection + "/.+", path))


def _last(name: str) -> str:
    return name.rsplit("/", 1)[1]


def _account(name: str, sent: Document) -> Document:
    return {"email": _last(name), "uniqueId": "1" + NUMBER, "projectId": name.split("/")[1]}


def _function(name: str, sent: Document) -> Document:
    """Its service is Cloud Run's, and called as the function."""
    uri = f"https://{_last(name)}-{NUMBER}.{name.split('/')[3]}.run.app"
    service = name.replace("/functions/", "/services/")
    config = {**sent["serviceConfig"], "uri": uri, "service": service}
    return {"state": "ACTIVE", "environment": "GEN_2", "serviceConfig": config}


def _trigger(name: str, sent: Document) -> Document:
    """Eventarc makes a topic and a subscription."""
    _, project, _, place, _, short = name.split("/")
    pubsub = {
        "topic": f"projects/{project}/topics/eventarc-{place}-{short}-042",
        "subscription": f"projects/{project}/subscriptions/eventarc-{place}-{short}-sub-042",
    }
    return {"uid": "1", "transport": {"pubsub": pubsub}}


def _delivery(trigger: Document) -> dict[str, Document]:
    """Eventarc's topic and subscription are Pub/Sub's like any other."""
    pubsub = trigger["transport"]["pubsub"]
    return {
        f"pubsub/v1/{pubsub['topic']}": {"name": pubsub["topic"]},
        f"pubsub/v1/{pubsub['subscription']}": {
            "name": pubsub["subscription"],
            "topic": pubsub["topic"],
            "ackDeadlineSeconds": 10,
        },
    }


def _sink(name: str, sent: Document) -> Document:
    writer = f"serviceAccount:service-{NUMBER}@gcp-sa-logging.iam.gserviceaccount.com"
    return {"writerIdentity": writer}


KINDS = (
    Kind(
        "iam/v1/projects/[^/]+/serviceAccounts",
        named_by="accountId",
        wrapped="serviceAccount",
        identity=lambda name, project: f"{name}@{project}.iam.gserviceaccount.com",
        sets=_account,
    ),
    Kind(f"artifactregistry/v1/{PLACE}/repositories", named_by="repository_id", slow=True),
    Kind(f"cloudfunctions/v2/{PLACE}/functions", named_by="functionId", slow=True, sets=_function),
    Kind(f"run/v2/{PLACE}/jobs", named_by="jobId", slow=True),
    Kind(
        f"eventarc/v1/{PLACE}/triggers",
        named_by="triggerId",
        slow=True,
        sets=_trigger,
        makes=_delivery,
    ),
    Kind(
        f"cloudscheduler/v1/{PLACE}/jobs",
        named_by="name",
        identity=lambda name, _project: _last(name),
        sets=lambda _name, sent: {"state": sent.get("state", "ENABLED")},
    ),
    Kind("pubsub/v1/projects/[^/]+/topics/[^/:]+", creates="PUT"),
    Kind("pubsub/v1/projects/[^/]+/subscriptions/[^/:]+", creates="PUT"),
    Kind("logging/v2/projects/[^/]+/metrics", named_by="name", keeps_name=True),
    Kind("logging/v2/projects/[^/]+/exclusions", named_by="name", keeps_name=True),
    Kind("logging/v2/projects/[^/]+/sinks", named_by="name", keeps_name=True, sets=_sink),
    Kind(f"logging/v2/{PLACE}/buckets:createAsync", named_by="bucketId", slow=True),
    Kind("monitoring/v3/projects/[^/]+/alertPolicies"),
    Kind("monitoring/v3/projects/[^/]+/notificationChannels"),
    Kind("monitoring/v1/projects/[^/]+/dashboards"),
)
