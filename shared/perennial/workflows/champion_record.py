"""What is on record about a champion, each part read when it is first needed, and once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from perennial.domain.checking.looks import Trouble
from perennial.domain.definitions.definition import Definition
from perennial.domain.modelling.frames import instances_of
from perennial.domain.serving.instances import read_instances
from perennial.domain.versioning.lineage import Lineage, Recorded
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import Head
from perennial.errors import DigestMismatch, NotTrainable, ObjectNotFound
from perennial.ports import ObjectStore
from perennial.workflows.registry import Registry
from perennial.workflows.rows import Rows


@dataclass(frozen=True)
class ChampionRecord:
    """A champion and what is on record about it, each read when it is first needed."""

    registry: Registry
    data: ObjectStore
    head: Head
    manifest: Manifest

    @cached_property
    def definition(self) -> Definition:
        """By which it was trained, whichever is in force now."""
        return self.registry.definition(replace(self.head, definition=self.manifest.definition))

    @cached_property
    def evaluation(self) -> dict[str, Any]:
        """Every number behind its decision; empty where it was not trained here."""
        if "evaluation.json" not in self.manifest.files:
            return {}
        stored = self.registry.read_version_file(self.manifest, "evaluation.json")
        return dict(json.loads(stored))

    @cached_property
    def lineage(self) -> Lineage:
        """What it learned; nothing where it was not trained here."""
        if "lineage.json" not in self.manifest.files:
            return Lineage()
        return Lineage.from_json(self.registry.read_version_file(self.manifest, "lineage.json"))

    @cached_property
    def graph(self) -> bytes | Trouble:
        """Its graph, if it is the one that the manifest states."""
        try:
            return self.registry.read_version_file(self.manifest, "model.onnx")
        except (DigestMismatch, ObjectNotFound) as error:
            return Trouble(str(error), ours=True)

    @cached_property
    def recorded(self) -> Recorded | Trouble:
        """What its graph answered when it was made."""
        return self.lineage.recorded or Trouble(
            "no answers were put on record when it was made", ours=False
        )

    @cached_property
    def rows(self) -> pd.DataFrame | Trouble:
        """The rows whose answers are on record."""
        if isinstance(self.recorded, Trouble):
            return self.recorded
        files = {file.stem: file.summary for file in self.lineage.files}
        try:
            return Rows(self.data, self.definition).take(files, self.recorded.rows)
        except (ObjectNotFound, NotTrainable) as error:
            return Trouble(
                f"the rows whose answers are on record cannot be had: {error}", ours=False
            )

    @cached_property
    def requests(self) -> tuple[Sequence[Mapping[str, object]], Sequence[Any]] | Trouble:
        """The recorded rows that a request can carry, and the answers on record."""
        rows, recorded = self.rows, self.recorded
        if isinstance(rows, Trouble):
            return rows
        if isinstance(recorded, Trouble):
            return recorded
        inputs = self.manifest.inputs
        answers = zip(instances_of(inputs, rows), recorded.predictions, strict=True)
        pairs = [pair for pair in answers if not read_instances(inputs, [pair[0]]).errors]
        if not pairs:
            return Trouble("no request can carry the rows whose answers are on record", ours=False)
        instances, predictions = zip(*pairs, strict=True)
        return instances, predictions
