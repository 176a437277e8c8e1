"""Batches: many small requests in one, each answered as if it had come alone."""

import email.policy
from collections.abc import Awaitable, Callable
from email.message import Message
from email.parser import BytesParser
from http import HTTPStatus
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message as AsgiMessage
from starlette.types import Scope

from localdev.storage.calls import Call
from localdev.storage.errors import BadRequest

MAX_PARTS = 1000

Respond = Callable[[Request], Awaitable[Response]]


async def batch(call: Call, respond: Respond) -> Response:
    """Answer every request in a multipart body, one after the other.

    Args:
        call: The batch.
        respond: How a request is answered.

    Raises:
        BadRequest: The body is not ``multipart/mixed``, or has too many parts.
    """
    header = f"content-type: {call.request.headers.get('content-type', '')}\r\n\r\n"
    parser = BytesParser(policy=email.policy.HTTP)
    parts = parser.parsebytes(header.encode() + await call.request.body()).get_payload()
    if not isinstance(parts, list):
        raise BadRequest("Batch: expected a multipart/mixed body.")
    if len(parts) > MAX_PARTS:
        raise BadRequest(f"Batch: expected at most {MAX_PARTS} requests, found {len(parts)}.")
    boundary = f"batch_{uuid4().hex}"
    answers = []
    for number, part in enumerate(parts):
        response = await respond(_request(call.request.scope, part))
        answers.append(_answer(response, part.get("Content-ID", f"<{number}>")))
    body = "".join(f"--{boundary}\r\n{text}\r\n" for text in answers) + f"--{boundary}--\r\n"
    return Response(body, 200, {"content-type": f"multipart/mixed; boundary={boundary}"})


def _request(scope: Scope, part: Message) -> Request:
    text = part.get_payload(decode=True)
    if not isinstance(text, bytes):
        raise BadRequest("Batch: expected every part to be a request.")
    head, _, rest = text.lstrip().partition(b"\n")
    method, _, address = head.decode("latin-1").strip().partition(" ")
    inner = BytesParser(policy=email.policy.HTTP).parsebytes(rest)
    url = urlsplit(address.rsplit(" HTTP/", 1)[0])
    body = inner.get_payload(decode=True)
    headers = [(key.lower().encode(), str(value).encode()) for key, value in inner.items()]
    headers += [entry for entry in scope["headers"] if entry[0] in (b"host", b"authorization")]

    async def receive() -> AsgiMessage:
        return {"type": "http.request", "body": body, "more_body": False}

    subscope = {
        "type": "http",
        "method": method,
        "path": url.path,
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "headers": headers,
    }
    return Request(subscope, receive)


def _answer(response: Response, content_id: str) -> str:
    headers = "".join(f"{key}: {value}\r\n" for key, value in response.headers.items())
    reply_id = content_id.replace("<", "<response-", 1)
    return (
        f"Content-Type: application/http\r\nContent-ID: {reply_id}\r\n\r\n"
        f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}\r\n"
        f"{headers}\r\n{bytes(response.body).decode()}"
    )
