"""One clock for every part of the local cloud, so that tests can make its time run faster."""

import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Wall-clock time, scaled: ``origin + (real time - origin) * scale``.

    Processes that are given the same scale and origin agree on the time.

    Args:
        scale: Virtual seconds that pass in one real second; above zero.
        origin: The moment, in seconds since 1970, at which virtual and real time are equal; the
            moment of construction if absent.

    Raises:
        ValueError: The scale is zero or below.
    """

    def __init__(self, scale: float = 1.0, origin: float | None = None) -> None:
        if scale <= 0:
            raise ValueError(f"A clock's scale must be above zero; found {scale}")
        self._scale = scale
        self._origin_ns = time.time_ns() if origin is None else round(origin * 1e9)

    def micros(self) -> int:
        """Virtual microseconds since 1970."""
        real_ns = time.time_ns()
        if self._scale == 1.0:
            return real_ns // 1000
        return (self._origin_ns + round((real_ns - self._origin_ns) * self._scale)) // 1000

    def now(self) -> datetime:
        """The virtual time, in UTC."""
        return _EPOCH + timedelta(microseconds=self.micros())

    def real_seconds(self, virtual_seconds: float) -> float:
        """How long to really wait until this many virtual seconds have passed."""
        return virtual_seconds / self._scale
