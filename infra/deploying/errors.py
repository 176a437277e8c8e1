"""What stops a deployment.

DeployError
├── Refused          Google answered, and the answer is no
└── TerraformFailed  Terraform ended with an error
"""

from __future__ import annotations

import re
from itertools import pairwise

import requests

from perennial.adapters.google_errors import google_error

README = "infra/README.md"

_BLOCK = re.compile(r"^[│╷\s]*Error: ", re.MULTILINE)


class DeployError(Exception):
    """The deployment stops here; the message says why, and what to do about it."""


class Refused(DeployError):
    """A Google API answered with an error.

    Args:
        what: what was asked for, as it reads after "could not".
        response: the answer.

    Attributes:
        status: the HTTP status.
        reason: Google's word for it, such as SERVICE_DISABLED, else for the kind of error; empty
            when there is none.
        sentence: what Google says about it.
    """

    def __init__(self, what: str, response: requests.Response) -> None:
        error = google_error(response)
        self.status, self.sentence = error.code, error.sentence
        self.reason = error.reason or error.status
        super().__init__(f"could not {what}: {error}")


class TerraformFailed(DeployError):
    """Terraform ended with an error.

    Attributes:
        output: all that it printed.
    """

    def __init__(self, what: str, output: str, advice: str = "") -> None:
        self.output = output
        advice = advice or f"{README} says what can go wrong on a first apply and what to do."
        super().__init__(f"Terraform could not {what}; its own words are above. {advice}")

    @property
    def errors(self) -> tuple[str, ...]:
        """Its error messages, each with the lines that belong to it."""
        starts = [match.start() for match in _BLOCK.finditer(self.output)]
        return tuple(self.output[a:b] for a, b in pairwise([*starts, len(self.output)]))
