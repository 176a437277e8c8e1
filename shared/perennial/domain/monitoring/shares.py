"""Whether a share of some rows is more than chance makes of a smaller one."""

from __future__ import annotations

from math import sqrt

_NORMAL = 5.2
"""Standard deviations that chance exceeds once in ten million times."""


def beyond_chance(share: float, usual: float, rows: float) -> float:
    """From 1 on, so many rows hardly ever have this share where `usual` is the true one.

    >>> beyond_chance(0.5, 0.1, 100) > 1
    True
    >>> beyond_chance(0.5, 0.1, 4) > 1
    False
    """
    if not rows:
        return 0.0
    expected = min(max(usual, 1 / rows), 1 - 1 / rows) if rows > 1 else usual
    spread = sqrt(max(expected * (1 - expected), 1e-12) / rows)
    return (share - usual) / spread / _NORMAL


def at_least(bad: int, rows: int) -> float:
    """The share that so many bad ones among so many rows speak of at least (Wilson, 1927).

    At 99 %, on one side.
    """
    if not rows:
        return 0.0
    z = 2.326
    share, size = bad / rows, z * z / rows
    middle = share + size / 2
    reach = z * sqrt(share * (1 - share) / rows + size / (4 * rows))
    return max(0.0, (middle - reach) / (1 + size))
