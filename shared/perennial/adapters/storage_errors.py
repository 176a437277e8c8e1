"""What the Cloud Storage client raises, in the words of our own error tree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPException

import requests
import urllib3
from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from perennial.adapters import storage_status
from perennial.adapters.google_errors import google_error
from perennial.errors import PermissionDenied, StoreError, StoreUnavailable

# Without an answer, the outcome of a write is unknown.
_NO_ANSWER = (
    RetryError,
    TransportError,
    DataCorruption,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    HTTPException,
    ConnectionError,
    TimeoutError,
)


@contextmanager
def translated(
    action: str, bucket: str, name: str = "", *, not_found: type[StoreError] = StoreError
) -> Iterator[None]:
    """Raise the client's errors as ours, with what was tried and what came back.

    Args:
        action: what is tried, as in "read".
        bucket: the bucket's name.
        name: the object's name, empty for requests about the bucket.
        not_found: what a 404 means: `ObjectNotFound` where an object was asked for; anywhere
            else it is the bucket that is missing.
    """
    try:
        yield
    except (GoogleAPICallError, InvalidResponse, GoogleAuthError, *_NO_ANSWER) as error:
        place = f"gs://{bucket}/{name}" if name else f"gs://{bucket}"
        kind = not_found if _status(error) == HTTPStatus.NOT_FOUND else _kind(error)
        raise kind(f"{action} {place}: {_said(error)}", bucket=bucket, name=name) from error


def _kind(error: Exception) -> type[StoreError]:
    if isinstance(error, _NO_ANSWER):
        return StoreUnavailable
    if isinstance(error, GoogleAuthError):
        return PermissionDenied
    return storage_status.kind(_status(error))


def _status(error: Exception) -> int:
    if isinstance(error, InvalidResponse):
        return int(error.response.status_code)
    return int(getattr(error, "code", None) or 0)


def _said(error: Exception) -> str:
    """The service's own sentence where there is one; the client wraps it in URLs and bodies."""
    response = getattr(error, "response", None)
    if isinstance(response, requests.Response):
        return str(google_error(response))
    if isinstance(error, RetryError) and error.cause is not None:
        return f"no success after every retry; at last: {_said(error.cause)}"
    return f"{type(error).__name__}: {_root(error)}"


def _root(error: BaseException) -> BaseException:
    """What it all began with: libraries wrap "connection refused" in half a page."""
    while error.__context__ is not None:
        error = error.__context__
    return error
