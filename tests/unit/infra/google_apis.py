"""The few Google APIs that a deployment calls, as one small server that keeps a project's state.

Paths begin with the API's name: `/storage/storage/v1/b`. Shapes are those of Google's references.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from infra.deploying.google import Google

PROJECT = "garden-1"
NUMBER = "123456789012"
REGION = "europe-west1"
SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/eventarc-{REGION}-perennial-ingest-sub-042"
TOPIC = f"projects/{PROJECT}/topics/perennial-dead-letters"
LOG = "https://console.cloud.google.com/cloud-build/builds;region=europe-west1/b-1?project=1"


class Answer(Exception):
    """An error that an API answers with."""

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]
        self.document = {
            "error": {"code": status, "message": message, "details": details if reason else []}
        }


@dataclass
class Apis:
    """A project, and what was asked.

    Attributes:
        disabled: APIs that are off.
        counted_elsewhere: whether calls are counted to another project, where those stay off.
        lacking: permissions that the caller has not.
        buckets: by name; a document of None belongs to a stranger who shows it to nobody.
        objects: names in each bucket.
        tags: of the training image, and their digests.
        endings: how the next builds end, documents that are laid over each build; SUCCESS after.
        refusals: answers to the next requests to start a build.
        builds: by id.
        agents: services that have an account of their own in the project.
        subscription: as Eventarc made it.
        calls: method and path of every request.
        bodies: of every request that had one.
    """

    url: str = ""
    state: str = "ACTIVE"
    disabled: set[str] = field(default_factory=set)
    counted_elsewhere: bool = False
    lacking: set[str] = field(default_factory=set)
    buckets: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    objects: dict[str, list[str]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    endings: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[Answer] = field(default_factory=list)
    builds: dict[str, dict[str, Any]] = field(default_factory=dict)
    agents: set[str] = field(default_factory=set)
    subscription: dict[str, Any] = field(
        default_factory=lambda: {
            "name": SUBSCRIPTION,
            "topic": f"projects/{PROJECT}/topics/eventarc-{REGION}-perennial-ingest-042",
            "ackDeadlineSeconds": 10,
            "messageRetentionDuration": "86400s",
            "expirationPolicy": {"ttl": "2678400s"},
            "retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "600s"},
            "state": "ACTIVE",
        }
    )
    calls: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)

    @property
    def google(self) -> Google:
        """A client of these."""
        session = requests.Session()
        session.trust_env = False
        return Google(session, self.url + "/{service}")

    def asked(self, pattern: str) -> list[str]:
        """The calls that a pattern is found in."""
        return [call for call in self.calls if re.search(pattern, call)]

    def answer(self, method: str, target: str, body: dict[str, Any]) -> dict[str, Any]:
        """What is said to one request."""
        address = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        self.calls.append(f"{method} {address.path}")
        if body:
            self.bodies.append(body)
        service, _, path = address.path.removeprefix("/").partition("/")
        if f"{service}.googleapis.com" in self.disabled:
            message = (
                f"{service} API has not been used in project {NUMBER} before or it is disabled."
            )
            raise Answer(403, message, "SERVICE_DISABLED")
        for pattern, handler in _ROUTES:
            if match := re.fullmatch(pattern, f"{method} {service} {path}"):
                return handler(self, body, query, *match.groups())
        raise Answer(404, f"nothing is at {target}")


def image_digest(tag: str) -> str:
    """The digest of the image that is built for a tag."""
    return f"sha256:{hashlib.sha256(tag.encode()).hexdigest()}"


Handler = Callable[..., dict[str, Any]]


def _project(apis: Apis, _body: Any, _query: Any, name: str) -> dict[str, Any]:
    if name != PROJECT:
        raise Answer(403, "The caller does not have permission")
    return {"name": f"projects/{NUMBER}", "projectId": PROJECT, "state": apis.state}


def _permissions(apis: Apis, body: dict[str, Any], _query: Any) -> dict[str, Any]:
    if len(body["permissions"]) > 100:
        raise Answer(400, "too many permissions")
    held = [name for name in body["permissions"] if name not in apis.lacking]
    return {"permissions": held} if held else {}


def _enable(apis: Apis, _body: Any, _query: Any, service: str) -> dict[str, Any]:
    if not apis.counted_elsewhere:
        apis.disabled.discard(service)
    return {"name": "operations/acf.1"}


def _make_agent(apis: Apis, _body: Any, _query: Any, service: str) -> dict[str, Any]:
    apis.agents.add(service)
    return {"name": "operations/finished.DONE_OPERATION", "done": True}


def _read_bucket(apis: Apis, _body: Any, _query: Any, name: str) -> dict[str, Any]:
    if name not in apis.buckets:
        raise Answer(404, "The specified bucket does not exist.")
    if (bucket := apis.buckets[name]) is None:
        raise Answer(403, "you do not have storage.buckets.get access to the Google Cloud bucket.")
    return bucket


def _make_bucket(apis: Apis, body: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
    if body["location"] not in (REGION, "us-central1"):
        raise Answer(400, "The specified location constraint is not valid.")
    if body["name"] in apis.buckets:
        raise Answer(409, "The requested bucket name is not available.")
    assert query["project"] == PROJECT
    bucket = {**body, "projectNumber": NUMBER, "location": body["location"].upper()}
    apis.buckets[body["name"]] = bucket
    return bucket


def _label_bucket(apis: Apis, body: dict[str, Any], query: Any, name: str) -> dict[str, Any]:
    bucket = _read_bucket(apis, None, query, name)
    bucket.setdefault("labels", {}).update(body["labels"])
    return bucket


def _list_objects(apis: Apis, _body: Any, query: dict[str, str], name: str) -> dict[str, Any]:
    assert query["versions"] == "true"
    found = apis.objects.get(name, [])[: int(query["maxResults"])]
    return {"items": [{"name": item} for item in found]} if found else {}


def _tag(apis: Apis, _body: Any, _query: Any, tag: str) -> dict[str, Any]:
    if tag not in apis.tags:
        raise Answer(404, "Requested entity was not found.")
    package = f"projects/{PROJECT}/locations/{REGION}/repositories/perennial/packages/train"
    return {
        "name": f"{package}/tags/{tag}",
        "version": f"{package}/versions/{apis.tags[tag]}",
    }


def _list_builds(apis: Apis, _body: Any, query: dict[str, str]) -> dict[str, Any]:
    assert query["filter"] == 'status="WORKING" OR status="QUEUED"'
    found = [build for build in apis.builds.values() if build["status"] in ("WORKING", "QUEUED")]
    return {"builds": found} if found else {}


def _start_build(apis: Apis, body: dict[str, Any], _query: Any) -> dict[str, Any]:
    if apis.refusals:
        raise apis.refusals.pop(0)
    number = f"b-{len(apis.builds) + 1}"
    build = {**body, "id": number, "status": "QUEUED", "logUrl": LOG}
    apis.builds[number] = build
    return {"name": f"operations/build/{PROJECT}/x", "metadata": {"build": dict(build)}}


def _read_build(apis: Apis, _body: Any, _query: Any, number: str) -> dict[str, Any]:
    """Each look finds it a step further."""
    build = apis.builds[number]
    if build["status"] == "QUEUED":
        build["status"] = "WORKING"
    elif build["status"] == "WORKING":
        build |= apis.endings.pop(0) if apis.endings else {"status": "SUCCESS"}
        if build["status"] == "SUCCESS":
            (image,) = build["images"]
            tag = image.rpartition(":")[2]
            digest = apis.tags[tag] = image_digest(tag)
            build["results"] = {"images": [{"name": image, "digest": digest}]}
    return build


def _read_subscription(apis: Apis, _body: Any, _query: Any) -> dict[str, Any]:
    return apis.subscription


def _patch_subscription(apis: Apis, body: dict[str, Any], _query: Any) -> dict[str, Any]:
    assert body["subscription"]["name"] == SUBSCRIPTION
    for name in body["updateMask"].split(","):
        apis.subscription[name] = body["subscription"][name]
    return apis.subscription


_PLACE = f"projects/{PROJECT}/locations/{REGION}"
_BUILDS = f"v1/{_PLACE}/builds"
_ROUTES: tuple[tuple[str, Handler], ...] = (
    (r"GET cloudresourcemanager v3/projects/([^/:]+)", _project),
    (rf"POST cloudresourcemanager v3/projects/{PROJECT}:testIamPermissions", _permissions),
    (rf"POST serviceusage v1/projects/{PROJECT}/services/([^/:]+):enable", _enable),
    (
        rf"POST serviceusage v1beta1/projects/{PROJECT}/services/([^/:]+):generateServiceIdentity",
        _make_agent,
    ),
    (r"POST storage storage/v1/b", _make_bucket),
    (r"GET storage storage/v1/b/([^/]+)", _read_bucket),
    (r"PATCH storage storage/v1/b/([^/]+)", _label_bucket),
    (r"GET storage storage/v1/b/([^/]+)/o", _list_objects),
    (rf"GET artifactregistry v1/{_PLACE}/repositories/[^/]+/packages/train/tags/([^/]+)", _tag),
    (rf"GET cloudbuild {_BUILDS}", _list_builds),
    (rf"POST cloudbuild {_BUILDS}", _start_build),
    (rf"GET cloudbuild {_BUILDS}/([^/]+)", _read_build),
    (rf"GET pubsub v1/{SUBSCRIPTION}", _read_subscription),
    (rf"PATCH pubsub v1/{SUBSCRIPTION}", _patch_subscription),
)


@contextmanager
def serve() -> Iterator[Apis]:
    """The APIs of a project in which nothing is, on a port of this machine."""
    apis = Apis()

    class Requests(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(size)) if size else {}
            try:
                status, document = 200, apis.answer(self.command, self.path, body)
            except Answer as answer:
                status, document = answer.status, answer.document
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_PATCH = do_GET  # noqa: N815  http.server dictates the names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    apis.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield apis
    finally:
        server.shutdown()
        server.server_close()
