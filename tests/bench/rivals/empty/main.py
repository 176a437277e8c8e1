"""An empty function on the asyncio server: the least that any function costs."""

from __future__ import annotations

from typing import Any


async def empty(_: Any) -> dict[str, list[int]]:
    """Answer without looking."""
    return {"predictions": [0]}
