"""What Google's APIs say of a deployment that is as it must be.

The shapes are those of the APIs' discovery documents: zeroes are left out, durations are text, and
large numbers are text too.
"""

from __future__ import annotations

import base64
from typing import Any

from perennial.domain.descriptor import Descriptor
from perennial.domain.doctoring.findings import Look

Documents = dict[tuple[str, str], dict[str, Any]]
"""By service and path."""

DIGEST = "sha256:" + "5f" * 32
AGENT = "serviceAccount:service-123456789@gcp-sa-pubsub.iam.gserviceaccount.com"
ADDRESSES = {
    "ingest": ["https://perennial-ingest-abc123-ew.a.run.app"],
    "predict": ["https://perennial-predict-abc123-ew.a.run.app"],
    "monitor": [
        "https://perennial-monitor-123456789.europe-west1.run.app",
        "https://perennial-monitor-abc123-ew.a.run.app",
    ],
}
READY = {"type": "Ready", "state": "CONDITION_SUCCEEDED"}


def deployment(descriptor: Descriptor) -> Documents:
    """Every document that is asked for."""
    documents: Documents = {}
    for role, name in descriptor.buckets.items():
        path = f"storage/v1/b/{name}"
        documents["storage", path] = bucket(descriptor, role)
        documents["storage", f"{path}/iam"] = policy(
            ("roles/storage.legacyBucketOwner", "projectOwner:acme-1"),
            ("roles/storage.objectViewer", member(descriptor, "ingest")),
        )
        documents["storage", f"{path}/o"] = {"kind": "storage#objects"}
    documents |= _events(descriptor)
    callers = {
        "ingest": member(descriptor, "trigger"),
        "predict": f"serviceAccount:{descriptor.caller}",
        "monitor": member(descriptor, "scheduler"),
    }
    for name, service in descriptor.services.items():
        path = place(descriptor, f"services/{service}")
        documents["run", path] = service_document(descriptor, name)
        documents["run", f"{path}:getIamPolicy"] = policy(("roles/run.invoker", callers[name]))
    path = place(descriptor, f"jobs/{descriptor.train_job}")
    documents["run", path] = job(descriptor)
    launching = "roles/run.jobsExecutorWithOverrides"
    documents["run", f"{path}:getIamPolicy"] = policy(
        (launching, member(descriptor, "ingest"), member(descriptor, "monitor"))
    )
    path = place(descriptor, f"jobs/{descriptor.scheduler_job}", version="v1")
    documents["cloudscheduler", path] = scheduler(descriptor)
    return documents


def place(descriptor: Descriptor, resource: str, *, version: str = "v2") -> str:
    return f"{version}/projects/{descriptor.project}/locations/{descriptor.region}/{resource}"


def email(descriptor: Descriptor, part: str) -> str:
    return f"{descriptor.deployment}-{part}@{descriptor.project}.iam.gserviceaccount.com"


def member(descriptor: Descriptor, part: str) -> str:
    return f"serviceAccount:{email(descriptor, part)}"


def policy(*grants: tuple[str, ...]) -> dict[str, Any]:
    """Each grant is a role and its members."""
    bindings = [{"role": role, "members": list(members)} for role, *members in grants]
    return {"version": 1, "etag": "BwY=", "bindings": bindings}


def bucket(descriptor: Descriptor, role: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "kind": "storage#bucket",
        "name": descriptor.buckets[role],
        "location": descriptor.region.upper(),
        "locationType": "region",
        "iamConfiguration": {
            "bucketPolicyOnly": {"enabled": True},
            "uniformBucketLevelAccess": {"enabled": True, "lockedTime": "2027-02-19T10:00:00Z"},
            "publicAccessPrevention": "enforced",
        },
        "softDeletePolicy": {"retentionDurationSeconds": "604800"},
    }
    if descriptor.table["buckets"].get(role, {}).get("versioned"):
        document["versioning"] = {"enabled": True}
    return document


def service_document(descriptor: Descriptor, name: str) -> dict[str, Any]:
    table = descriptor.table["functions"][name]
    environment = {
        **shared_environment(descriptor),
        "THREADS": str(table["concurrency"]),
        "WORKERS": "1",
        "LOG_EXECUTION_ID": "true",
        **table.get("environment", {}),
    }
    if table["kind"] == "asgi":
        environment["FUNCTION_USE_ASGI"] = "1"
    scaling = {"maxInstanceCount": table["max_instances"]}
    if table["min_instances"]:
        scaling["minInstanceCount"] = table["min_instances"]
    return {
        "name": place(descriptor, f"services/{descriptor.services[name]}"),
        "uri": ADDRESSES[name][-1],
        "urls": ADDRESSES[name],
        "terminalCondition": READY,
        "scaling": {},
        "template": {
            "timeout": f"{table['timeout_seconds']}s",
            "serviceAccount": email(descriptor, name),
            "maxInstanceRequestConcurrency": table["concurrency"],
            "scaling": scaling,
            "containers": [container(environment, f"{table['memory_mib']}Mi", str(table["cpu"]))],
        },
    }


def job(descriptor: Descriptor) -> dict[str, Any]:
    table = descriptor.table["job"]["train"]
    image = f"{descriptor.region}-docker.pkg.dev/{descriptor.project}/perennial/train@{DIGEST}"
    environment = {**shared_environment(descriptor), **table["environment"]}
    made = container(environment, "4Gi", "2")
    return {
        "name": place(descriptor, f"jobs/{descriptor.train_job}"),
        "terminalCondition": READY,
        "template": {
            "taskCount": 1,
            "template": {
                "timeout": f"{table['timeout_seconds']}s",
                "maxRetries": 0,
                "serviceAccount": email(descriptor, "train"),
                "containers": [{**made, "image": image}],
            },
        },
        "latestCreatedExecution": {
            "name": "perennial-train-x7k2p",
            "createTime": "2026-11-20T08:00:00Z",
            "completionTime": "2026-11-20T08:01:00Z",
            "completionStatus": "EXECUTION_SUCCEEDED",
        },
    }


def scheduler(descriptor: Descriptor) -> dict[str, Any]:
    sweep = descriptor.table["sweep"]
    return {
        "name": place(descriptor, f"jobs/{descriptor.scheduler_job}", version="v1"),
        "state": "ENABLED",
        "schedule": f"*/{sweep['every_minutes']} * * * *",
        "timeZone": "Etc/UTC",
        "attemptDeadline": f"{sweep['attempt_seconds']}s",
        "lastAttemptTime": "2026-11-21T09:50:00.123Z",
        "status": {},
        "httpTarget": {
            "uri": ADDRESSES["monitor"][-1] + sweep["path"],
            "httpMethod": sweep["method"],
            "body": base64.b64encode(sweep["body"].encode()).decode(),
            "oidcToken": {"serviceAccountEmail": email(descriptor, "scheduler")},
        },
    }


def shared_environment(descriptor: Descriptor) -> dict[str, str]:
    """Written out, so that a wrong name in the code is a failure here."""
    return {
        "PERENNIAL_LANDING_BUCKET": "acme-1-perennial-landing",
        "PERENNIAL_QUARANTINE_BUCKET": "acme-1-perennial-quarantine",
        "PERENNIAL_DATA_BUCKET": "acme-1-perennial-data",
        "PERENNIAL_MODELS_BUCKET": "acme-1-perennial-models",
        "PERENNIAL_PREDICTIONS_BUCKET": "acme-1-perennial-predictions",
        "PERENNIAL_PROJECT": "acme-1",
        "PERENNIAL_REGION": "europe-west1",
        "PERENNIAL_TRAIN_JOB": "perennial-train",
        "PERENNIAL_CLAIM_SECONDS": str(descriptor.table["claim_seconds"]),
        "GOOGLE_CLOUD_PROJECT": "acme-1",
    }


def container(environment: dict[str, str], memory: str, cpu: str) -> dict[str, Any]:
    return {
        "image": f"europe-west1-docker.pkg.dev/acme-1/gcf-artifacts/image@{DIGEST}",
        "resources": {"limits": {"memory": memory, "cpu": cpu}, "cpuIdle": True},
        "env": [{"name": name, "value": value} for name, value in environment.items()],
    }


def _events(descriptor: Descriptor) -> Documents:
    events = descriptor.table["events"]
    trigger = {
        "name": place(descriptor, f"triggers/{descriptor.trigger}", version="v1"),
        "eventFilters": [
            {"attribute": "bucket", "value": descriptor.buckets["landing"]},
            {"attribute": "type", "value": events["type"]},
        ],
        "serviceAccount": email(descriptor, "trigger"),
        "destination": {
            "cloudRun": {"service": descriptor.services["ingest"], "region": descriptor.region}
        },
        "transport": {
            "pubsub": {
                "topic": "projects/acme-1/topics/eventarc-europe-west1-perennial-ingest-042",
                "subscription": descriptor.subscription,
            }
        },
    }
    subscription = {
        "name": descriptor.subscription,
        "topic": "projects/acme-1/topics/eventarc-europe-west1-perennial-ingest-042",
        "state": "ACTIVE",
        "ackDeadlineSeconds": events["ack_deadline_seconds"],
        "messageRetentionDuration": f"{events['retention_seconds']}s",
        "expirationPolicy": {},
        "retryPolicy": {
            "minimumBackoff": f"{events['first_pause_seconds']}s",
            "maximumBackoff": f"{events['longest_pause_seconds']}s",
        },
        "deadLetterPolicy": {
            "deadLetterTopic": descriptor.dead_letter_topic,
            "maxDeliveryAttempts": events["max_attempts"],
        },
        "pushConfig": {
            "pushEndpoint": "https://perennial-ingest-abc123-ew.a.run.app?__GCP_CloudEventsMode=GCS",
            "oidcToken": {"serviceAccountEmail": email(descriptor, "trigger")},
        },
    }
    topic, path = f"v1/{descriptor.dead_letter_topic}", f"v1/{descriptor.subscription}"
    return {
        ("eventarc", trigger["name"]): trigger,
        ("pubsub", path): subscription,
        ("pubsub", topic): {"name": descriptor.dead_letter_topic},
        ("pubsub", f"{topic}:getIamPolicy"): policy(("roles/pubsub.publisher", AGENT)),
        ("pubsub", f"{path}:getIamPolicy"): policy(("roles/pubsub.subscriber", AGENT)),
    }


class Google:
    """Answers with documents, or with looks where something else is to come of it."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.instead: dict[tuple[str, str], Look] = {}

    def look(self, service: str, path: str, **parameters: str) -> Look:
        if (service, path) in self.instead:
            return self.instead[service, path]
        if (service, path) in self.documents:
            return Look("found", self.documents[service, path], status=200)
        return Look("absent", said="404 Not Found", status=404)


class Answer:
    """Predict, with one answer to everything."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def look(self, service: str, path: str, **parameters: str) -> Look:
        return self._look


def changed(document: dict[str, Any], path: str, value: Any) -> None:
    """Set, or with None remove, what lies at a path such as `template.containers.0.env`."""
    steps: list[str | int] = [int(s) if s.isdigit() else s for s in path.split("|")]
    inner: Any = document
    for step in steps[:-1]:
        inner = inner[step]
    if value is None:
        del inner[steps[-1]]
    else:
        inner[steps[-1]] = value
