"""What a Google API says when it answers with an error."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests


@dataclass(frozen=True, slots=True)
class GoogleError:
    """An error; as text, its code and its sentence.

    Attributes:
        code: the HTTP status.
        sentence: Google's own, or the status line's where somebody else answered.
        reason: Google's word for why, such as SERVICE_DISABLED; empty when there is none.
        status: Google's word for the kind of error, such as NOT_FOUND; empty when there is none.
    """

    code: int
    sentence: str
    reason: str = ""
    status: str = ""

    def __str__(self) -> str:
        """The code and the sentence."""
        return f"{self.code} {self.sentence}"


def google_error(response: requests.Response) -> GoogleError:
    """Read what a response says; any response can be read."""
    return read_error(response.status_code, response.reason, response.content)


def read_error(code: int, words: str | None, body: bytes) -> GoogleError:
    """Read what an answer says; any answer can be read.

    Args:
        code: the HTTP status.
        words: the status line's.
        body: JSON where Google answered.
    """
    try:
        error: Any = json.loads(body)["error"]
        sentence = str(error["message"])
    except (ValueError, KeyError, TypeError):
        return GoogleError(code, words or "without a word")
    return GoogleError(code, sentence, _reason(error), str(error.get("status") or ""))


def _reason(error: dict[str, Any]) -> str:
    """The first that is named: newer APIs do it in `details`, older ones in `errors`."""
    for details in (error.get("details"), error.get("errors")):
        for detail in details if isinstance(details, list) else ():
            if isinstance(detail, dict) and detail.get("reason"):
                return str(detail["reason"])
    return ""
