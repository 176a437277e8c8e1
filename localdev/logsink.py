"""Routes prediction logs, and failed look-ups, to their bucket, as the deployment's log sink does.

It follows what `predict` writes to its log in DIR/logs. Cloud Logging writes new objects each hour;
here the hour's object grows every few seconds. An object is a function of a part of the log, which
DIR/predictions.json keeps, so that a restart writes the same again and no line is lost or doubled.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from localdev.settings import DEPLOYMENT, PREDICTIONS, PROJECT, REGION
from perennial.domain.log_names import LOOK_UPS
from perennial.domain.log_names import PREDICTIONS as ASKED

_STATE = "predictions.json"
_LOG_ID = "run.googleapis.com/stdout"
_MARKS = (f'"{ASKED}"'.encode(), f'"{LOOK_UPS}"'.encode())
_SECONDS = 2.0
_TIMEOUT_SECONDS = 2.0
_SHARD_BYTES = 8 * 1024 * 1024  # each flush writes the shard anew
_HOURS = 48  # of which the shards are counted


@dataclass(slots=True)
class _Shard:
    """The object that grows.

    Attributes:
        start: where in the log it begins, in bytes.
        hour: whose lines it holds, as the hour's first second in ISO 8601; empty before the first.
        shards: how many objects each of the last hours has.
    """

    start: int = 0
    hour: str = ""
    shards: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The object's, in Cloud Logging's layout."""
        hour = datetime.fromisoformat(self.hour)
        return f"{_LOG_ID}/{hour:%Y/%m/%d/%H:00:00_%H:59:59}_S{self.shards[self.hour] - 1}.json"

    def next(self, start: int, hour: str) -> _Shard:
        """The one after it."""
        shards = {**self.shards, hour: self.shards.get(hour, 0) + 1}
        return _Shard(start, hour, dict(sorted(shards.items())[-_HOURS:]))


class LogSink(threading.Thread):
    """Flushes every few seconds, and once more when it is stopped.

    Args:
        directory: the cloud's DIR.
        storage: base URL of the emulator.
        seconds: the real time between flushes.
        shard_bytes: from this size on the next lines go to another object of the hour.
    """

    def __init__(
        self,
        directory: Path,
        storage: str,
        *,
        seconds: float = _SECONDS,
        shard_bytes: int = _SHARD_BYTES,
    ) -> None:
        super().__init__(name="logsink", daemon=True)
        self._log = directory / "logs" / "predict.log"
        self._state = directory / _STATE
        self._storage = urlsplit(storage)
        self._seconds = seconds
        self._shard_bytes = shard_bytes
        self._over = threading.Event()
        self._shard = self._resume()
        self._read = self._shard.start
        self._entries = bytearray()
        self._dirty = False

    def run(self) -> None:
        """Flush until told to stop."""
        while not self._over.wait(self._seconds):
            self._try_flush()

    def stop(self) -> None:
        """Flush a last time; the emulator must still be there."""
        self._over.set()
        if self.is_alive():
            self.join(_TIMEOUT_SECONDS)
        self._try_flush()

    def flush(self) -> None:
        """Write what has come since the last time.

        Raises:
            OSError, http.client.HTTPException: when the emulator does not take it; nothing is lost.
        """
        self._upload()  # what the last attempt may have left
        for start, line in self._lines():
            entry = _entry(line, start)
            if entry is not None:
                self._add(start, *entry)
            self._read = start + len(line)
        self._upload()

    def _try_flush(self) -> None:
        # The emulator may be on its way up again; the next flush writes it all.
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.flush()

    def _add(self, start: int, hour: str, entry: bytes) -> None:
        if hour != self._shard.hour or len(self._entries) >= self._shard_bytes:
            self._upload()
            self._begin(self._shard.next(start, hour))
        self._entries += entry
        self._dirty = True

    def _begin(self, shard: _Shard) -> None:
        """Remember where an object begins, before any of it is written."""
        partial = self._state.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(shard)))
        partial.replace(self._state)
        self._shard, self._entries = shard, bytearray()

    def _resume(self) -> _Shard:
        try:
            return _Shard(**json.loads(self._state.read_text()))
        except FileNotFoundError:
            return _Shard()

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Each whole line that is new, and where it begins."""
        try:
            log = self._log.open("rb")
        except FileNotFoundError:
            return
        with log:
            if log.seek(0, os.SEEK_END) < self._read:  # somebody emptied it
                self._upload()
                self._read = 0
                self._begin(_Shard(0, "", self._shard.shards))
            log.seek(self._read)
            for line in log:
                if not line.endswith(b"\n"):
                    return
                yield self._read, line

    def _upload(self) -> None:
        if not self._dirty:
            return
        connection = http.client.HTTPConnection(self._storage.netloc, timeout=_TIMEOUT_SECONDS)
        path = f"/upload/storage/v1/b/{PREDICTIONS}/o?uploadType=media&name="
        try:
            connection.request(
                "POST",
                path + quote(self._shard.name, safe=""),
                body=bytes(self._entries),
                headers={"Content-Type": "application/json"},
            )
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK:
            raise http.client.HTTPException(f"{answer.status} {answer.reason}")
        self._dirty = False


def _entry(line: bytes, start: int) -> tuple[str, bytes] | None:
    """The hour and the log entry of a line; None for one that the sink's filter leaves out.

    Args:
        line: of the function's output.
        start: where it begins, which tells it from its like.
    """
    if not any(mark in line for mark in _MARKS):
        return None
    try:
        payload: dict[str, Any] = json.loads(line)
        if not _is_kept(payload):
            return None
        severity, timestamp = payload.pop("severity"), payload.pop("time")
        time = datetime.fromisoformat(timestamp).astimezone(UTC)
    except (ValueError, KeyError, AttributeError, TypeError):
        return None  # it only mentions the logger
    service = f"{DEPLOYMENT}-predict"
    entry = {
        "insertId": f"{start:016x}",
        "jsonPayload": payload,
        "logName": f"projects/{PROJECT}/logs/{quote(_LOG_ID, safe='')}",
        "receiveTimestamp": timestamp,
        "resource": {
            "labels": {
                "configuration_name": service,
                "location": REGION,
                "project_id": PROJECT,
                "revision_name": f"{service}-00001-local",
                "service_name": service,
            },
            "type": "cloud_run_revision",
        },
        "severity": severity,
        "timestamp": timestamp,
    }
    text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
    return f"{time:%Y-%m-%dT%H:00:00}+00:00", text.encode() + b"\n"


def _is_kept(payload: dict[str, Any]) -> bool:
    """What the sink's filter in infra/logs.tf says."""
    logger = payload.get("logger")
    return logger == ASKED or (logger == LOOK_UPS and "failed_lookup" in payload)
