"""How badly delivery behaves, on a seeded dial, and how it retries."""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass

from localdev.settings import TABLE

_OVERLAP_SECONDS = 0.5
_PACE = 0.1
"""Pauses are a tenth of the platform's: somebody waits."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Fates of events; each follows from the seed and the event alone, not from timing.

    Attributes:
        duplicates: chance that an event that was delivered is delivered once more, and so on.
        loss: chance that an event is never delivered.
        delay_seconds: each event waits up to this long before its first delivery.
        shuffle: events are sent in random order within a window of this many.
        seed: of all of the above.
    """

    duplicates: float = 0.0
    loss: float = 0.0
    delay_seconds: float = 0.0
    shuffle: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError for what is out of range."""
        for name in ("duplicates", "loss"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 0 and below 1")
        if self.delay_seconds < 0 or self.shuffle < 1:
            raise ValueError("delay must not be negative, and shuffle at least 1")

    def lost(self, event: int) -> bool:
        """Whether this event is never delivered."""
        return self._random("loss", event).random() < self.loss

    def delay(self, event: int) -> float:
        """Seconds before the first delivery of this event."""
        return self._random("delay", event).uniform(0, self.delay_seconds)

    def repeats(self, event: int) -> list[float]:
        """Seconds after which this event is delivered again, for each duplicate of it.

        Some start while the first delivery is still being handled.
        """
        chance = self._random("duplicates", event)
        pauses = []
        while chance.random() < self.duplicates:
            pauses.append(chance.uniform(0, max(self.delay_seconds, _OVERLAP_SECONDS)))
        return pauses

    def order(self) -> random.Random:
        """The source of randomness for the order of events."""
        return self._random("shuffle", 0)

    def _random(self, what: str, event: int) -> random.Random:
        return random.Random(f"{self.seed}:{what}:{event}")  # noqa: S311 - a dial, not a secret


@dataclass(frozen=True, slots=True)
class Retry:
    """When an event that was not acknowledged is sent again.

    Attributes:
        attempts: after this many the event goes to the dead-letter file.
        first_seconds: the pause after the first failure; it doubles with each further one.
        longest_seconds: where it stops doubling.
        ack_deadline_seconds: an event whose handler has not answered by then is sent again, while
            the handler goes on.
    """

    attempts: int = TABLE["events"]["max_attempts"]
    first_seconds: float = TABLE["events"]["first_pause_seconds"] * _PACE
    longest_seconds: float = TABLE["events"]["longest_pause_seconds"] * _PACE
    ack_deadline_seconds: float = TABLE["events"]["ack_deadline_seconds"]

    def pause(self, attempts: int) -> float:
        """Seconds to wait after this many failed attempts, at least one."""
        return float(min(self.first_seconds * 2 ** (attempts - 1), self.longest_seconds))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Offer everything that can be turned as options."""
    dial, retry = Dial(), Retry()
    options: list[tuple[str, float, str, str]] = [
        ("--duplicates", dial.duplicates, "P", "chance that an event is delivered once more"),
        ("--loss", dial.loss, "P", "chance that an event is never delivered"),
        ("--delay", dial.delay_seconds, "S", "longest wait before a delivery"),
        ("--shuffle", dial.shuffle, "N", "random order within N events"),
        ("--seed", dial.seed, "N", "of all these chances"),
        ("--attempts", retry.attempts, "N", "failures that make an event a dead letter"),
        ("--retry-first", retry.first_seconds, "S", "pause after one failure, then doubled"),
        ("--retry-longest", retry.longest_seconds, "S", "longest pause"),
        ("--ack-deadline", retry.ack_deadline_seconds, "S", "without answer by then: sent again"),
        ("--senders", 4, "N", "deliveries at the same time"),
    ]
    group = parser.add_argument_group("event delivery")
    for flag, default, metavar, text in options:
        group.add_argument(
            flag,
            type=int if metavar == "N" else float,
            default=default,
            metavar=metavar,
            help=f"{text} (default {default:g})",
        )


def dial_of(arguments: argparse.Namespace) -> Dial:
    """The dial that the options set.

    Raises:
        ValueError: an option is out of its range.
    """
    return Dial(
        duplicates=arguments.duplicates,
        loss=arguments.loss,
        delay_seconds=arguments.delay,
        shuffle=arguments.shuffle,
        seed=arguments.seed,
    )


def retry_of(arguments: argparse.Namespace) -> Retry:
    """The retry policy that the options set."""
    return Retry(
        attempts=arguments.attempts,
        first_seconds=arguments.retry_first,
        longest_seconds=arguments.retry_longest,
        ack_deadline_seconds=arguments.ack_deadline,
    )
