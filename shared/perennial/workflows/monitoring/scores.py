"""The progressive scores of the champions of their time, file by file."""

from __future__ import annotations

from collections.abc import Mapping

from perennial.domain.monitoring.concept import MOST_FILES, Scored, concept_drift
from perennial.workflows.ledger import Entry, entries, serving
from perennial.workflows.monitoring.seen import Scene, Seen

_COUNTING = frozenset({"accepted", "suspect"})
"""Files that training set aside tell of change, too."""


def read_scores(scene: Scene) -> dict[str, Entry]:
    """How the champion of its time predicted each of the newest files; one bounded listing."""
    files = [file for file in scene.files if file.decision in _COUNTING][-MOST_FILES:]
    if not files:
        return {}
    return serving(entries(scene.data, scene.pipeline, since=files[0].file.stem))


def losses_of(scene: Scene, scores: Mapping[str, Entry]) -> dict[str, float]:
    """The loss on each file, by its stem."""
    metric = scene.definition.metric
    found = {stem: entry.score.loss(metric) for stem, entry in scores.items()}
    return {stem: loss for stem, loss in found.items() if loss is not None}


def look_at_scores(scene: Scene, scores: Mapping[str, Entry]) -> Seen | None:
    """Whether champions predict worse than they used to; None where nothing was scored since."""
    losses = losses_of(scene, scores)
    counting = [
        file for file in scene.files if file.decision in _COUNTING and file.file.stem in losses
    ]
    files = sorted(counting, key=lambda file: file.order)[-MOST_FILES:]
    metric = scene.definition.metric
    mark = f"{metric} {len(files)} {files[-1].file.stem if files else ''}"
    if mark == scene.mark("scores"):
        return None
    measured = [scores[file.file.stem].measured for file in files]
    relative = all(one.metric == metric and one.constant for one in measured)
    scored = [
        Scored(
            file.file.stem, file.file.name, scores[file.file.stem].version,
            losses[file.file.stem], one.constant if relative else None,
        )
        for file, one in zip(files, measured, strict=True)
    ]  # fmt: skip
    return Seen(list(concept_drift(scene.pipeline, metric, scored)), mark)
