"""An identity token that is kept for as long as it is valid."""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
from collections.abc import Callable

from perennial.errors import PerennialError

log = logging.getLogger(__name__)

_EARLY_SECONDS = 300.0
"""A new one is made so long before the old one ends: what is on its way must arrive in time."""

_LATEST_SECONDS = 15.0
_AGAIN_SECONDS = 30.0


class KeptToken:
    """Made anew shortly before it ends; where that fails, the old one serves on to its end.

    Safe for many threads, of which one makes it.

    Args:
        mint: makes a token; raises `PerennialError`.
        now: seconds since 1970.
    """

    def __init__(self, mint: Callable[[], str], now: Callable[[], float] = time.time) -> None:
        self._mint = mint
        self._now = now
        self._lock = threading.Lock()
        self._value = ""
        self._ends = self._due = 0.0

    def get(self) -> str:
        """A token that is valid now.

        Raises:
            PerennialError: when there is none, and none can be made.
        """
        with self._lock:
            if self._now() < self._due:
                return self._value
            try:
                value = self._mint()
            except PerennialError as error:
                if self._now() >= self._ends - _LATEST_SECONDS:
                    raise
                log.warning("no new identity token, the old one serves on: %s", error)
                self._due = self._now() + _AGAIN_SECONDS
            else:
                self._value, self._ends = value, ends_at(value)
                self._due = self._ends - _EARLY_SECONDS
            return self._value


def ends_at(token: str) -> float:
    """When a token ends (seconds since 1970), by its own word; 0 where it does not say.

    Its signature is for whoever is asked to check.
    """
    try:
        payload = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(said["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return 0.0
