"""From method and path to an operation of the JSON API.

Names arrive percent-encoded, and may hold anything once decoded, slashes included. So the raw
path is split first, and its segments are decoded afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from localdev.storage.errors import BadRequest, NotFound


@dataclass(frozen=True, slots=True)
class Target:
    """What a request wants, of what.

    Attributes:
        operation: Name of the operation, as fault plans and the table of handlers know it.
        bucket: The bucket, empty if the operation concerns none.
        name: The object, empty if the operation concerns none.
        to_bucket: The bucket that a copy goes to.
        to_name: The object that a copy or a move makes.
    """

    operation: str
    bucket: str = ""
    name: str = ""
    to_bucket: str = ""
    to_name: str = ""


def route(method: str, raw_path: bytes, query: Mapping[str, str]) -> Target:
    """Find the operation that a request asks for.

    Raises:
        NotFound: The API has no such path, or not with this method.
        BadRequest: A name in the path is not UTF-8.
    """
    segments = [_decoded(segment) for segment in raw_path.split(b"/")[1:]]
    match segments:
        case ["storage", "v1", *rest]:
            target = _storage(method, rest, query)
        case ["download", "storage", "v1", "b", bucket, "o", name] if method == "GET":
            target = Target("download", bucket, name)
        case ["upload", "storage", "v1", "b", bucket, "o"]:
            target = _upload(method, bucket, query)
        case ["batch", "storage", "v1"] if method == "POST":
            target = Target("batch")
        case ["_emulator", "health"] if method == "GET":
            target = Target("GET health")
        case ["_emulator", "faults"] if method in ("GET", "POST", "DELETE"):
            target = Target(f"{method} faults")
        case _:
            target = None
    if target is None:
        raise NotFound(f"Not Found: {method} {raw_path.decode('latin-1')}")
    return target


def _storage(method: str, segments: list[str], query: Mapping[str, str]) -> Target | None:
    match method, segments:
        case "GET", ["b", bucket, "o", name]:
            return Target("download" if query.get("alt") == "media" else "get", bucket, name)
        case "GET", ["b", bucket, "o"]:
            return Target("list", bucket)
        case "DELETE", ["b", bucket, "o", name]:
            return Target("delete", bucket, name)
        case "PATCH", ["b", bucket, "o", name]:
            return Target("patch", bucket, name)
        case "PUT", ["b", bucket, "o", name]:
            return Target("update", bucket, name)
        case "POST", ["b", bucket, "o", name, "compose"]:
            return Target("compose", bucket, name)
        case "POST", ["b", bucket, "o", name, "moveTo", "o", to_name]:
            return Target("move", bucket, name, bucket, to_name)
        case "POST", ["b", bucket, "o", name, "copyTo", "b", to_bucket, "o", to_name]:
            return Target("copy", bucket, name, to_bucket, to_name)
        case "POST", ["b", bucket, "o", name, "rewriteTo", "b", to_bucket, "o", to_name]:
            return Target("rewrite", bucket, name, to_bucket, to_name)
        case _:
            return _bucket(method, segments)


def _bucket(method: str, segments: list[str]) -> Target | None:
    match method, segments:
        case "GET", ["b"]:
            return Target("list_buckets")
        case "POST", ["b"]:
            return Target("insert_bucket")
        case "GET", ["b", bucket]:
            return Target("get_bucket", bucket)
        case "PATCH", ["b", bucket]:
            return Target("patch_bucket", bucket)
        case "DELETE", ["b", bucket]:
            return Target("delete_bucket", bucket)
        case "GET", ["b", bucket, "iam"]:
            return Target("get_policy", bucket)
        case "GET", ["b", bucket, "notificationConfigs"]:
            return Target("list_notifications", bucket)
        case "PUT", ["b", bucket, "iam"]:
            return Target("set_policy", bucket)
        case "GET", ["projects", _, "serviceAccount"]:
            return Target("service_account")
        case _:
            return None


def _upload(method: str, bucket: str, query: Mapping[str, str]) -> Target | None:
    match method:
        case "POST":
            return Target("insert", bucket, query.get("name", ""))
        case "PUT":
            return Target("resume", bucket, query.get("name", ""))
        case "DELETE":
            return Target("cancel", bucket, query.get("name", ""))
        case _:
            return None


def _decoded(segment: bytes) -> str:
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise BadRequest("A name in the path is not valid UTF-8.") from None
