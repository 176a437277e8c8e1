"""What every handler is given, and how answers are made."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from localdev.storage.access import OWNER, Caller
from localdev.storage.documents import Resource, dump, parse
from localdev.storage.engine import Engine
from localdev.storage.preconditions import integer
from localdev.storage.routing import Target
from localdev.storage.sessions import Progress

# The charset spares the client from guessing it, which costs more than decoding.
JSON = "application/json; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the API, on its way to its handler."""

    engine: Engine
    progress: Progress
    request: Request
    target: Target
    query: Mapping[str, str]
    caller: Caller = OWNER

    @property
    def origin(self) -> str:
        """Scheme and authority under which the client reached the server."""
        host = self.request.headers.get("host", "localhost")
        return f"http://{quote(host, safe=':[]')}"

    @property
    def generation(self) -> int | None:
        """The generation that the request names, if it names one."""
        return integer(self.query, "generation")

    async def document(self) -> Resource:
        """The JSON object in the request's body."""
        return parse(await self.request.body())


def answer(document: Resource | str, status: int = 200) -> Response:
    """A JSON document, or the text of one."""
    text = document if isinstance(document, str) else dump(document)
    return Response(text, status, {"content-type": JSON})


def header_text(value: str) -> str:
    """A header's value such that its UTF-8 bytes are what goes over the wire."""
    return value.encode().decode("latin-1")
