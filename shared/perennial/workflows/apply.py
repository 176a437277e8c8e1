"""Put a definition in force, and judge the files that waited for one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from perennial.domain.definitions.changes import Change, changes
from perennial.domain.definitions.definition import Definition, digest, parse
from perennial.domain.verdict import Verdict
from perennial.domain.versioning import registry as state
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import Head
from perennial.errors import DefinitionError, RefusedError
from perennial.ports import Buckets, Clock, JobLauncher
from perennial.workflows.ingest import launch_if_due
from perennial.workflows.quarantine import judge_pending
from perennial.workflows.registry import Registry
from perennial.workflows.runs import list_runs

if TYPE_CHECKING:
    from perennial.domain.gating.cases import GateTest


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of it.

    Attributes:
        changed: False when this very definition was in force already.
        changes: what it does otherwise than the one that was in force; None where there was none,
            or none that can be read.
        judged: the verdicts on files that had been pending.
        gate: how its gate did when it was tried; None where it was in force already.
    """

    head: Head
    definition: Definition
    changed: bool
    changes: list[Change] | None
    judged: list[Verdict]
    gate: GateTest | None = None


def apply(
    buckets: Buckets,
    registry: Registry,
    launcher: JobLauncher,
    clock: Clock,
    text: str,
    *,
    by: str,
    source: str = "definition",
) -> Applied:
    """Validate a definition, keep it, put it in force, and judge what waited for it.

    Args:
        buckets: the four buckets.
        registry: where definitions are kept.
        launcher: starts a run if the files that waited call for one.
        clock: the time.
        text: the definition as YAML.
        by: who applies it.
        source: what to call the text in messages.

    Raises:
        DefinitionError: when the definition is wrong; nothing has changed then.
        RefusedError: when it asks another question than the champion answers, or its gate cannot
            be trusted; nothing has changed then.
    """
    definition = parse(text, source=source)
    name = definition.name
    head = registry.head(name)
    changed = head is None or head.definition != digest(text)
    newest = head and (head.champion or max(head.statuses, default=None))
    if newest:
        _require_same_question(registry.manifest(name, newest, head=head), definition)
    gate = _trusted(definition) if changed else None
    differences = _changes(registry, head, definition)
    # Also for a definition that an earlier release put in force, which wrote none.
    registry.store_serving_settings(definition, digest(text))
    if head is None or changed:
        stored = registry.store_definition(name, text)
        change = partial(state.apply_definition, digest=stored)
        head = registry.commit(name, change, action="apply", by=by)
    judged = judge_pending(buckets, registry, clock, name, by="apply")
    serves = definition.training.mode == "static" and head.champion is not None
    if (
        not serves
        and _last_run_got_nowhere(buckets, head)
        and (changed or _untried(registry, head))
    ):
        launcher.launch(name, force=True)  # what it considered waits for nobody else
    elif judged or changed:
        launch_if_due(buckets, registry, launcher, clock, name)
    return Applied(head, definition, changed, differences, judged, gate)


def _trusted(definition: Definition) -> GateTest:
    # Imported here because it brings pandas, which a definition that is in force already, and all
    # else that is done here, can do without.
    from perennial.workflows.gate_test import require_honest_gate

    return require_honest_gate(definition)


def _changes(registry: Registry, head: Head | None, definition: Definition) -> list[Change] | None:
    if head is None or not head.definition:
        return None
    try:
        return changes(registry.definition(head), definition)
    except DefinitionError:  # what cannot be read is all the more to be replaced
        return None


def _require_same_question(champion: Manifest, definition: Definition) -> None:
    """Models can only be compared on one question: the same label, asked in the same way."""
    if (champion.task, champion.label) != (definition.task, definition.label):
        raise RefusedError(
            f"{definition.name} predicts {champion.label} ({champion.task}), and this definition "
            f"{definition.label} ({definition.task}): give it another name, as a new pipeline"
        )


def _untried(registry: Registry, head: Head) -> bool:
    """Whether no run has worked since the definition came: who applied it may not have come to it.

    Only asked where the last run got nowhere, so that its release ends the search.
    """
    newest = (e.action for e in registry.history(head.pipeline) if e.action in ("apply", "release"))
    return next(newest, "") == "apply"


def _last_run_got_nowhere(buckets: Buckets, head: Head) -> bool:
    last = list(list_runs(buckets.data, head.pipeline, since=head.last_run))[-1:]
    return any(run["outcome"] in ("failed", "waiting") for run in last)
