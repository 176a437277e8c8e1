"""Logged predictions beside the labels that came for their rows, by the key of the row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from perennial.domain.definitions.recipe import Metric
from perennial.domain.evaluation.scoring import row_losses
from perennial.domain.modelling.predictions import class_key
from perennial.domain.monitoring.feedback import Pair
from perennial.domain.monitoring.requests import Answer, Key
from perennial.domain.monitoring.sampled import number_of
from perennial.domain.versioning.manifest import Manifest


def pairs(
    rows: Iterable[tuple[Key, object]],
    answers: Mapping[Key, Answer],
    version: Manifest,
    metric: Metric,
) -> list[Pair]:
    """Those rows that were predicted before their label came.

    Args:
        rows: key and label of each; rows without either do not count.
        answers: the last one to each key.
        version: the champion, which says how predictions are to be read.
        metric: the loss.
    """
    found = []
    for key, label in rows:
        answer = answers.get(key)
        if answer is None or label is None:
            continue
        pair = _pair(answer, label, version, metric)
        if pair is not None:
            found.append(pair)
    return found


def _pair(answer: Answer, label: object, version: Manifest, metric: Metric) -> Pair | None:
    if version.task == "regression":
        said, came = number_of(answer.prediction), number_of(label)
        if said is None or came is None:
            return None
        loss = float(row_losses(metric, [came], np.array([said]))[0])
        return Pair(said, came, loss, answer.holdout)
    said_of = (
        answer.prediction.get("probabilities") if isinstance(answer.prediction, dict) else None
    )
    if not isinstance(said_of, dict):
        return None
    shares = [number_of(said_of.get(class_key(one))) for one in version.classes]
    if label not in version.classes or any(share is None for share in shares):
        return None
    loss = float(row_losses(metric, [label], np.array([shares], dtype=float), version.classes)[0])
    # Of two classes the second counts; of more, the one that was said.
    place = len(shares) - 1 if len(shares) == 2 else int(np.argmax(np.array(shares, dtype=float)))
    share = shares[place]
    came_true = float(version.classes[place] == label)
    return None if share is None else Pair(share, came_true, loss, answer.holdout)
