"""Control over the connection beneath a request, for the faults that end it."""

from collections.abc import Callable
from typing import Any, cast

from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_EXTENSION = "localdev.close"


class ClosableProtocol(HttpToolsProtocol):
    """HTTP, with a way for the application to end the connection in the middle of anything."""

    def on_message_begin(self) -> None:
        """Hand the application a function that closes the connection."""
        super().on_message_begin()
        extensions = cast("dict[str, Any]", self.scope.setdefault("extensions", {}))
        extensions[_EXTENSION] = self.transport.close


async def close(scope: Scope, receive: Receive) -> None:
    """End the connection, after what has been sent, and wait until it has ended."""
    end: Callable[[], None] = scope["extensions"][_EXTENSION]
    end()
    while (await receive())["type"] != "http.disconnect":
        pass


def cut_receive(receive: Receive, after_bytes: int) -> Receive:
    """The request's body, whose sender seems to vanish after so many bytes."""
    left = after_bytes

    async def receive_some() -> Message:
        nonlocal left
        if left <= 0:
            return {"type": "http.disconnect"}
        message = await receive()
        body = message.get("body", b"")[:left]
        left -= len(body)
        return {**message, "body": body, "more_body": True} if body else message

    return receive_some


def cut_send(scope: Scope, receive: Receive, send: Send, after_bytes: int) -> Send:
    """An answer that reaches the client up to so many bytes of its body."""
    left = after_bytes

    async def send_some(message: Message) -> None:
        nonlocal left
        if message["type"] != "http.response.body":
            await send(message)
        elif left >= 0:
            body = message.get("body", b"")
            if len(body) < left:
                left -= len(body)
                await send(message)
                return
            if left:
                await send({**message, "body": body[:left], "more_body": True})
            left = -1
            await close(scope, receive)

    return send_some
