"""What an operator does: every action asks for a reason, and is a workflow of the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from perennial.domain.judging.repairs import KINDS
from perennial.domain.judging.validation import Judgement
from perennial.domain.names import FileId
from perennial.domain.words import printable
from perennial.errors import NotFoundError, UserError
from perennial.wiring.console import Console
from perennial.workflows import promotion
from perennial.workflows.console.files import find_file
from perennial.workflows.quarantine import Hospital
from perennial.workflows.repairing import assess, fixed, repair
from perennial.workflows.retrain import begin
from perennial.workflows.verdicts import verdict_in_force

MOST_REASON = 1000
FORESEEN_BYTES = 16 << 20
"""Of larger files a page does not foresee what would come of them."""


@dataclass(frozen=True, slots=True)
class Order:
    """An action that is wanted.

    Attributes:
        console: the parts.
        pipeline: on which.
        subject: a version, or a file's stem; empty where it is about the pipeline.
        by: who wants it.
        why: the reason.
        form: whatever else the form holds.
    """

    console: Console
    pipeline: str
    subject: str
    by: str
    why: str
    form: Mapping[str, str]

    @property
    def hospital(self) -> Hospital:
        """The pipeline's."""
        return self.console.hospital(self.pipeline)

    @property
    def file(self) -> FileId:
        """The file that is meant.

        Raises:
            NotFoundError: when there is none.
        """
        return find_file(self.console.buckets.data, self.pipeline, self.subject).file


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an action.

    Attributes:
        message: a sentence.
        place: the page to go on with.
    """

    message: str
    place: str


@dataclass(frozen=True, slots=True)
class Action:
    """One kind of action.

    Attributes:
        title: as on its button.
        effect: what happens, a sentence; may name the subject.
        act: does it.
        danger: whether it takes something away from those who call or learn.
        heals: whether its subject is a file in quarantine, and not a version.
        foresee: what would come of it, line by line; None where nothing can be told before.
    """

    title: str
    effect: str
    act: Callable[[Order], Done]
    danger: bool = False
    heals: bool = False
    foresee: Callable[[Order], list[str]] | None = None


def _retrain(order: Order) -> Done:
    console = order.console
    begun = begin(console.registry, console.launcher, order.pipeline, by=order.by, why=order.why)
    place = f"/p/{order.pipeline}/runs/{quote(begun.short, safe='')}?since={quote(begun.since)}"
    return Done(f"{begun.short} was started", place)


def _approve(order: Order) -> Done:
    head = promotion.approve(
        order.console.registry, order.pipeline, order.subject, by=order.by, why=order.why
    )
    return Done(f"{head.champion} serves", f"/p/{order.pipeline}/versions")


def _reject(order: Order) -> Done:
    promotion.reject(
        order.console.registry, order.pipeline, order.subject, by=order.by, why=order.why
    )
    return Done(f"{order.subject} was turned down", f"/p/{order.pipeline}/versions")


def _rollback(order: Order) -> Done:
    console = order.console
    head = promotion.rollback(
        console.registry,
        console.clock,
        order.pipeline,
        order.subject or None,
        by=order.by,
        why=order.why,
    )
    return Done(f"{head.champion} serves, and is pinned", f"/p/{order.pipeline}")


def _pin(order: Order) -> Done:
    console = order.console
    head = promotion.pin(
        console.registry, console.clock, order.pipeline, by=order.by, why=order.why
    )
    return Done(f"{head.champion} is pinned", f"/p/{order.pipeline}")


def _unpin(order: Order) -> Done:
    promotion.unpin(order.console.registry, order.pipeline, by=order.by, why=order.why)
    return Done("nothing is pinned any more", f"/p/{order.pipeline}")


def _retry(order: Order) -> Done:
    verdict = order.hospital.retry(order.file, by=order.by, why=order.why)
    return _healed(order, verdict.decision, verdict.reason)


def _release(order: Order) -> Done:
    verdict = order.hospital.release(order.file, by=order.by, why=order.why)
    return _healed(order, verdict.decision, verdict.reason)


def _discard(order: Order) -> Done:
    verdict = order.hospital.discard(order.file, by=order.by, why=order.why)
    return _healed(order, verdict.decision, verdict.reason)


def _repair(order: Order) -> Done:
    file = order.file
    done = fixed(order.hospital, file, _fixes(order))
    how = f"{'; '.join(done.summary)}: {order.why}"
    verdict = repair(order.hospital, file, done.data, how=how, by=order.by)
    return _healed(order, verdict.decision, verdict.reason)


def _foresee_retry(order: Order) -> list[str]:
    large = _too_large(order, "retry")
    if large:
        return [large]
    return _told(order.hospital.foresee(order.file))


def _foresee_repair(order: Order) -> list[str]:
    if not order.form.get("fix"):
        return []
    large = _too_large(order, "repair")
    if large:
        return [large]
    done = fixed(order.hospital, order.file, _fixes(order))
    judged = assess(order.hospital, order.file, done.data)
    return [*done.summary, *done.diff, *_told(judged)]


def _too_large(order: Order, command: str) -> str:
    """Why a file is not judged only to show what would come of it; empty where it is.

    Anybody's look at a page would take the memory of the instance and the patience of the others.
    """
    file = order.file
    held = verdict_in_force(order.console.buckets.data, order.pipeline, file)
    if held is None or held.size <= FORESEEN_BYTES:
        return ""
    return (
        f"It has {held.size:,} bytes, more than is judged for a look: `perennial quarantine "
        f"{command} {order.pipeline} {file.generation} --dry-run` tells what would come of it."
    )


def _told(judgement: Judgement) -> list[str]:
    if judgement.accepted:
        return [f"It would be accepted, with {judgement.rows - judgement.set_aside:,} rows."]
    return ["It would stay in quarantine:", *(one.message for one in judgement.rejections)]


def _fixes(order: Order) -> list[str]:
    fixes = [one for one in order.form.get("fix", "").split() if one]
    if not fixes:
        raise UserError(f"say how to repair it: expected {KINDS}, with blanks between")
    return fixes


def _healed(order: Order, decision: str, reason: str) -> Done:
    said = f"it is {decision}" + (f": {reason}" if reason else "")
    return Done(said, f"/p/{order.pipeline}/files/{quote(order.subject, safe='')}")


ACTIONS: Mapping[str, Action] = {
    "retrain": Action(
        "Retrain now",
        "A training run starts, whether or not one is due. What it makes has to pass its gate.",
        _retrain,
    ),
    "approve": Action(
        "Approve", "{subject} serves from now on.", _approve
    ),
    "reject": Action("Reject", "{subject} is turned down, and does not serve.", _reject),
    "rollback": Action(
        "Roll back",
        "{subject} serves again and is pinned: later versions wait until it is unpinned.",
        _rollback,
        danger=True,
    ),
    "pin": Action(
        "Pin", "What serves goes on serving: later versions wait until it is unpinned.", _pin
    ),
    "unpin": Action("Unpin", "Later versions may serve again when they pass their gate.", _unpin),
    "retry": Action(
        "Judge again",
        "The file is judged again by the definition that is in force now.",
        _retry,
        heals=True,
        foresee=_foresee_retry,
    ),
    "release": Action(
        "Release",
        "The rows that training can read are accepted, whatever rules they break.",
        _release,
        danger=True,
        heals=True,
    ),
    "repair": Action(
        "Repair",
        "The file is learned from corrected bytes, if they break no rule. The original is kept.",
        _repair,
        heals=True,
        foresee=_foresee_repair,
    ),
    "discard": Action(
        "Discard", "The file is hidden for good; its bytes are deleted in the end.", _discard,
        danger=True, heals=True,
    ),
}  # fmt: skip


def action(name: str) -> Action:
    """An action by its name.

    Raises:
        NotFoundError: naming those that exist.
    """
    if name not in ACTIONS:
        raise NotFoundError(f"no action {name[:50]!r}; there are: {', '.join(ACTIONS)}")
    return ACTIONS[name]


def reason_of(given: str) -> str:
    """The reason that was given, in one line.

    Raises:
        UserError: where there is none, or one that is too long.
    """
    why = " ".join(printable(given, " ").split())
    if not why:
        raise UserError("say why: the reason is kept in the history")
    if len(why) > MOST_REASON:
        raise UserError(f"expected a reason of at most {MOST_REASON} characters")
    return why
