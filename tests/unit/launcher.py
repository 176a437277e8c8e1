"""A platform for tests, where nothing runs by itself."""

from __future__ import annotations


class Launcher:
    """Starts nothing, and knows which executions are over."""

    def __init__(self) -> None:
        self.ended: set[str] = set()

    def launch(self, pipeline: str, *, force: bool = False) -> str:
        return "never"

    def launch_task(self, task: str, pipeline: str, subject: str) -> str:
        return "never"

    def has_ended(self, execution: str) -> bool:
        return execution in self.ended
