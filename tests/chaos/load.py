"""What goes on while the adversary is at work: files are dropped and predictions are asked."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Literal

import requests

from tests.bench.troubles import Trouble
from tests.chaos.bucket import CHUNK, Buckets

PIPELINE = "takings"
ROWS = 40
WHEN = datetime(2024, 1, 1, tzinfo=UTC)
"""What every prediction is asked for."""

DEFINITION = f"""
name: {PIPELINE}
task: regression
columns:
  when: {{type: timestamp, role: event_time}}
  visits: {{type: integer, rules: [{{range: [0, 1000]}}]}}
  note: {{type: text, role: ignore, nullable: true}}
  takings: {{type: number, role: label}}
training: {{model: linear, min_rows: {ROWS}}}
promotion: {{tolerance: 0.3, surprise: null, probation: null}}
"""
"""What is wanted is that everything is learned: no gate but a wide one may keep a version back."""

Kind = Literal["good", "bad", "large", "duplicate", "overwritten"]
_KINDS: tuple[Kind, ...] = ("good", "bad", "large", "duplicate", "overwritten")
_WEIGHTS = (60, 12, 8, 10, 10)


def content(number: int, *, bad: bool = False, padding: int = 0) -> bytes:
    """The file of the `number`-th day: unlike any other, and by the same law."""
    random = Random(number)
    day = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(days=number)
    lines = ["when,visits,note,takings"]
    for row in range(ROWS):
        visits = random.randrange(100) if not bad else -1 - random.randrange(100)
        takings = 10 + 3 * visits + random.gauss(0, 1)
        time_ = f"{day + timedelta(minutes=row):%Y-%m-%d %H:%M:%S}"
        lines.append(f"{time_},{visits},{'x' * padding},{takings:.3f}")
    return ("\n".join(lines) + "\n").encode()


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file that was uploaded.

    Attributes:
        name: of the object.
        kind: what it is meant to be.
        sha256: of its bytes.
    """

    name: str
    kind: Kind
    sha256: str


class Numbers:
    """Days that no file has yet, for several threads."""

    def __init__(self) -> None:
        self._next = 0
        self._lock = threading.Lock()

    def take(self) -> int:
        with self._lock:
            self._next += 1
            return self._next


class Dropping(Trouble):
    """Drops one file after another.

    Attributes:
        dropped: every upload that ended well.
    """

    def __init__(
        self, buckets: Buckets, numbers: Numbers, random: Random, seconds: float, who: str
    ) -> None:
        super().__init__()
        self.dropped: list[Dropped] = []
        self._buckets = buckets
        self._numbers = numbers
        self._random = random
        self._seconds = seconds
        self._who = who
        self._past: list[bytes] = []

    @property
    def cut(self) -> int:
        """How often a resumable upload was cut, and gone on with."""
        return self._buckets.cut

    def once(self) -> float:
        kind = self._random.choices(_KINDS, _WEIGHTS)[0]
        if kind == "duplicate" and not self._past:
            kind = "good"
        number = self._numbers.take()
        name = f"{PIPELINE}/{self._who}/{number:06d}.csv"
        match kind:
            case "duplicate":
                self._drop(name, kind, self._random.choice(self._past))
            case "overwritten":  # and the first generation may be gone before anybody looks
                self._drop(name, kind, content(number))
                self._drop(name, kind, content(self._numbers.take()))
            case "large":
                self._drop(name, kind, content(number, padding=2 * CHUNK // ROWS + 1000))
            case _:
                data = content(number, bad=kind == "bad")
                self._drop(name, kind, data)
                self._past.append(data)
        return self._random.uniform(0, 2 * self._seconds)

    def _drop(self, name: str, kind: Kind, data: bytes) -> None:
        self._buckets.upload(name, data, once=kind != "overwritten")
        self.dropped.append(Dropped(name, kind, hashlib.sha256(data).hexdigest()))
        self.happened["files dropped"] += 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request for a prediction.

    Attributes:
        asked, answered: when (seconds since 1970).
        status: of the HTTP answer; 0 where the connection failed.
        visits: what was asked about.
        version: the version that answered.
        prediction: what it said.
        detail: the beginning of an answer that is an error.
    """

    asked: float
    answered: float
    status: int
    visits: int
    version: str = ""
    prediction: float = 0.0
    detail: str = ""


@dataclass(slots=True)
class Asked:
    """Every answer, by several threads."""

    answers: list[Answer] = field(default_factory=list)

    @property
    def counts(self) -> Counter[int]:
        return Counter(answer.status for answer in self.answers)


class Asking(Trouble):
    """Asks for one prediction after another."""

    def __init__(self, url: Callable[[], str], asked: Asked, random: Random) -> None:
        super().__init__()
        self._url = url
        self._asked = asked
        self._random = random
        self._session = requests.Session()
        self._session.trust_env = False

    def once(self) -> float:
        visits, began = self._random.randrange(100), time.time()
        instance = {"when": f"{WHEN:%Y-%m-%d %H:%M:%S}", "visits": visits}
        try:
            answer = self._session.post(
                f"{self._url()}/v1/models/{PIPELINE}:predict",
                json={"instances": [instance]},
                timeout=30,
            )
        except requests.RequestException:
            self._asked.answers.append(Answer(began, time.time(), 0, visits))
            return 0.1
        ended = time.time()
        if answer.status_code != 200:
            found = Answer(began, ended, answer.status_code, visits, detail=answer.text[:300])
        else:
            document = answer.json()
            found = Answer(
                began, ended, 200, visits, document["model_version"], document["predictions"][0]
            )
        self._asked.answers.append(found)
        return 0.02
