"""What is left out in turn, and the trainings that this takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import pandas as pd

from perennial.domain.definitions.definition import Definition
from perennial.domain.definitions.recipe import Window
from perennial.domain.modelling.frames import inputs_of
from perennial.domain.replaying.fits import Fit
from perennial.domain.replaying.history import History
from perennial.domain.words import counted
from perennial.errors import RefusedError

MIN_SCORED = 8
"""Fewest files that an ablation can say anything on."""

Kind = Literal["feature", "source"]


@dataclass(frozen=True, slots=True)
class Variant:
    """The recipe without one thing; without any, it is the whole recipe.

    Attributes:
        kind: whether columns are left out, or a source.
        names: which; a source's is the folder of its files, empty for those in none.
    """

    kind: Kind | None = None
    names: tuple[str, ...] = ()


WHOLE = Variant()


@dataclass(frozen=True, slots=True)
class Plan:
    """What an ablation compares.

    Attributes:
        variants: what is left out in turn.
        learned: for each scored file the files that the whole recipe learns before it.
        scored: the files that are predicted, consecutive.
        sources: the source of each file of the history.
    """

    variants: tuple[Variant, ...]
    learned: tuple[tuple[int, ...], ...]
    scored: range
    sources: tuple[str, ...]

    def fit(self, variant: Variant, place: int) -> Fit:
        """The training that predicts the `place`-th scored file."""
        files = self.learned[place]
        if variant.kind == "source":
            files = tuple(file for file in files if self.sources[file] not in variant.names)
        return Fit(files, without=variant.names if variant.kind == "feature" else ())

    @property
    def wanted(self) -> dict[Fit, int]:
        """Every distinct fit, and the file up to which it predicts.

        A window without a file of the source that is left out is the same training.
        """
        found: dict[Fit, int] = {}
        for variant in (WHOLE, *self.variants):
            for place, file in enumerate(self.scored):
                fit = self.fit(variant, place)
                found[fit] = max(found.get(fit, 0), file + 1)
        return found


def source_of(name: str, pipeline: str) -> str:
    """A file's source: the folder that it lies in, below the pipeline's; empty for none."""
    return name.removeprefix(f"{pipeline}/").rpartition("/")[0]


def make_plan(
    definition: Definition,
    history: History,
    *,
    features: bool,
    sources: bool,
    files: int,
    window: int | None = None,
) -> Plan:
    """Decide what to leave out, and what to predict.

    Args:
        definition: its window is used, and its columns are left out.
        history: the files.
        features: whether columns are left out.
        sources: whether sources are left out.
        files: how many of the newest files to predict; fewer where the history is shorter.
        window: newest files that a training learns; as the definition says when None.

    Raises:
        RefusedError: when too few files can be predicted, or nothing can be left out.
    """
    first = max(history.files - files, _first(definition, history.lengths))
    if history.files - first < MIN_SCORED:
        raise RefusedError(
            f"an ablation needs {MIN_SCORED} files to predict after the first {first}, which are "
            f"for training only; found {counted(history.files, 'accepted file')}"
        )
    scored = range(first, history.files)
    of_files = tuple(source_of(name, definition.name) for name in history.names)
    variants = [
        *(_features(definition) if features else ()),
        *(_sources(of_files) if sources else ()),
    ]
    if not variants:
        raise RefusedError(_nothing(definition, of_files, features=features, sources=sources))
    span: int | Window | None = window
    if window is None and isinstance(definition.training.window, Window):
        span = definition.training.window
    return Plan(
        variants=tuple(variants),
        learned=tuple(_learned(definition, history, file, span) for file in scored),
        scored=scored,
        sources=of_files,
    )


def _first(definition: Definition, lengths: Sequence[int]) -> int:
    """Files that it takes for a first version."""
    first = 1
    while first < len(lengths) and sum(lengths[:first]) < definition.training.min_rows:
        first += 1
    return first


def _features(definition: Definition) -> Iterable[Variant]:
    names = [one.name for one in inputs_of(definition)]
    return (Variant("feature", (name,)) for name in names) if len(names) > 1 else ()


def _sources(of_files: Sequence[str]) -> Iterable[Variant]:
    names = sorted(set(of_files))
    return (Variant("source", (name,)) for name in names) if len(names) > 1 else ()


def _nothing(
    definition: Definition, of_files: Sequence[str], *, features: bool, sources: bool
) -> str:
    found = []
    if features:
        (only,) = (one.name for one in inputs_of(definition))
        found.append(f"models read one column only, {only}")
    if sources:
        folder = f"in the folder {of_files[0]}" if of_files[0] else "in no folder"
        found.append(f"all files lie {folder}, and a source is the folder of its files")
    return f"nothing can be left out: {'; '.join(found)}"


def _learned(
    definition: Definition, history: History, file: int, window: int | Window | None
) -> tuple[int, ...]:
    """The files before one that the whole recipe learns."""
    if isinstance(window, Window):
        if window.files is None:
            return _within_days(definition, history, file, window.days or 0.0)
        window = window.files
    return tuple(range(0 if window is None else max(0, file - window), file))


def _within_days(
    definition: Definition, history: History, file: int, days: float
) -> tuple[int, ...]:
    """As a window of days does it: counted back from the newest file, whole files.

    Raises:
        RefusedError: without an event time, since plain files have no other.
    """
    if definition.event_time is None:
        raise RefusedError(
            "training.window is in days, and without an event time files lie at no known day: "
            "give a window in files with --window"
        )
    times = pd.to_datetime(history.frame[definition.event_time], utc=True)
    newest = [
        times.iloc[start:end].max()
        for start, end in zip(history.starts[:file], history.starts[1 : file + 1], strict=True)
    ]
    start = newest[-1] - timedelta(days=days)
    return tuple(place for place, time in enumerate(newest) if time > start)
