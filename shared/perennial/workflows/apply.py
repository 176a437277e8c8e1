"""Put a definition in force, and judge the files that waited for one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from perennial.domain import registry as state
from perennial.domain.definition import Definition, digest, parse
from perennial.domain.registry import Head
from perennial.domain.verdict import Verdict
from perennial.ports import Buckets, Clock, JobLauncher
from perennial.workflows.ingest import launch_if_due
from perennial.workflows.quarantine import judge_pending
from perennial.workflows.registry import Registry


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of it.

    Attributes:
        changed: False when this very definition was in force already.
        judged: the verdicts on files that had been pending.
    """

    head: Head
    definition: Definition
    changed: bool
    judged: list[Verdict]


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
    """
    definition = parse(text, source=source)
    name = definition.name
    head = registry.head(name)
    changed = head is None or head.definition != digest(text)
    if head is None or changed:
        stored = registry.store_definition(name, text)
        change = partial(state.apply_definition, digest=stored)
        head = registry.commit(name, change, action="apply", by=by)
    judged = judge_pending(buckets, registry, clock, name, by="apply")
    if judged:
        launch_if_due(buckets, registry, launcher, clock, name)
    return Applied(head, definition, changed, judged)
