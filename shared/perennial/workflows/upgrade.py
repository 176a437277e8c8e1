"""After an upgrade: is the champion still the model that its recipe and rows make?

The training job asks once for each champion and environment, when its runs are over and on record:
so the check delays no model, and one that dies, for lack of memory say, takes no run with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from perennial.domain.versioning.upgrades import Check, upgrade
from perennial.workflows.rebuild import rebuild
from perennial.workflows.runs import RunRecord
from perennial.workflows.trainer import Trainer
from perennial.workflows.upgrade_checks import is_checked, record_check


def check_upgrade(trainer: Trainer, runs: Sequence[RunRecord]) -> Iterator[Check]:
    """Train again what served when these runs began, where an upgrade came since it was made.

    Args:
        trainer: the parts to work with, as the runs had them.
        runs: what this process has done.

    Yields:
        What was found and put on record just now: nothing where it was on record already.

    Raises:
        StoreError: when the store does not answer; a later process asks again.
    """
    served = {run.champion: run.pipeline for run in runs if run.champion}
    for version, pipeline in served.items():
        head = trainer.registry.require(pipeline)
        manifest = trainer.registry.manifest(pipeline, version, head=head)
        if not upgrade(manifest.environment, trainer.environment):
            continue
        if is_checked(trainer.buckets.data, pipeline, version, trainer.environment):
            continue
        found = rebuild(trainer, pipeline, version)
        yield record_check(trainer.buckets.data, found, trainer.environment)
