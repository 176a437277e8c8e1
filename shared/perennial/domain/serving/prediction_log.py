"""A line of the prediction log: what was asked, what was answered, by which version, or why not.

What skew monitoring, late labels and feedback-loop checks read. A line is bounded: it tells of at
most `MAX_INSTANCES` instances, evenly spread over a larger request, and of fewer where it would
have more than `MAX_BYTES`; `count` is the whole request's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from perennial.domain.definitions.serving_settings import ServingSettings
from perennial.domain.log_names import PREDICTIONS
from perennial.domain.words import escaped

MAX_INSTANCES = 100
MAX_BYTES = 128 * 1024
"""Half of what Cloud Logging takes as one entry."""

_CHARACTERS = 1000  # of a text that a line repeats


@dataclass(frozen=True, slots=True)
class ShadowAnswer:
    """What a challenger says to the logged instances, or why it says nothing.

    Attributes:
        version: the challenger.
        predictions: one for each logged instance; empty where there is an error.
        error: why there are none.
    """

    version: str
    predictions: Sequence[object] = ()
    error: str = ""


def _line(document: Mapping[str, Any]) -> bytes:
    """JSON and the line's end; what callers sent steers no terminal that shows the log."""
    line = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    plain = line.isascii() and b"\x7f" not in line  # as nearly all are
    return line if plain else escaped(line.decode()).encode()


@dataclass(slots=True)  # not frozen: one is made for each request, and freezing costs a tenth
class Exchange:
    """A request and its answer.

    Attributes:
        request: the request's id.
        pipeline: the pipeline.
        version: the version that answered.
        fields: the columns that it reads.
        instances: as the caller sent them; the version has read them.
        predictions: one for each.
        at: when the answer was ready (UTC).
        latency_ms: milliseconds from the request's arrival until then.
        holdout: whether the caller was told to do without the predictions.
    """

    request: str
    pipeline: str
    version: str
    fields: Sequence[str]
    instances: Sequence[object]
    predictions: Sequence[object]
    at: datetime
    latency_ms: float
    holdout: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that got no prediction. Nothing that its caller sent is in its line.

    Attributes:
        request: the request's id.
        pipeline: the pipeline.
        version: the version that would have answered; None where none was found.
        status: of the answer.
        problem: the type of the problem, as the answer has it.
        at: when the answer was ready (UTC).
        latency_ms: milliseconds from the request's arrival until then.
    """

    request: str
    pipeline: str
    version: str | None
    status: int
    problem: str
    at: datetime
    latency_ms: float

    def line(self) -> bytes:
        """The line, its end included: like those of answers, of no instances."""
        by = f"{self.pipeline} {self.version}" if self.version else self.pipeline
        document = {
            "severity": "INFO",
            "time": self.at,
            "message": f"{by} refused: {self.status} {self.problem}",
            "logger": PREDICTIONS,
            "format": 1,
            "request": self.request,
            "pipeline": self.pipeline,
            "version": self.version,
            "count": 0,
            "latency_ms": round(self.latency_ms, 3),
            "instances": [],
            "status": self.status,
            "problem": self.problem,
        }
        return _line(document)


@dataclass(slots=True)  # not frozen: one is made for each request, and freezing costs a tenth
class Entry:
    """One line in the making.

    Attributes:
        exchange: what it tells of.
        settings: what may be written.
        features: whether features are.
        places: which of the instances it tells of, from 0.
        cut: what had to go, as one instance alone would have made the line too long.
    """

    exchange: Exchange
    settings: ServingSettings
    features: bool
    places: Sequence[int]
    cut: tuple[str, ...] = ()

    @property
    def instances(self) -> list[object]:
        """Those that it tells of."""
        given = self.exchange.instances
        return [given[place] for place in self.places]

    def line(self, shadow: ShadowAnswer | None = None) -> bytes:
        """The line, its end included: at most `MAX_BYTES` of JSON.

        Args:
            shadow: what a challenger says to `instances`.
        """
        line = _line(self._document(shadow))
        if len(line) <= MAX_BYTES:
            return line
        if len(self.places) > 1:
            half = shadow and replace(shadow, predictions=shadow.predictions[::2])
            return replace(self, places=self.places[::2]).line(half)
        if self.features:
            return replace(self, features=False, cut=("features",)).line(shadow)
        return replace(self, cut=(*self.cut, "instances")).line()

    def _document(self, shadow: ShadowAnswer | None) -> dict[str, object]:
        exchange = self.exchange
        count = len(exchange.instances)
        document: dict[str, object] = {
            "severity": "INFO",
            "time": exchange.at,
            "message": f"{exchange.pipeline} {exchange.version} answered {count}",
            "logger": PREDICTIONS,
            "format": 1,
            "request": exchange.request,
            "pipeline": exchange.pipeline,
            "version": exchange.version,
            "count": count,
            "latency_ms": round(exchange.latency_ms, 3),
            "instances": [] if "instances" in self.cut else self._told(count),
        }
        if exchange.holdout:
            document["holdout"] = True
        if len(self.places) < count:
            document["left_out"] = count - len(self.places)
        if self.cut:
            document["cut"] = self.cut
        if shadow is not None:
            said = {"error": shadow.error} if shadow.error else {"predictions": shadow.predictions}
            document["shadow"] = {"version": shadow.version, **said}
        return document

    def _told(self, count: int) -> list[dict[str, object]]:
        exchange, settings = self.exchange, self.settings
        fields, keys, hidden = exchange.fields, settings.keys, settings.leave_out
        if hidden:
            fields = [name for name in fields if name not in hidden]
            keys = tuple(name for name in keys if name not in hidden)
        whole = len(self.places) == count
        lines: list[dict[str, object]] = []
        for place in self.places:
            instance = exchange.instances[place]
            if not isinstance(instance, dict):
                continue  # no version has read it
            read = {name: instance[name] for name in fields if name in instance}
            told: dict[str, object] = {
                "digest": _digest(read),
                "prediction": exchange.predictions[place],
            }
            if not whole:
                told["place"] = place
            if self.features:
                told["features"] = {name: _short(value) for name, value in read.items()}
            if keys:
                told["keys"] = {name: _scalar(instance.get(name)) for name in keys}
            lines.append(told)
        return lines


def spread(count: int) -> range | list[int]:
    """The places of the instances that a line tells of: all, or evenly spread ones."""
    if count <= MAX_INSTANCES:
        return range(count)
    return [place * count // MAX_INSTANCES for place in range(MAX_INSTANCES)]


def _digest(features: Mapping[str, object]) -> str:
    """What tells equal instances: of what the model reads of them and a line may hold.

    Nothing else is in it, because what is digested can be guessed.
    """
    canonical = orjson.dumps(features, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()[:16]


def _short(value: object) -> object:
    if isinstance(value, str) and len(value) > _CHARACTERS:
        return value[: _CHARACTERS - 1] + "…"
    return value


def _scalar(value: object) -> object:
    """A key's value; nobody has checked what the caller sent."""
    return None if isinstance(value, list | dict) else _short(value)
