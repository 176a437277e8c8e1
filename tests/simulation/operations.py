"""What users and operators do, each a task of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

from perennial.errors import NotFoundError, RefusedError
from perennial.workflows import promotion
from perennial.workflows.apply import apply
from perennial.workflows.quarantine import Hospital
from perennial.workflows.recall import Recaller
from perennial.workflows.repairing import repair
from perennial.workflows.sweep import sweep
from perennial.workflows.verdicts import list_in_force
from tests.simulation.deployment import PIPELINE, Deployment
from tests.simulation.scheduler import START

DEFINITION = """
name: taps
task: binary
columns:
  at: {type: timestamp, role: event_time}
  heat: {type: number}
  open: {type: integer, role: label, classes: [0, 1]}
training:
  model: linear
  min_rows: 30
  seed: SEED
"""


class Operations:
    """Begins operations in a deployment.

    Args:
        deployment: where.
        settings: lines of the definition beside the columns.
    """

    def __init__(self, deployment: Deployment, settings: str) -> None:
        self.deployment = deployment
        self._definition = DEFINITION + settings
        self._days = 0
        self._recipes = 0
        self.unfinished: list[Callable[[], object]] = []

    def begin(self, operation: str) -> None:
        """Begin what a plan names."""
        verb, _, how = operation.partition(" ")
        if verb == "drop":
            self._drop(how)
        elif verb == "wait":
            self.deployment.clock.pass_(self.deployment.chance.uniform(600, 9000))
        elif verb == "predict":
            self._predict()
        elif operation == "restart predict":
            if self._predict_is_idle():
                self.deployment.restart_predict()
        else:
            self._command(verb)

    def apply(self) -> None:
        """Put the definition in force, and let nobody else act before that."""
        text = self._definition.replace("SEED", str(self._recipes))
        part = self.deployment
        apply(part.buckets, part.registry, part, part.clock, text, by="ann")

    def _drop(self, how: str) -> None:
        part, chance = self.deployment, self.deployment.chance
        day = self._days
        self._days += 1
        if how == "late" and day > 1:
            day -= 2
        wrong = range(40) if how == "flipped" else range(0)
        data = rows(f"day {self._days}", day, wrong=wrong)
        name = f"{PIPELINE}/day{self._days}.csv"
        if how == "again" and part.seen.uploads:
            data = chance.choice([*part.seen.uploads.values()])
        elif how == "over" and part.seen.uploads:
            name = chance.choice([file.name for file in part.seen.uploads])
        elif how == "bad":
            data = b"<html>502 Bad Gateway</html>\n" * 3
        elif how == "partly bad":
            data += b"2026-03-01T00:00:00,warm,1\n"
        elif how == "astray":
            name = f"tapz/day{self._days}.csv"
        part.upload(name, data, deliveries=chance.choice([0, 1, 1, 1, 2, 3]))

    def _predict_is_idle(self) -> bool:
        task = self.deployment.predicting
        return task is None or task.state == "done"

    def _predict(self) -> None:
        if self._predict_is_idle():
            part = self.deployment
            heat = part.chance.uniform(-2, 2)
            part.predicting = part.scheduler.spawn("predict", lambda: part.predict(heat))

    def _command(self, verb: str) -> None:
        part = self.deployment
        task = part.scheduler.spawn(verb, lambda: _expected(lambda: self._do(verb, task.random)))

    def _do(self, verb: str, chance: Random) -> None:
        part = self.deployment
        registry, clock = part.registry, part.clock
        told = {"by": "ann", "why": "a reason"}
        if verb == "sweep":
            sweep(part.buckets, registry, part, clock)
        elif verb == "apply":
            self._recipes += 1
            self.apply()
        elif verb == "retrain":
            registry.require(PIPELINE)
            part.launch(PIPELINE, force=True)
        elif verb == "rollback":
            promotion.rollback(registry, clock, PIPELINE, None, **told)
        elif verb == "pin":
            promotion.pin(registry, clock, PIPELINE, **told)
        elif verb == "unpin":
            promotion.unpin(registry, PIPELINE, **told)
        elif verb in ("approve", "reject"):
            getattr(promotion, verb)(registry, PIPELINE, None, **told)
        elif verb == "recall":
            self._recall(chance)
        else:
            self._heal(verb, chance)

    def _recall(self, chance: Random) -> None:
        part = self.deployment
        accepted = [
            one.file
            for one in list_in_force(part.buckets.data, PIPELINE)
            if one.decision == "accepted"
        ]
        if not accepted:
            return
        text = str(chance.choice(accepted).generation)
        recaller = Recaller(
            part.buckets, part.registry, part, part.clock, PIPELINE, without_champion=True
        )

        def recall() -> object:
            return recaller.recall(text, by="ann", why="a reason")

        # Whoever gets no answer says the same again, until it is answered.
        self.unfinished.append(recall)
        _expected(recall)
        self.unfinished.remove(recall)

    def _heal(self, verb: str, chance: Random) -> None:
        part = self.deployment
        hospital = Hospital(part.buckets, part.registry, part, part.clock, PIPELINE)
        held = [one.file for one in hospital.list() if one.state != "rows"]
        if not held:
            return
        file = chance.choice(held)
        if verb == "retry":
            hospital.retry(file, by="ann")
        elif verb == "repair":
            corrected = rows(f"repaired {file.stem}", self._days)
            repair(hospital, file, corrected, how="by hand", by="ann")
        else:
            getattr(hospital, verb)(file, by="ann", why="a reason")


def rows(key: str, day: int, *, wrong: range = range(0), count: int = 40) -> bytes:
    """A day of taps that open when it is hot; the rows in `wrong` say the opposite."""
    lines = ["at,heat,open"]
    for number in range(count):
        chance = Random(f"{key}/{number}")
        heat = chance.gauss(0, 1)
        opens = int(heat + chance.gauss(0, 0.3) > 0) ^ (number in wrong)
        time = START - timedelta(days=200 - day, minutes=-number)
        lines.append(f"{time:%Y-%m-%dT%H:%M:%S},{heat:.4f},{opens}")
    return ("\n".join(lines) + "\n").encode()


def _expected(command: Callable[[], object]) -> None:
    """What an operator may be told, without anything being wrong."""
    try:
        command()
    except (RefusedError, NotFoundError):
        return
