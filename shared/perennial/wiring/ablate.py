"""Parts of `perennial ablate`: everything happens on this machine, as for `perennial replay`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from perennial.adapters.clock import SystemClock
from perennial.adapters.fitting import FitCache, ProcessFitter
from perennial.adapters.processors import processors
from perennial.domain.ablating.document import to_document
from perennial.domain.ablating.variants import Plan
from perennial.wiring.replay import environment, packages
from perennial.workflows.ablate import ablate
from perennial.workflows.replay import Source


def run(
    source: Source,
    plan: Plan,
    *,
    cache: Path,
    jobs: int | None,
    progress: Callable[[str], None],
    models: Path | None = None,
) -> dict[str, Any]:
    """Ablate a history and tell everything as one document.

    Args:
        source: the recipe and its history.
        plan: what to leave out in turn.
        cache: the folder of remembered fits, which replays share.
        jobs: processes; as many as there are processors when None.
        progress: is told how far it is.
        models: the folder that holds the package of a model of one's own.
    """
    clock = SystemClock()
    began = clock.now()
    definition, history = source.definition, source.history
    remembered = FitCache(cache, definition, history, environment(packages(definition, models)))
    with ProcessFitter(
        definition, history, remembered, jobs=jobs or processors(), progress=progress
    ) as fitter:
        found = ablate(source, plan, fitter, seed=definition.training.seed)
    cost = {
        "trainings": found.trainings,
        "trainings_made": fitter.counts.made,
        "processor_seconds": round(found.seconds, 1),
        "elapsed_seconds": round((clock.now() - began).total_seconds(), 1),
        "cache": str(cache),
    }
    left_out = [(one.name, one.reason) for one in source.left_out]
    return to_document(
        definition, history, plan, found.effects, found.together, cost, left_out
    )  # fmt: skip
