"""The registry's state, and every change that a run may make; people's are in `decisions`.

A `Head` is frozen; a transition is a plain function from one head to the next that raises when the
rules forbid it. Nothing here reads, writes, or knows the time: see `workflows.registry` for the
one loop that commits.

Standard library only, because `predict` ships with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, Literal, Self

from perennial.domain.versioning.manifest import Manifest
from perennial.errors import ClaimLost, CommitConflict, DigestMismatch, ModelError, RefusedError

_SHOWN = 80  # characters of what another manifest says

Status = Literal["approved", "waiting", "rejected", "superseded", "withdrawn", "recalled"]
"""`rejected`: by its duel or by a person. `superseded`: a newer version passed while it waited.
`withdrawn`: probation went back to one before it. `recalled`: it learned from a file that was
recalled. Neither serves again."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right of one run to work on the pipeline, until its deadline.

    Attributes:
        epoch: increases with every claim; every commit of a run requires its own.
        run: the run's id.
        deadline: after it anyone may claim (UTC).
        execution: the platform's name of the process, so that a dead one can be told.
        deaths: how many runs in a row before it died without giving their claims back.
    """

    epoch: int
    run: str
    deadline: datetime
    execution: str = ""
    deaths: int = 0


@dataclass(frozen=True, slots=True)
class Pin:
    """An operator's word that the champion stays, whatever is trained."""

    by: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far in event time a pipeline's accepted files reach, as its last run found them.

    Attributes:
        time: the latest place in time of any of them (UTC).
        generation: of the file that reaches so far.
    """

    time: datetime
    generation: int


@dataclass(frozen=True, slots=True)
class Head:
    """A pipeline's registry at one commit.

    Attributes:
        number: commits so far; the first is 1.
        commit: this commit's id.
        parent: id of commit `number - 1`; empty for the first.
        definition: digest of the definition in force.
        champion: the version that serves.
        predecessors: earlier champions, the latest first, without repeats.
        statuses: of every version that a run has brought in.
        superseded: for each superseded version, the newer one that passed while it waited.
        pin: set by a rollback; while it stands nothing is promoted.
        claim: of the run at work.
        epoch: of the latest claim ever made.
        learned_through: every accepted file up to this generation was considered by `last_run`,
            as far as its listing showed; files that surface later are found by full listings.
        last_run: the run whose record lists what has been considered.
        recalls: how often files were recalled: what a run listed before the last time is stale.
        relearn: whether a run is due whatever the trigger says, because a recall took back what
            had been learned.
        watermark: how far the accepted files reached in the listing of the last run that is done;
            None before the first, and where rows have no event time.
        manifests: SHA-256, in hex, of the manifest of every version that may serve, or may come to;
            not of those that earlier releases brought in.
    """

    pipeline: str
    number: int = 0
    commit: str = ""
    parent: str = ""
    definition: str = ""
    champion: str | None = None
    predecessors: tuple[str, ...] = ()
    statuses: Mapping[str, Status] = field(default_factory=dict)
    pin: Pin | None = None
    claim: Claim | None = None
    epoch: int = 0
    learned_through: int = 0
    last_run: str = ""
    superseded: Mapping[str, str] = field(default_factory=dict)
    recalls: int = 0
    relearn: bool = False
    watermark: Watermark | None = None
    manifests: Mapping[str, str] = field(default_factory=dict)
    format: int = 1

    def to_json(self) -> bytes:
        """The stored form."""
        return json.dumps(asdict(self), default=datetime.isoformat, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form."""
        return cls.from_document(json.loads(data))

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Read the stored form, parsed; what a later release added means nothing here."""
        document = _known(cls, document)
        if pin := document["pin"]:
            document["pin"] = Pin(**_known(Pin, {**pin, "at": datetime.fromisoformat(pin["at"])}))
        if claim := document["claim"]:
            deadline = datetime.fromisoformat(claim["deadline"])
            document["claim"] = Claim(**_known(Claim, {**claim, "deadline": deadline}))
        if watermark := document.get("watermark"):  # since 0.1.0 only
            time = datetime.fromisoformat(watermark["time"])
            document["watermark"] = Watermark(time, watermark["generation"])
        document["predecessors"] = tuple(document["predecessors"])
        return cls(**document)

    @property
    def approved(self) -> frozenset[str]:
        """Every version that may serve."""
        return frozenset(v for v, status in self.statuses.items() if status == "approved")

    @property
    def waiting(self) -> tuple[str, ...]:
        """The versions that a person may approve, oldest first."""
        return tuple(v for v, status in self.statuses.items() if status == "waiting")

    def standing(self, version: str) -> str:
        """A version's status in words: `rejected`, `superseded by v000005`, …"""
        by = self.superseded.get(version)
        return f"superseded by {by}" if by else self.statuses[version]

    def claim_lives(self, now: datetime) -> bool:
        """Whether a run may still be at work."""
        return self.claim is not None and now < self.claim.deadline


@dataclass(frozen=True, slots=True)
class Commit:
    """One entry of the history: who did what and why, and the head that came of it.

    Attributes:
        action: `apply`, `claim`, `release`, `promote`, `judge`, `approve`, `reject`, `rollback`,
            `unpin`, `return`, `recall`, `import`.
        by: a person, or `run {id}`.
        why: a person's reason, or the rule that decided.
        version: the version it is about, where it is about one.
        head: the state after it.
        decision: the decision about a file that it follows from, as `{stem}.{number}`; empty where
            it follows from none.
    """

    action: str
    by: str
    why: str
    at: datetime
    head: Head
    version: str | None = None
    decision: str = ""
    format: int = 1

    def to_json(self) -> bytes:
        """The stored form."""
        return json.dumps(asdict(self), default=datetime.isoformat, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read the stored form; what a later release added means nothing here."""
        document = _known(cls, json.loads(data))
        document["at"] = datetime.fromisoformat(document["at"])
        document["head"] = Head.from_document(document["head"])
        return cls(**document)


def _known(cls: type, document: Mapping[str, Any]) -> dict[str, Any]:
    return {item.name: document[item.name] for item in fields(cls) if item.name in document}


def verify_manifest(head: Head, version: str, data: bytes) -> None:
    """Refuse a version's manifest that is not the one that the head states, where it states one.

    Args:
        head: the registry.
        version: which.
        data: bytes of its `manifest.json`.

    Raises:
        DigestMismatch: naming both.
    """
    stated = head.manifests.get(version, "")
    found = hashlib.sha256(data).hexdigest()
    if stated and found != stated:
        raise DigestMismatch(
            f"{head.pipeline} {version}: manifest.json has digest {found[:12]}…; "
            f"the registry states {stated[:12]}…"
        )


def read_manifest(pipeline: str, version: str, data: bytes) -> Manifest:
    """Read a version's `manifest.json`.

    Raises:
        ModelError: when it cannot be read, or is another version's.
    """
    try:
        manifest = Manifest.from_json(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{pipeline} {version}: cannot read the manifest ({error!r})") from error
    if (manifest.pipeline, manifest.version) != (pipeline, version):
        found = f"{manifest.pipeline} {manifest.version}"[:_SHOWN]
        raise ModelError(f"{pipeline} {version}: the manifest is of {found}")
    return manifest


def apply_definition(head: Head, digest: str) -> Head:
    """Put a definition in force."""
    return replace(head, definition=digest)


def take_claim(
    head: Head, *, run: str, now: datetime, seconds: float, execution: str = "", dead: str = ""
) -> Head:
    """Give the pipeline to a run.

    Args:
        head: the current state.
        run: the run that asks.
        now: the current time (UTC).
        seconds: how long the claim lives.
        execution: the platform's name of the run's process.
        dead: run whose process is known to have ended, so that its claim does not count.

    Raises:
        RefusedError: while another run's claim lives.
    """
    if head.claim and head.claim_lives(now) and head.claim.run not in (run, dead):
        raise RefusedError(
            f"run {head.claim.run} works on {head.pipeline} until {head.claim.deadline:%H:%M:%S}"
        )
    epoch, deaths = head.epoch + 1, 0
    if head.claim:  # nobody gave it back; who renews his own did not die
        deaths = head.claim.deaths + (head.claim.run != run)
    claim = Claim(epoch, run, now + timedelta(seconds=seconds), execution, deaths)
    return replace(head, claim=claim, epoch=epoch)


def require_claim(head: Head, epoch: int) -> None:
    """Refuse a run whose claim has gone to another.

    Raises:
        ClaimLost: unless the claim of this epoch is in the head.
    """
    if head.claim is None or head.claim.epoch != epoch:
        holder = f"run {head.claim.run}" if head.claim else "nobody"
        raise ClaimLost(f"{head.pipeline}: claim {epoch} is gone; {holder} holds it now")


def release_claim(
    head: Head,
    *,
    epoch: int,
    run: str = "",
    learned_through: int | None = None,
    recalls: int | None = None,
    watermark: Watermark | None = None,
) -> Head:
    """End a run's work.

    Args:
        head: the current state.
        epoch: the run's claim.
        run: its record lists what is done with; empty when its work must be tried again.
        learned_through: the generation up to which nothing waits; None leaves it as it is.
        recalls: those that the run knew of when it listed the accepted files. After another, what
            its record lists is not done with.
        watermark: how far the accepted files reach that it listed; of a run that is done.

    Raises:
        ClaimLost: when the run's claim is gone.
    """
    require_claim(head, epoch)
    if recalls is not None and recalls != head.recalls:
        return replace(head, claim=None)
    through = head.learned_through if learned_through is None else learned_through
    return replace(
        head,
        claim=None,
        last_run=run or head.last_run,
        learned_through=through,
        relearn=head.relearn and not run,
        # Not the higher of the two: what set the old one may have been recalled.
        watermark=watermark if run else head.watermark,
    )


def judge_version(
    head: Head,
    version: str,
    status: Status,
    *,
    epoch: int,
    against: str | None,
    definition: str,
    recalls: int,
    proved: bool = True,
    manifest: str = "",
) -> Head:
    """Enter a run's new version: promoted when approved, else kept beside the champion.

    Args:
        head: the current state.
        version: the new version.
        status: what its gate said; `waiting` means that a person must approve.
        epoch: the run's claim.
        against: the champion that the gate compared it with.
        definition: digest of the recipe that made it.
        recalls: those that the run knew of before it listed the files that it learned from.
        proved: whether it passed a gate, unless it is rejected: an import may wait without.
        manifest: SHA-256 of its manifest, which from now on is the only one that counts.

    Raises:
        ClaimLost: when the run's claim is gone.
        CommitConflict: when champion or recipe changed, or a file was recalled, meanwhile: it must
            be made again.
    """
    require_claim(head, epoch)
    if head.champion != against:
        raise CommitConflict(
            f"{version} was judged against {against or 'no champion'}, "
            f"and the champion is {head.champion} now"
        )
    if head.definition != definition:
        raise CommitConflict(f"{version} was made by a definition that is not in force any more")
    if head.recalls != recalls:
        raise CommitConflict(f"a file was recalled while {version} was made, perhaps of its rows")
    if status == "approved" and head.pin is not None:
        status = "waiting"
    # Once a newer version has passed, whatever still waits has nothing to offer.
    passed_by = head.waiting if proved and status != "rejected" else ()
    superseded: dict[str, Status] = dict.fromkeys(passed_by, "superseded")
    statuses = {**head.statuses, **superseded, version: status}
    stated = {**head.manifests, version: manifest} if manifest else head.manifests
    entered = replace(
        head,
        statuses=statuses,
        # Of the others, which never serve, every later head would carry them in vain.
        manifests={v: d for v, d in stated.items() if statuses.get(v) in ("approved", "waiting")},
        superseded={**head.superseded, **dict.fromkeys(passed_by, version)},
    )
    return crown(entered, version) if status == "approved" else entered


def go_back(head: Head, *, to: str, epoch: int, against: str) -> Head:
    """Return from a champion on probation to a predecessor, without pinning it.

    The champion, and those between the two, never serve again, nor does what waits: it was judged
    against the champion that is left, and may have learned from the same files.

    Args:
        head: the current state.
        to: the predecessor.
        epoch: the run's claim.
        against: the champion that it was compared with.

    Raises:
        ClaimLost: when the run's claim is gone.
        CommitConflict: when the champion changed meanwhile, or a person has pinned it.
    """
    require_claim(head, epoch)
    if head.champion != against or head.pin is not None or to not in head.predecessors:
        raise CommitConflict(
            f"{to} was compared with {against}, and {head.champion} "
            f"{'is pinned' if head.pin else 'is the champion'} now"
        )
    place = head.predecessors.index(to)
    away = (against, *head.predecessors[:place], *head.waiting)
    left: dict[str, Status] = dict.fromkeys(away, "withdrawn")
    return replace(
        head,
        champion=to,
        predecessors=head.predecessors[place + 1 :],
        statuses={**head.statuses, **left},
    )


def crown(head: Head, version: str) -> Head:
    """Make a version the champion, and the last one its first predecessor."""
    past = (head.champion, *head.predecessors) if head.champion else head.predecessors
    return replace(
        head, champion=version, predecessors=tuple(v for v in past if v and v != version)
    )
