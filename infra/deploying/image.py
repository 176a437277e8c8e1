"""The training image: built by Cloud Build from the bundle's zip, found by the bundle's digest."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from infra.bundle import Bundle
from infra.deploying.errors import DeployError, Refused
from infra.deploying.google import Google
from infra.deploying.races import ATTEMPTS, PAUSE_SECONDS, race
from infra.deploying.voice import Voice
from infra.deploying.wanted import Wanted

TIMEOUT_SECONDS = 1800  # the packages take a few minutes
QUEUE_SECONDS = 900
FIRST_POLL_SECONDS = 5.0
LONGEST_POLL_SECONDS = 20.0

_DOCKER = "gcr.io/cloud-builders/docker"
_UNDER_WAY = ("STATUS_UNKNOWN", "PENDING", "QUEUED", "WORKING")
# With an account that was made a moment ago, these are its grants on their way.
_GRANTS_ON_THEIR_WAY = ("FETCH_SOURCE_FAILED", "PUSH_NOT_AUTHORIZED", "LOGGING_FAILURE")
_PYTHON = re.compile(r"^ARG PYTHON=(\S+)", re.MULTILINE)


class _Racing(DeployError):
    """A failure that time may cure."""


@dataclass(frozen=True, slots=True)
class TrainImage:
    """The image of one bundle in one deployment.

    Attributes:
        google: the APIs.
        wanted: the deployment.
        bundle: of the training job.
        python: its version of Python, as in `3.11`.
        voice: hears what is going on.
        sleep: waits for seconds.
    """

    google: Google
    wanted: Wanted
    bundle: Bundle
    python: str
    voice: Voice
    sleep: Callable[[float], None]

    @property
    def name(self) -> str:
        """Without tag or digest."""
        return f"{self.wanted.repository}/train"

    @property
    def tag(self) -> str:
        """Says which sources are in it, and which Python when it is not the Dockerfile's own."""
        default = _PYTHON.search(self.dockerfile)
        other = default is not None and default[1] != self.python
        return self.bundle.digest[:16] + (f"-python{self.python}" if other else "")

    @property
    def dockerfile(self) -> str:
        """What the bundle says of its image."""
        path = self.bundle.folder / "Dockerfile"
        if not path.is_file():
            raise DeployError(
                "functions/train has no Dockerfile, which the training image is built by."
            )
        return path.read_text("utf-8")

    def find(self) -> str | None:
        """The image pinned by its digest, if the repository has it.

        Raises:
            DeployError: when the repository cannot be asked.
        """
        where = (
            f"projects/{self.wanted.project}/locations/{self.wanted.region}"
            f"/repositories/{self.wanted.deployment}/packages/train/tags/{self.tag}"
        )
        try:
            found = self.google.call(
                "look for the training image", "GET", "artifactregistry", f"v1/{where}"
            )
        except Refused as refused:
            if refused.status == HTTPStatus.NOT_FOUND or refused.reason == "SERVICE_DISABLED":
                return None
            raise
        return f"{self.name}@{str(found['version']).rpartition('/')[2]}"

    def build(self) -> str:
        """Build it, or wait for a build that is under way; return it pinned by its digest.

        Raises:
            DeployError: when the build failed or took too long.
        """
        for left in reversed(range(ATTEMPTS)):
            try:
                return self._finish(self._under_way() or self._start())
            except _Racing as racing:
                if not left:
                    raise DeployError(str(racing)) from racing
                self.voice.say(
                    f"{racing}\nThe API or the build account is new, and its grants on their way: "
                    f"waiting {PAUSE_SECONDS:.0f} s."
                )
                self.sleep(PAUSE_SECONDS)
        raise AssertionError("the last attempt returns or raises")

    def request(self) -> dict[str, Any]:
        """What Cloud Build is asked for."""
        wanted, image = self.wanted, f"{self.name}:{self.tag}"
        account = f"{wanted.deployment}-build@{wanted.project}.iam.gserviceaccount.com"
        # Docker complains of arguments that a Dockerfile does not declare.
        declared = _PYTHON.search(self.dockerfile)
        python = ["--build-arg", f"PYTHON={self.python}"] if declared else []
        zip_name = self.bundle.zip.stem.removeprefix(f"{self.bundle.function}-")
        return {
            "source": {
                "storageSource": {
                    "bucket": wanted.bucket("sources"),
                    "object": f"{self.bundle.function}/{zip_name}.zip",
                }
            },
            "steps": [{"name": _DOCKER, "args": ["build", *python, "--tag", image, "."]}],
            "images": [image],
            "serviceAccount": f"projects/{wanted.project}/serviceAccounts/{account}",
            "options": {"logging": "CLOUD_LOGGING_ONLY"},  # an own account needs it said
            "timeout": f"{TIMEOUT_SECONDS}s",
            "queueTtl": f"{QUEUE_SECONDS}s",
            "tags": [wanted.deployment, "train"],
        }

    def _start(self) -> dict[str, Any]:
        try:
            operation = self.google.call(
                "start the build", "POST", "cloudbuild", f"v1/{self._builds}", self.request()
            )
        except Refused as refused:
            if race(refused.sentence):
                raise _Racing(str(refused)) from refused
            if "quota restrictions" in refused.sentence:
                raise DeployError(
                    f"{refused}. Google keeps Cloud Build from this project in "
                    f"{self.wanted.region}; functions are built there too. Ask Google's support "
                    "to lift it, or choose another REGION."
                ) from refused
            raise
        build: dict[str, Any] = operation["metadata"]["build"]
        self.voice.say(f"Cloud Build is at work; its log: {build.get('logUrl', 'not told')}")
        return build

    def _under_way(self) -> dict[str, Any] | None:
        """A build of this very image that an earlier call started and did not see end."""
        try:
            answer = self.google.call(
                "list the builds",
                "GET",
                "cloudbuild",
                f"v1/{self._builds}",
                params={"filter": 'status="WORKING" OR status="QUEUED"'},
            )
        except Refused as refused:
            # The first that is asked of an API that was perhaps enabled a moment ago.
            if race(f"{refused.reason} {refused.sentence}"):
                raise _Racing(str(refused)) from refused
            raise
        image = f"{self.name}:{self.tag}"
        for build in answer.get("builds", []):
            if image in build.get("images", []) and build.get("status") in _UNDER_WAY:
                self.voice.say(
                    f"A build of this image is at work already; its log: {build.get('logUrl')}"
                )
                found: dict[str, Any] = build
                return found
        return None

    def _finish(self, build: dict[str, Any]) -> str:
        pause, waited = FIRST_POLL_SECONDS, 0.0
        path = f"v1/{self._builds}/{build['id']}"
        while build.get("status", _UNDER_WAY[0]) in _UNDER_WAY:
            if waited > TIMEOUT_SECONDS + QUEUE_SECONDS:
                raise DeployError(
                    f"the build has not ended after {waited / 60:.0f} minutes; its log: "
                    f"{build.get('logUrl')}. Run this again to go on waiting for it."
                )
            self.sleep(pause)
            waited += pause
            pause = min(pause * 1.5, LONGEST_POLL_SECONDS)
            build = self.google.call("see how the build goes", "GET", "cloudbuild", path)
        if build["status"] != "SUCCESS":
            raise _failure(build)
        for image in build.get("results", {}).get("images", []):
            if image["name"] == f"{self.name}:{self.tag}":
                return f"{self.name}@{image['digest']}"
        raise DeployError(
            f"the build ended well and names no image; its log: {build.get('logUrl')}"
        )

    @property
    def _builds(self) -> str:
        return f"projects/{self.wanted.project}/locations/{self.wanted.region}/builds"


def placeholder(wanted: Wanted) -> str:
    """Stands for an image that is not built, where only a plan is made."""
    return f"{wanted.repository}/train@sha256:{'0' * 64}"


def _failure(build: dict[str, Any]) -> DeployError:
    failure = build.get("failureInfo", {})
    detail = build.get("statusDetail") or failure.get("detail") or "it gives no detail"
    message = (
        f"the training image was not built: {build['status']}, {detail}. "
        f"Its log: {build.get('logUrl', 'not told')}"
    )
    racing = failure.get("type") in _GRANTS_ON_THEIR_WAY
    return _Racing(message) if racing else DeployError(message)
