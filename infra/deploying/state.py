"""The bucket in which Terraform keeps what it knows, so that teammates share it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from infra.deploying.errors import DeployError, Refused
from infra.deploying.google import Google
from infra.deploying.wanted import State, Wanted

PREFIX = "terraform"
_LABEL = "environment"


@dataclass(frozen=True, slots=True)
class Found:
    """A state bucket that exists.

    Attributes:
        state: the bucket, and the prefix in it.
        environment: which environment was applied last; None when nobody noted it.
    """

    state: State
    environment: str | None = None


class StateBuckets:
    """Finds and makes the state bucket of a deployment.

    Args:
        google: the APIs.
        wanted: the deployment.
        number: of the project.
    """

    def __init__(self, google: Google, wanted: Wanted, number: str) -> None:
        self._google = google
        self._wanted = wanted
        self._number = number
        self._own = wanted.bucket("state")

    def find(self) -> Found | None:
        """The bucket, if it is there.

        Raises:
            DeployError: it is not this project's, it lies in another region, or it is one that was
                named and does not exist.
        """
        if self._wanted.state:
            return self._named(self._wanted.state)
        try:
            bucket = self._read(self._own)
        except Refused as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return None
            if refused.status == HTTPStatus.FORBIDDEN:
                raise DeployError(_taken(self._own)) from refused
            raise
        # A state in a stranger's bucket would let the stranger decide what is deployed.
        if str(bucket.get("projectNumber", self._number)) != self._number:
            raise DeployError(_taken(self._own))
        location = str(bucket.get("location", self._wanted.region)).lower()
        if location != self._wanted.region:
            raise DeployError(
                f"this deployment lies in {location}, and Terraform would delete and make all of "
                f"it to move it to {self._wanted.region}. Use REGION={location}, or another name "
                "with DEPLOYMENT=…"
            )
        labels = bucket.get("labels", {})
        return Found(State(self._own, PREFIX), labels.get(_LABEL))

    def create(self, environment: str) -> Found:
        """Make it: versioned, in the deployment's region, and nobody's but the project's.

        Args:
            environment: which one is about to be applied.

        Raises:
            DeployError: when the name is taken, or the region does not exist.
        """
        try:
            self._google.call(
                f"make bucket {self._own}",
                "POST",
                "storage",
                "storage/v1/b",
                {
                    "name": self._own,
                    "location": self._wanted.region,
                    "labels": {_LABEL: environment},
                    "versioning": {"enabled": True},
                    "iamConfiguration": {
                        "uniformBucketLevelAccess": {"enabled": True},
                        "publicAccessPrevention": "enforced",
                    },
                },
                {"project": self._wanted.project},
            )
        except Refused as refused:
            if refused.status == HTTPStatus.CONFLICT:
                # Ours, when the answer to an earlier attempt was lost.
                if found := self.find():
                    return found
                raise DeployError(_taken(self._own)) from refused
            if "location" in refused.sentence.lower():
                raise DeployError(
                    f"{refused}. Is there a region {self._wanted.region}? "
                    "https://cloud.google.com/about/locations lists them."
                ) from refused
            raise
        return Found(State(self._own, PREFIX), environment)

    def note_environment(self, found: Found, environment: str) -> None:
        """Remember what was applied, so that the next time needs no ENV.

        Raises:
            DeployError: when it cannot be written.
        """
        if found.environment != environment and found.state.bucket == self._own:
            self._google.call(
                f"note the environment on {self._own}",
                "PATCH",
                "storage",
                f"storage/v1/b/{self._own}",
                {"labels": {_LABEL: environment}},
            )

    def _named(self, state: State) -> Found:
        try:
            self._read(state.bucket)
        except Refused as refused:
            raise DeployError(
                f"the state bucket {state.bucket} that you named cannot be used: {refused}."
            ) from refused
        return Found(state)

    def _read(self, bucket: str) -> dict[str, Any]:
        return self._google.call(
            f"read bucket {bucket}", "GET", "storage", f"storage/v1/b/{bucket}"
        )


def choose_environment(wanted: Wanted, found: Found | None) -> str:
    """The environment that was named, else the one that was applied last, else dev.

    Raises:
        DeployError: with a state of one's own, where nothing remembers the last one.
    """
    if wanted.environment:
        return wanted.environment
    if wanted.state:
        raise DeployError("with STATE=… name ENV=… too: nothing remembers which one was applied.")
    return (found and found.environment) or "dev"


def _taken(bucket: str) -> str:
    return (
        f"the bucket name {bucket} belongs to another project, and names of buckets are global. "
        "Name a bucket of yours for the state with STATE=gs://bucket/prefix, or another "
        "deployment with DEPLOYMENT=…"
    )
