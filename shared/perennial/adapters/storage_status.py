"""What a status of Cloud Storage means, in the words of our own error tree."""

from __future__ import annotations

from http import HTTPStatus

from perennial.errors import PermissionDenied, PreconditionFailed, StoreError, StoreUnavailable

_KINDS: dict[int, type[StoreError]] = {
    HTTPStatus.UNAUTHORIZED: PermissionDenied,
    HTTPStatus.FORBIDDEN: PermissionDenied,
    HTTPStatus.PRECONDITION_FAILED: PreconditionFailed,
    HTTPStatus.REQUEST_TIMEOUT: StoreUnavailable,
    HTTPStatus.TOO_MANY_REQUESTS: StoreUnavailable,
}


def kind(status: int) -> type[StoreError]:
    """The error that a status is; what a 404 means depends on what was asked for."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return StoreUnavailable
    return _KINDS.get(status, StoreError)
