"""One delivery of one event: an HTTP request that is acknowledged by a 2xx answer."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

from localdev.delivery.cloudevent import headers
from localdev.delivery.outbox import Event

_CONNECT_SECONDS = 5.0
_REASON_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one delivery.

    Attributes:
        acknowledged: the handler answered 2xx.
        reached: a server took the request. While none does the platform holds events back, so a
            delivery that reached nobody is no failed attempt.
        reason: for people: the status and the beginning of the answer, or the error.
    """

    acknowledged: bool
    reached: bool
    reason: str


class Sender:
    """Posts events to one URL.

    Args:
        url: the root of the function.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        # A server closes idle connections when it likes; a fresh one for each event cannot be
        # lost to that. Handlers may take as long as they want: the ack deadline is not here.
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        """Open the client."""
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the client and its connections."""
        await self._client.__aexit__(kind, error, traceback)

    async def send(self, event: Event) -> Answer:
        """Deliver an event and wait for the answer; no HTTP failure raises."""
        try:
            response = await self._client.post(
                self._url, content=event.data.encode(), headers=headers(event)
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Answer(acknowledged=False, reached=False, reason=f"cannot connect: {error}")
        except httpx.HTTPError as error:
            reason = f"{type(error).__name__}: {error}"
            return Answer(acknowledged=False, reached=True, reason=reason)
        return Answer(
            acknowledged=response.is_success,
            reached=True,
            reason=f"{response.status_code} {response.text[:_REASON_CHARACTERS]}".strip(),
        )
