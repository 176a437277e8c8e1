"""The story's hands: the public commands and the public URLs, each with a time limit."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

PIPELINE = "shop"
_JSON = {"Content-Type": "application/json"}
_QUARANTINED = 3  # of `perennial drop`: done, and files are in quarantine
_PROBE_SECONDS = 3.0


class StepFailed(Exception):
    """A step of the story failed; the message is one clear line."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the predict function said about a batch.

    Attributes:
        version: the version that answered.
        bought: probability of a sale for each instance, in order.
    """

    version: str
    bought: tuple[float, ...]


class Tools:
    """Runs `perennial` and asks `predict`, for the shop in one local cloud.

    Args:
        directory: the cloud's DIR.
        patience: seconds that any command may take.
    """

    def __init__(self, directory: Path, patience: float) -> None:
        self.directory = directory
        self._patience = patience
        self._environment = os.environ | {"PERENNIAL_LOCAL": str(directory)}
        self._program = Path(sys.executable).with_name("perennial")

    def perennial(self, *arguments: str) -> Any:
        """Run a command and return its JSON document.

        Raises:
            StepFailed: it did not end in time, or failed; the message ends with the last line
                of its stderr.
        """
        line = shlex.join(("perennial", *arguments[:2]))
        done = (0, _QUARANTINED) if arguments[0] == "drop" else (0,)
        output = self._run([str(self._program), *arguments, "--json"], line, done)
        try:
            return json.loads(output)
        except ValueError:
            raise StepFailed(f"`{line}` did not print JSON but {output[:200]!r}") from None

    def predict(self, instances: Sequence[dict[str, object]], version: str | None = None) -> Answer:
        """Ask the predict function.

        Args:
            instances: rows, as mappings from column to value.
            version: the version to ask; the champion if absent.

        Raises:
            StepFailed: it does not answer, or not with predictions.
        """
        url = self.predict_url(version)
        try:
            response = httpx.post(url, json={"instances": list(instances)}, timeout=self._patience)
        except httpx.HTTPError as error:
            raise StepFailed(
                f"POST {url}: the predict function does not answer ({error}); "
                f"see {self.log('predict')}"
            ) from None
        if response.status_code != httpx.codes.OK:
            raise StepFailed(f"POST {url} answered {response.status_code}: {response.text[:300]}")
        predictions = response.json()["predictions"]
        return Answer(
            version=response.headers["X-Model-Version"],
            bought=tuple(float(one["probabilities"]["true"]) for one in predictions),
        )

    def curl(self, instances: Sequence[dict[str, object]]) -> tuple[str, dict[str, Any]]:
        """Ask the champion with `curl`; where there is none, send the same without it.

        Returns:
            The line to type, and the answer.

        Raises:
            StepFailed: no answer, or none with predictions.
        """
        url, body = self.predict_url(), json.dumps({"instances": list(instances)})
        command = ["curl", "-s", url, "-H", "Content-Type: application/json", "-d", body]
        if shutil.which("curl"):
            output = self._run(command, f"curl {url}")
        else:
            output = httpx.post(url, content=body, timeout=self._patience, headers=_JSON).text
        try:
            answer: dict[str, Any] = json.loads(output)
        except ValueError:
            answer = {}
        if "predictions" not in answer:
            raise StepFailed(f"curl {url} got no predictions but {output[:300]!r}")
        return shlex.join(command), answer

    def endpoints(self) -> dict[str, str]:
        """The local cloud's URLs by name, from DIR/endpoints.json."""
        document = json.loads((self.directory / "endpoints.json").read_text())
        return {k: v for k, v in document.items() if str(v).startswith("http")}

    def silent_parts(self) -> list[str]:
        """The parts of the local cloud that give no answer, as in DIR/endpoints.json."""
        return [part for part, url in self.endpoints().items() if not _answers(url)]

    def predict_url(self, version: str | None = None) -> str:
        """Where instances are posted: for the champion, or for the given version."""
        query = f"?version={version}" if version else ""
        return f"{self.endpoints()['predict']}/v1/models/{PIPELINE}:predict{query}"

    def log(self, part: str) -> Path:
        """Where a part of the local cloud writes its log."""
        return self.directory / "logs" / f"{part}.log"

    def _run(self, command: Sequence[str], line: str, success: Sequence[int] = (0,)) -> str:
        try:
            done = subprocess.run(
                command,
                env=self._environment,
                capture_output=True,
                text=True,
                timeout=self._patience,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise StepFailed(f"`{line}` did not end within {self._patience:g} s") from None
        except OSError as error:
            raise StepFailed(f"`{line}` does not start: {error}") from None
        if done.returncode not in success:
            said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise StepFailed(f"`{line}` failed: {said[-1]}")
        return done.stdout


def _answers(url: str) -> bool:
    """Whether a server gives any answer, soon, about a path that makes no function work."""
    try:
        httpx.get(f"{url}/robots.txt", timeout=_PROBE_SECONDS)
    except httpx.HTTPError:
        return False
    return True
