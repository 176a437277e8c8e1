"""What a person declares of how a pipeline is watched: a part of its definition."""

from __future__ import annotations

from difflib import get_close_matches

from pydantic import Field, field_validator

from perennial.domain.definitions.recipe import Strict
from perennial.domain.monitoring.findings import KINDS


class Monitoring(Strict):
    """Above which figures something is a finding, and what is not looked for.

    Distances go from 0 to 1. What chance gives for so few rows, and what earlier files have shown,
    is never a finding, whatever the limit. null switches a limit off.

    Attributes:
        ignore: kinds of findings that are not looked for.
        files: how many of the newest files are taken together; a change that lasts is found once
            so many have it.
        training_drift: how far a feature of these files may lie from what the champion learned.
        label_drift: the same of the label.
        serving_skew: how far a feature of a day's requests may lie from what the champion learned.
        prediction_drift: how far a day's predictions may lie from those of the days before.
        jump: how much further than any file before one file's column may lie from what is usual;
            of the number of its rows, the change relative to what is usual.
        nulls: by how much the share of empty cells may exceed the largest of any file before.
        unseen_categories: the same of values that no file before had.
        rarest: a category with at least such a share of the rows is missed when it vanishes.
        volume: correlation, from 0 to 1, from which on the rows that a source brings are said to
            follow what was predicted before.
        rhythm_hours: hours between two files of a source; learned from its files when null.
        unreliable: the share of a source's files that may end in quarantine.
        champion_days: age of a champion from which on it is old; null for never.
        failed_look_ups: how many look-ups of `predict` may fail in an hour.
        hung_minutes: minutes after which a run hangs; learned from the runs before when null.
        holdout: share of requests whose answers say `"holdout": true`, as does the prediction log:
            callers show or do there what they would without a model, so that both groups tell
            whether labels follow predictions.
    """

    ignore: tuple[str, ...] = Field(default=(), json_schema_extra={"items": {"enum": [*KINDS]}})
    files: int = Field(default=4, ge=2, le=8)
    training_drift: float | None = Field(default=0.15, gt=0, le=1)
    label_drift: float | None = Field(default=0.15, gt=0, le=1)
    serving_skew: float | None = Field(default=0.2, gt=0, le=1)
    prediction_drift: float | None = Field(default=0.2, gt=0, le=1)
    jump: float | None = Field(default=0.15, gt=0, le=1)
    nulls: float | None = Field(default=0.05, gt=0, le=1)
    unseen_categories: float | None = Field(default=0.05, gt=0, le=1)
    rarest: float | None = Field(default=0.02, gt=0, le=1)
    volume: float | None = Field(default=0.7, gt=0, le=1)
    rhythm_hours: float | None = Field(default=None, gt=0)
    unreliable: float | None = Field(default=0.1, gt=0, le=1)
    champion_days: float | None = Field(default=None, gt=0)
    failed_look_ups: int | None = Field(default=10, ge=0)
    hung_minutes: float | None = Field(default=None, gt=0)
    holdout: float = Field(default=0, ge=0, le=0.5)

    @field_validator("ignore")
    @classmethod
    def _are_kinds(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        for kind in kinds:
            if kind not in KINDS:
                near = get_close_matches(kind, KINDS, n=1, cutoff=0.5)
                raise ValueError(
                    f"expected kinds of findings, found {kind!r}; "
                    + (f"did you mean {near[0]}?" if near else f"there are {', '.join(KINDS)}")
                )
        return kinds
