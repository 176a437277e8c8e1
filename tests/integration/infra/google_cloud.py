"""A stand-in for Google Cloud's control plane: resources are kept as they were sent.

It knows how each API names what is created, and the few fields that the services themselves set by
their references. Whatever a request says beside these comes back unchanged, and whatever it does
not say is absent: nothing is made up to please a client. Operations are done at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.integration.infra.resources import KINDS, NUMBER, Kind

Document = dict[str, Any]

# The variables by which the provider is told where an API is, and the path it is under here.
ENDPOINTS = {
    "ARTIFACT_REGISTRY": "artifactregistry/v1/",
    "CLOUD_BILLING": "cloudbilling/v1/",
    "CLOUD_RUN_V2": "run/v2/",
    "CLOUD_SCHEDULER": "cloudscheduler/v1/",
    "CLOUDFUNCTIONS2": "cloudfunctions/v2/",
    "EVENTARC": "eventarc/v1/",
    "IAM_BETA": "iam/v1/",
    "LOGGING": "logging/v2/",
    "MONITORING": "monitoring/",
    "PUBSUB": "pubsub/v1/",
    "RESOURCE_MANAGER": "cloudresourcemanager/v1/",
    "SERVICE_USAGE": "serviceusage/v1/",
}


class Refusal(Exception):
    """An error that an API answers with."""

    def __init__(self, code: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.document = {
            "error": {
                "code": code,
                "message": message,
                "errors": [{"message": message, "domain": "global", "reason": reason}],
            }
        }
        self.code = code


@dataclass
class GoogleCloud:
    """One project.

    Attributes:
        url: where it listens.
        project: its name.
        resources: what was made, by API and full name.
        policies: who may do what with what, by API and full name.
        enabled: the APIs that are on.
        calls: method and path of every request.
        unknown: the requests that no API here knows.
    """

    project: str
    url: str = ""
    resources: dict[str, Document] = field(default_factory=dict)
    policies: dict[str, Document] = field(default_factory=dict)
    enabled: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)
    _made: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """Tells the provider to come here."""
        return {
            f"GOOGLE_{name}_CUSTOM_ENDPOINT": f"{self.url}/{path}"
            for name, path in ENDPOINTS.items()
        }

    def add_accounts(self, accounts: Iterable[Document]) -> None:
        """Let service accounts be there already, each as its creation would say."""
        path = f"iam/v1/projects/{self.project}/serviceAccounts"
        [kind] = [kind for kind in KINDS if re.fullmatch(kind.collection, path)]
        for account in accounts:
            name = kind.identity(account["accountId"], self.project)
            self._create(kind, f"{path}/{name}", account)

    def answer(self, method: str, target: str, body: Document) -> Document:
        """What is said to one request."""
        address = urlsplit(target)
        path = unquote(address.path.removeprefix("/"))
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        with self._lock:
            self.calls.append(f"{method} {path}")
            service = path.split("/")[0]
            if service == "serviceusage":
                return self._services(method, path, body)
            if f"{service}.googleapis.com" not in self.enabled:
                message = f"{service} API has not been used in project {NUMBER} or it is disabled."
                raise Refusal(403, message, "accessNotConfigured")
            if path == f"cloudresourcemanager/v1/projects/{self.project}" and method == "GET":
                return {
                    "projectId": self.project,
                    "projectNumber": NUMBER,
                    "name": self.project,
                    "lifecycleState": "ACTIVE",
                }
            if match := re.fullmatch(r"(.+):([gs]etIamPolicy)", path):
                return self._policy(match[1], match[2], body)
            if match := re.fullmatch(r"(cloudscheduler/.+):(pause|resume)", path):
                body = {"state": {"pause": "PAUSED", "resume": "ENABLED"}[match[2]]}
                return self._existing("PATCH", match[1], body)
            if method in ("POST", "PUT") and (made := self._new_name(method, path, query, body)):
                return self._create(*made, body)
            return self._existing(method, path, body)

    def _services(self, method: str, path: str, body: Document) -> Document:
        if path.endswith(":batchEnable"):
            self.enabled.update(body["serviceIds"])
        elif match := re.search(r"/services/([^/:]+):(enable|disable)$", path):
            (self.enabled.add if match[2] == "enable" else self.enabled.discard)(match[1])
        elif method == "GET" and path.endswith("/services"):
            return {"services": [_service(name) for name in sorted(self.enabled)]}
        else:
            raise self._not_known(method, path)
        return {"name": "operations/acf.1", "done": True, "response": {}}

    def _policy(self, path: str, verb: str, body: Document) -> Document:
        if path not in self.resources and not path.endswith(f"projects/{self.project}"):
            # The service of a function belongs to Cloud Run, by the same name.
            twin = re.sub(r"^run/v2/(.*)/services/", r"cloudfunctions/v2/\1/functions/", path)
            if twin not in self.resources:
                raise Refusal(404, f"{path} was not found")
        found = self.policies.get(path, {"version": 1, "etag": "0"})
        if verb == "setIamPolicy":
            if body["policy"].get("etag", found["etag"]) != found["etag"]:
                raise Refusal(409, "There were concurrent policy changes.")
            self._check_members(body["policy"])
            found = {**body["policy"], "etag": str(int(found["etag"]) + 1)}
            self.policies[path] = found
        return found

    def _check_members(self, policy: Document) -> None:
        """Nothing can be granted to an account of the project's that is not there."""
        accounts = f"iam/v1/projects/{self.project}/serviceAccounts/"
        for member in {one for row in policy.get("bindings", []) for one in row["members"]}:
            email = member.removeprefix("serviceAccount:")
            ours = member.endswith(f"@{self.project}.iam.gserviceaccount.com")
            if ours and accounts + email not in self.resources:
                raise Refusal(400, f"Service account {email} does not exist.")

    def _new_name(
        self, method: str, path: str, query: dict[str, str], body: Document
    ) -> tuple[Kind, str] | None:
        for kind in KINDS:
            if kind.creates != method or not re.fullmatch(kind.collection, path):
                continue
            if method == "PUT":
                return (kind, path) if path not in self.resources else None
            if not kind.named_by:
                self._made += 1
                return kind, f"{path}/{self._made:019d}"
            name = query.get(kind.named_by) or body[kind.named_by]
            collection = path.removesuffix(":createAsync")
            return kind, f"{collection}/{kind.identity(name, self.project)}"
        return None

    def _create(self, kind: Kind, path: str, body: Document) -> Document:
        if path in self.resources:
            raise Refusal(409, f"{path} exists already")
        name = _resource_name(path)
        sent = body.get(kind.wrapped, body)
        made = sent if kind.keeps_name else {**sent, "name": name}
        self.resources[path] = {**made, **kind.sets(name, made)}
        self.resources |= kind.makes(self.resources[path])
        return self._done(kind, path)

    def _existing(self, method: str, path: str, body: Document) -> Document:
        kinds = [kind for kind in KINDS if kind.covers(path)]
        if not kinds:
            raise self._not_known(method, path)
        if path not in self.resources:
            raise Refusal(404, f"{path} was not found")
        kind = kinds[0]
        match method:
            case "GET":
                return self.resources[path]
            case "DELETE":
                gone = self.resources[path]
                for one in [path, *kind.makes(gone)]:
                    self.resources.pop(one, None)
                    self.policies.pop(one, None)
                return {"name": "operations/1", "done": True, "response": gone} if kind.slow else {}
            case _:
                changed = self.resources[path] | body.get(kind.wrapped, body)
                self.resources[path] = changed | kind.sets(_resource_name(path), changed)
                return self._done(kind, path)

    def _done(self, kind: Kind, path: str) -> Document:
        found = self.resources[path]
        return {"name": "operations/1", "done": True, "response": found} if kind.slow else found

    def _not_known(self, method: str, path: str) -> Refusal:
        self.unknown.append(f"{method} {path}")
        return Refusal(501, f"{method} {path} is not played here")


def _service(name: str) -> Document:
    return {"name": f"projects/{NUMBER}/services/{name}", "state": "ENABLED"}


def _resource_name(path: str) -> str:
    """The name of a resource: its path without API and version."""
    return path[path.index("projects/") :]


@contextmanager
def google_cloud(project: str) -> Iterator[GoogleCloud]:
    """Run it, with nothing in the project."""
    cloud = GoogleCloud(project)

    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(size) or b"{}")
            try:
                status, document = 200, cloud.answer(self.command, self.path, body)
            except Refusal as refusal:
                status = refusal.code
                document = refusal.document
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    server.daemon_threads = True
    cloud.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield cloud
    finally:
        server.shutdown()
        server.server_close()
