"""An HTTP client that costs little: bare sockets, many connections, one thread.

A common HTTP client would cost as much as what is measured.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.bench.hosting import HOST

_PATIENCE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        head: the status line and the headers, in lower case.
    """

    status: int
    head: bytes
    body: bytes

    def header(self, name: bytes) -> bytes:
        """Its value; empty where there is none."""
        _, found, rest = self.head.partition(b"\r\n" + name + b":")
        return rest.partition(b"\r\n")[0].strip() if found else b""


@dataclass(slots=True)
class Connection:
    """One kept-alive connection, on which requests may be sent before earlier ones are answered."""

    socket: socket.socket
    _received: bytearray = field(default_factory=bytearray)

    def send(self, requests: bytes) -> None:
        """Send one request or several."""
        self.socket.sendall(requests)

    def receive(self) -> Iterator[Answer]:
        """Wait for some bytes; the answers that are complete with them.

        Raises:
            RuntimeError: the server closed the connection.
        """
        data = self.socket.recv(262_144)
        if not data:
            raise RuntimeError(f"closed before the answer ended: {bytes(self._received[:500])!r}")
        self._received += data
        while answer := self._complete():
            yield answer

    def ask(self, request: bytes) -> Answer:
        """Send one request and wait for its answer."""
        self.send(request)
        answers: list[Answer] = []
        while not answers:
            answers += self.receive()
        return answers[0]

    def _complete(self) -> Answer | None:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self._received[:end]).lower() + b"\r\n"
        _, stated, rest = head.partition(b"\r\ncontent-length:")
        if not stated:
            raise RuntimeError(f"expected an answer that states its length, found {head!r}")
        length = int(rest.partition(b"\r\n")[0])
        whole = end + 4 + length
        if len(self._received) < whole:
            return None
        body = bytes(self._received[end + 4 : whole])
        del self._received[:whole]
        return Answer(int(head.split(b" ", 2)[1]), head, body)


Then = Callable[[Answer], None]
Batch = list[tuple[bytes, Then]]
"""Requests that are sent together, and what is to be done with the answer of each."""


@contextmanager
def connection(port: int) -> Iterator[Connection]:
    """A connection to a server on this machine that already listens."""
    with socket.create_connection((HOST, port), timeout=_PATIENCE) as connected:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Connection(connected)


def request(path: str, body: bytes) -> bytes:
    """A POST of JSON."""
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def predicted(answer: Answer) -> Answer:
    """The answer.

    Raises:
        RuntimeError: it is no prediction.
    """
    if answer.status != 200:
        raise RuntimeError(f"not a prediction: {answer.head + answer.body[:500]!r}")
    return answer


def one_by_one(port: int, asked: bytes, seconds: float) -> list[float]:
    """Milliseconds of each request, one after the other, on a connection of its own."""
    samples = []
    with connection(port) as one:
        predicted(one.ask(asked))
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end or not samples:
            predicted(one.ask(asked))
            samples.append((time.perf_counter() - began) * 1e3)
    return samples


def throughput(port: int, asked: bytes, connections: int, seconds: float) -> float:
    """Answers a second, each connection sending its next request when it has its answer."""
    done = 0

    def answered(_: Answer) -> None:
        nonlocal done
        done += 1

    began = time.perf_counter()
    end = began + seconds
    with ExitStack() as stack:
        opened = [stack.enter_context(connection(port)) for _ in range(connections)]

        def turn(_: int) -> Batch:
            over = time.perf_counter() >= end
            return [] if over else [(asked, lambda answer: answered(predicted(answer)))]

        drive(opened, turn)
    return done / (time.perf_counter() - began)


def drive(opened: list[Connection], turn: Callable[[int], Batch]) -> None:
    """Keep connections busy until there is nothing more to ask.

    Args:
        opened: the connections.
        turn: what a connection, by its place, is to send next; it ends when that is nothing.

    Raises:
        RuntimeError: a connection was closed, or gave no answer for long.
    """
    waiting: list[deque[Then]] = [deque() for _ in opened]

    def ask(place: int) -> bool:
        batch = turn(place)
        if batch:
            waiting[place].extend(then for _, then in batch)
            opened[place].send(b"".join(asked for asked, _ in batch))
        return bool(batch)

    with selectors.DefaultSelector() as selector:
        for place, one in enumerate(opened):
            if ask(place):
                selector.register(one.socket, selectors.EVENT_READ, place)
        while selector.get_map():
            ready = selector.select(_PATIENCE)
            if not ready:
                raise RuntimeError(f"no answer within {_PATIENCE:.0f} s")
            for key, _ in ready:
                place = key.data
                for answer in opened[place].receive():
                    waiting[place].popleft()(answer)
                if not waiting[place] and not ask(place):
                    selector.unregister(key.fileobj)
