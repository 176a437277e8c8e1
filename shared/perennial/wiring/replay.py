"""Parts of `perennial replay`: everything happens on this machine."""

from __future__ import annotations

import hashlib
import inspect
import os
import platform
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from perennial.adapters.clock import SystemClock
from perennial.adapters.fitting import FitCache, ProcessFitter
from perennial.adapters.memory import MemoryStore
from perennial.adapters.model_packages import ModelPackages
from perennial.adapters.processors import processors
from perennial.adapters.surroundings import code_digest
from perennial.domain.definitions.definition import Definition
from perennial.domain.definitions.own_models import look_up_with
from perennial.domain.evaluation import scoring
from perennial.domain.modelling.estimators import estimator_for
from perennial.domain.replaying import fits
from perennial.domain.replaying.document import to_document
from perennial.domain.replaying.policies import Plan
from perennial.domain.versioning.rebuilding import PACKAGE
from perennial.errors import ConfigError
from perennial.workflows.replay import Source, plain_files, replay

LIBRARIES = ("numpy", "pandas", "scikit-learn")
"""Those whose versions can change a loss."""


def source_of(
    definition: Definition,
    files: Iterable[tuple[str, bytes]],
    progress: Callable[[str], None],
) -> Source:
    """Judge plain files in memory."""
    return plain_files(definition, files, MemoryStore("replay"), SystemClock(), progress=progress)


def cache_folder(variables: Mapping[str, str]) -> Path:
    """Where fits are remembered unless somebody says otherwise."""
    caches = variables.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return Path(caches) / "perennial" / "replay"


def environment(packages: Mapping[str, str]) -> dict[str, str]:
    """What decides a loss beside rows, recipe and seed: libraries, our own code and packages."""
    sources = inspect.getsource(fits) + inspect.getsource(scoring)
    return (
        {name: version(name) for name in LIBRARIES}
        | dict(packages)
        | {
            "python": platform.python_version(),
            "training": code_digest(),
            "scoring": hashlib.sha256(sources.encode()).hexdigest(),
        }
    )


def packages(definition: Definition, models: Path | None) -> dict[str, str]:
    """Let models of one's own be imported, and see at once that this one can be.

    Returns:
        Digests of the packages that it may consist of.
    """
    if not definition.training.package:
        return {}
    if models is None:
        raise ConfigError(
            f"{definition.name} has a model of its own, {definition.training.model}: "
            "name the folder that holds its package with --models"
        )
    found = ModelPackages.all_in(models)
    look_up_with(found)
    estimator_for(definition.task, definition.training, definition.training.seed)
    return {f"{PACKAGE}{name}": digest for name, digest in found.digests().items()}


def run(
    source: Source,
    plan: Plan,
    *,
    cache: Path,
    jobs: int | None,
    progress: Callable[[str], None],
    models: Path | None = None,
) -> dict[str, Any]:
    """Replay a history and tell everything as one document.

    Args:
        source: what to replay.
        plan: what to try.
        cache: the folder of remembered fits.
        jobs: processes; as many as there are processors when None.
        progress: is told how far it is.
        models: the folder whose packages models of one's own may come from.

    Raises:
        UserError: when the definition's model is not in that folder, or nobody named it.
    """
    clock = SystemClock()
    began = clock.now()
    definition, history = source.definition, source.history
    remembered = FitCache(cache, definition, history, environment(packages(definition, models)))
    with ProcessFitter(
        definition, history, remembered, jobs=jobs or processors(), progress=progress
    ) as fitter:
        found = replay(source, plan, fitter, seed=definition.training.seed)
    cost = {
        "trainings_asked": found.asked,
        "trainings_distinct": found.distinct,
        "trainings_made": fitter.counts.made,
        "trainings_remembered": found.distinct - min(found.distinct, fitter.counts.made),
        "processor_seconds": round(found.seconds, 1),
        "elapsed_seconds": round((clock.now() - began).total_seconds(), 1),
        "cache": str(cache),
    }
    left_out = [(one.name, one.reason) for one in source.left_out]
    return to_document(
        definition, history, plan, found.ranked, found.decay, found.verdict, found.advice, cost,
        left_out, source.late,
    )  # fmt: skip
