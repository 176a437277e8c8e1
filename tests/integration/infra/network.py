"""A network that leads nowhere and notes who wanted to go where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

# The provider asks whose token it was given, for its log, and goes on without an answer.
ASKED_ANYWAY = "openidconnect.googleapis.com:443"


@dataclass(frozen=True, slots=True)
class Network:
    """The proxy that processes are told to use; it lets nothing through.

    Attributes:
        environment: tells a process so. Addresses of this machine need no proxy.
        tried: the hosts that were asked for.
    """

    environment: dict[str, str]
    tried: list[str] = field(default_factory=list)


@contextmanager
def cut_off() -> Iterator[Network]:
    """Run it."""
    network = Network({})

    class Refusal(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            network.tried.append(self.path)
            self.send_error(403)

        do_GET = do_POST = do_CONNECT  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    url = f"http://127.0.0.1:{server.server_port}"
    network.environment.update(HTTPS_PROXY=url, HTTP_PROXY=url)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield network
    finally:
        server.shutdown()
        server.server_close()
