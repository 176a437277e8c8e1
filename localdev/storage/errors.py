"""What the service refuses, as exceptions.

ApiError
├── BadRequest              400  the request makes no sense, or its checksum disagrees
├── Unauthorized            401  nobody has the token that was sent
├── Forbidden               403  whoever has it may not do this
├── NotFound                404  no such bucket, object, generation or upload session
├── Conflict                409  the bucket exists already, or is not empty
├── PreconditionFailed      412  somebody else was there first
├── RangeNotSatisfiable     416  the range begins past the end of the object
└── NotModified             304  a read whose "not match" condition did match
"""

from typing import Any, ClassVar


class ApiError(Exception):
    """An answer other than success; ``message`` is for people, ``reason`` for programs."""

    status: ClassVar[int]
    reason: ClassVar[str]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def to_json(self) -> dict[str, Any]:
        """The error in the shape of Google's JSON APIs."""
        return error_body(self.status, self.reason, self.message)


class BadRequest(ApiError):
    """The request cannot be understood, or what it declares about its content is wrong."""

    status = 400
    reason = "invalid"


class Unauthorized(ApiError):
    """The request says who sends it, and nobody is called so."""

    status = 401
    reason = "authError"


class Forbidden(ApiError):
    """Whoever sends the request has not been granted this."""

    status = 403
    reason = "forbidden"


class NotFound(ApiError):
    """The thing named in the request does not exist."""

    status = 404
    reason = "notFound"


class Conflict(ApiError):
    """The state of a bucket forbids the request."""

    status = 409
    reason = "conflict"


class PreconditionFailed(ApiError):
    """A condition on generation, metageneration or entity tag does not hold."""

    status = 412
    reason = "conditionNotMet"


class RangeNotSatisfiable(ApiError):
    """The requested range begins past the end of an object of ``size`` bytes."""

    status = 416
    reason = "requestedRangeNotSatisfiable"

    def __init__(self, message: str, size: int) -> None:
        super().__init__(message)
        self.size = size


class NotModified(ApiError):
    """The reader has this very state already."""

    status = 304
    reason = "notModified"


def error_body(status: int, reason: str, message: str) -> dict[str, Any]:
    """An error in the shape of Google's JSON APIs."""
    detail = {"message": message, "domain": "global", "reason": reason}
    return {"error": {"code": status, "message": message, "errors": [detail]}}
