"""Log lines as Cloud Logging reads them from standard output: one JSON object each."""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import ClassVar

from perennial.domain.words import escaped


class JsonFormatter(logging.Formatter):
    """`severity`, `time`, `message`, `logger`, what was given as `extra`, and a traceback."""

    _OWN: ClassVar[frozenset[str]] = frozenset(vars(logging.makeLogRecord({})))

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        message = record.getMessage()
        if record.exc_info:
            message += "\n" + self.formatException(record.exc_info)
        extra = {key: value for key, value in vars(record).items() if key not in self._OWN}
        line = {
            "severity": record.levelname,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "message": message,
            "logger": record.name,
            **extra,
        }
        return escaped(json.dumps(line, default=str, ensure_ascii=False))


def configure(level: int = logging.INFO) -> None:
    """Send the package's log lines to standard output, as JSON. Once is enough, twice is safe."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("perennial")
    logger.handlers = [handler]
    logger.setLevel(level)
    logger.propagate = False


def write(line: bytes) -> None:
    """Send a line of JSON, its end included, to standard output: as a rule in one system call.

    Raises:
        OSError: when nobody reads it any more.
    """
    while line:
        line = line[os.write(1, line) :]
