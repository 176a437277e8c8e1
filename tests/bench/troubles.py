"""What a server has to bear while it is asked: new champions, failing storage, slow clients."""

from __future__ import annotations

import socket
import struct
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Self

import requests

from perennial.errors import StoreError
from perennial.ports import ObjectStore
from tests.bench import load
from tests.unit.predict.versions import crown

_NO_FAULT = {"do": "delay", "seconds": 0.0}


class Trouble(ABC):
    """A thread that makes trouble again and again, for the length of a `with` block.

    Attributes:
        happened: how often each kind happened.
    """

    def __init__(self) -> None:
        self.happened: Counter[str] = Counter()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._failure: Exception | None = None

    @abstractmethod
    def once(self) -> float:
        """Make trouble once; seconds until the next time."""

    def _run(self) -> None:
        try:
            while not self._over.wait(self.once()):
                pass
        except Exception as error:  # noqa: BLE001 (raised where the block ends)
            self._failure = error

    def require_alive(self) -> None:
        """Raise RuntimeError where no more trouble is made, as where the block ends."""
        if self._failure is not None:
            raise RuntimeError(f"{type(self).__name__} ended early") from self._failure

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        """End, once the trouble that is being made has been made.

        Raises:
            RuntimeError: no more trouble was made since some moment; its cause says why.
        """
        self._over.set()
        self._thread.join()
        if raised[0] is None:
            self.require_alive()


class Champions(Trouble):
    """Another champion every few seconds, back and forth among versions that exist."""

    def __init__(
        self, models: ObjectStore, versions: Sequence[str], seconds: float, random: Random
    ) -> None:
        super().__init__()
        self.current = ""
        self._models = models
        self._versions = versions
        self._seconds = seconds
        self._random = random

    def move(self) -> None:
        """Crown another version, however often storage fails."""
        version = self._random.choice([one for one in self._versions if one != self.current])
        while True:
            try:
                crown(self._models, version)
            except (
                StoreError
            ):  # a lost answer is one too: then it is crowned again, which is no harm
                self.happened["crowned again after storage failed"] += 1
            else:
                self.current = version
                return

    def once(self) -> float:
        """One move."""
        self.move()
        self.happened["new champion"] += 1
        return self._seconds * self._random.uniform(0.5, 1.5)


class Faults(Trouble):
    """Storage that fails at random, whatever is read: errors, cut bodies, delays."""

    _EACH = 20  # requests that a plan reaches

    def __init__(self, storage_url: str, random: Random) -> None:
        super().__init__()
        self._url = f"{storage_url}/_emulator/faults"
        self._random = random
        self._ordered: list[dict[str, object]] = []

    def clear(self) -> None:
        """No more faults; those that struck are counted."""
        answer = requests.get(self._url, timeout=10)
        answer.raise_for_status()
        left = sum(len(plan["faults"]) for plan in answer.json()["faults"])
        for fault in self._ordered[: len(self._ordered) - left]:
            if fault != _NO_FAULT:
                self.happened[f"storage fault: {fault['do']}"] += 1
        self._ordered = []
        requests.delete(self._url, timeout=10).raise_for_status()

    def once(self) -> float:
        """Draw what happens to the next few reads, in place of what was drawn before."""
        self.clear()
        self._ordered = [self._draw() for _ in range(self._EACH)]
        plan = {"id": "*", "match": {"method": "GET"}, "faults": self._ordered}
        requests.post(self._url, json=plan, timeout=10).raise_for_status()
        return self._random.uniform(0.5, 2)

    def _draw(self) -> dict[str, object]:
        kinds: list[dict[str, object]] = [
            {"do": "status", "status": self._random.choice([500, 502, 503, 429])},
            {"do": "cut", "after_bytes": self._random.randrange(200)},
            {"do": "delay", "seconds": self._random.uniform(0, 0.5)},
            _NO_FAULT,
        ]
        return self._random.choices(kinds, weights=[25, 15, 10, 50])[0]


class SlowClients(Trouble):
    """A client that trickles its request, or never ends it, or goes away in its middle.

    Args:
        port: where the server is.
        ask: a request, and what checks its answer.
        random: draws what the client does.
    """

    def __init__(
        self, port: int, ask: Callable[[], tuple[bytes, load.Then]], random: Random
    ) -> None:
        super().__init__()
        self._port = port
        self._ask = ask
        self._random = random

    def once(self) -> float:
        """One client's life."""
        asked, check = self._ask()
        kind = self._random.choice(["trickles", "trickles", "never ends", "goes away"])
        with load.connection(self._port) as one:
            if kind == "trickles":
                self._trickle(one, asked)
                check(one.ask(b""))
            else:
                one.send(asked[: self._random.randrange(1, len(asked))])
                self._over.wait(self._random.uniform(0.5, 3))
                if kind == "goes away":  # with a reset, where the other only closes
                    linger = struct.pack("ii", 1, 0)
                    one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.happened[f"client {kind}"] += 1
        return self._random.uniform(0, 0.2)

    def _trickle(self, one: load.Connection, asked: bytes) -> None:
        while asked:
            size = self._random.randrange(1, 60)
            one.send(asked[:size])
            asked = asked[size:]
            time.sleep(self._random.uniform(0, 0.2))
