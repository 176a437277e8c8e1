"""Calls the monitor function at intervals, as Cloud Scheduler does."""

from __future__ import annotations

import http.client
import threading
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from localdev.settings import TABLE

_SWEEP = TABLE["sweep"]


class Scheduler(threading.Thread):
    """Posts once at the start and then after every interval; a slow answer delays the next.

    Args:
        url: what is called.
        seconds: the real interval.
        log: a line for each call is appended here.
    """

    def __init__(self, url: str, seconds: float, log: Path) -> None:
        super().__init__(name="scheduler", daemon=True)
        self._url = urlsplit(url)
        self._seconds = seconds
        self._log = log
        self._over = threading.Event()

    def run(self) -> None:
        """Call until told to stop."""
        while not self._over.is_set():
            outcome = self._call()
            with self._log.open("a") as log:
                log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} {outcome}\n")
            self._over.wait(self._seconds)

    def stop(self) -> None:
        """Make no further call; one under way is not awaited."""
        self._over.set()

    def _call(self) -> str:
        connection = http.client.HTTPConnection(self._url.netloc, timeout=_SWEEP["attempt_seconds"])
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Google-Cloud-Scheduler",
            "X-CloudScheduler": "true",
        }
        try:
            connection.request(
                _SWEEP["method"], _SWEEP["path"], body=_SWEEP["body"].encode(), headers=headers
            )
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__}: {error}"
        else:
            return f"{answer.status} {answer.reason}"
        finally:
            connection.close()
