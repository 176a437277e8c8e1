"""The emulator as a child process: start it, kill it, start it again where it was."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

LOG_NAME = "storage.log"
_STOP_SECONDS = 10.0


class StorageServer:
    """One emulator process on one directory.

    Its URL stays the same over restarts, so that clients need not notice them. It ends with the
    process that started it, even if that one is killed.

    Args:
        directory: Where all state is kept; the process logs there too.
        buckets: Buckets to create if absent, each ``NAME`` or ``NAME:versioned``.
        notify: Buckets that record events.
        port: Port to listen on; 0 for any free one.
        arguments: Further command-line arguments.
    """

    def __init__(
        self,
        directory: Path,
        *,
        buckets: Sequence[str] = (),
        notify: Sequence[str] = (),
        port: int = 0,
        arguments: Sequence[str] = (),
    ) -> None:
        self.directory = directory
        self.port = port
        self._options = [*(f"--bucket={name}" for name in buckets)]
        self._options += [*(f"--notify={name}" for name in notify), *arguments]
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where it listens; known once it has been started."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended since."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process, if it has been started."""
        return self._process.pid if self._process else None

    def start(self) -> Self:
        """Start the process and wait until it accepts connections.

        Raises:
            RuntimeError: It ended instead; the message holds the end of its log.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        log = self.directory / LOG_NAME
        command = [sys.executable, "-m", "localdev.storage", f"--dir={self.directory}"]
        command += [f"--port={self.port}", "--until-stdin-closes", *self._options]
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        output = self._process.stdout
        line = output.readline() if output else ""
        if not line:
            self._process.wait()
            raise RuntimeError(f"The storage emulator did not start:\n{log.read_text()[-2000:]}")
        self.port = urlsplit(line.strip()).port or 0
        return self

    def stop(self) -> None:
        """End the process politely, or by force if it takes too long."""
        self._end(force=False)

    def kill(self) -> None:
        """End the process as a crash would: at once, wherever it is."""
        self._end(force=True)

    def restart(self) -> None:
        """Start again, on the same directory and port, what was killed or still runs."""
        self.stop()
        self.start()

    def _end(self, *, force: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill() if force else process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()

    def __enter__(self) -> Self:
        """Start, for the length of a ``with`` block."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()
