"""How a pipeline's models are made, what lets one serve, and how: parts of its definition."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Task = Literal["binary", "multiclass", "regression"]
Metric = Literal["log_loss", "brier", "mae", "rmse"]
Quality = Literal["log_loss", "brier", "accuracy", "roc_auc", "pr_auc", "mae", "rmse", "mape", "r2"]
Scalar = bool | int | float | str

METRICS: Mapping[Task, tuple[Metric, ...]] = {
    "binary": ("log_loss", "brier"),
    "multiclass": ("log_loss", "brier"),
    "regression": ("mae", "rmse"),
}
"""Losses that a duel can compare row by row, the default first."""

QUALITIES: Mapping[Task, tuple[Quality, ...]] = {
    "binary": ("log_loss", "brier", "accuracy", "roc_auc", "pr_auc"),
    "multiclass": ("log_loss", "brier", "accuracy"),
    "regression": ("mae", "rmse", "mape", "r2"),
}
"""Everything that is measured of a model, and that a floor can ask for."""

GAINS: frozenset[Quality] = frozenset({"accuracy", "roc_auc", "pr_auc", "r2"})
"""Those of which more is better; of the others, less."""

BUILT_IN = ("hist_gradient_boosting", "linear")
"""The models that need no code of one's own."""

FACTORY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
"""`package.module:factory`, the name of a model of one's own."""

_ORIGIN = re.compile(
    r"https://[a-z0-9-]+(\.[a-z0-9-]+)*(:[0-9]{1,5})?|http://(localhost|127\.0\.0\.1)(:[0-9]{1,5})?"
)


class Strict(BaseModel):
    """A part of a definition: frozen, and unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(Strict):
    """How much history a model learns from.

    Attributes:
        files: the last so many files.
        days: the last so many days of event time.
    """

    files: int | None = Field(default=None, ge=1)
    days: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.files is None) == (self.days is None):
            raise ValueError(f"expected all, {{files: N}} or {{days: N}}, found {_given(self)}")
        return self


class Trigger(Strict):
    """When accepted files lead to a run.

    Attributes:
        files: once there are so many new files.
        rows: once they have so many rows.
    """

    files: int | None = Field(default=None, ge=1)
    rows: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.files is None) == (self.rows is None):
            raise ValueError(f"expected {{files: N}} or {{rows: N}}, found {_given(self)}")
        return self


class Span(Strict):
    """The part of history that a static model learns from.

    Attributes:
        files: the first so many files, in time order.
        since: files whose place in time is this or later (UTC where no offset is given).
        through: files whose place in time is this or earlier.
    """

    files: int | None = Field(default=None, ge=1)
    since: datetime | None = None
    through: datetime | None = None

    @field_validator("since", "through")
    @classmethod
    def _has_an_offset(cls, moment: datetime | None) -> datetime | None:
        return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.files is None) == (self.through is None) or (self.files and self.since):
            raise ValueError(
                "expected all, {files: N}, {through: DATE} or {since: DATE, through: DATE}, "
                f"found {_given(self)}"
            )
        if self.since and self.through and self.since > self.through:
            raise ValueError(f"expected since before through, found {self.since} after it")
        return self


def _given(choice: BaseModel) -> str:
    """The keys of a choice that were given, all or none of them."""
    given = [key for key in type(choice).model_fields if getattr(choice, key) is not None]
    return " and ".join(given) or "neither"


class Training(Strict):
    """How models are made.

    Attributes:
        mode: `dynamic` models learn from every file that comes; a `static` one is trained once,
            and later files are judged, predicted and scored.
        model: a built-in kind of estimator, or `package.module:factory`: a function, in a package
            that lies beside the definition, which returns one (see
            `perennial.domain.definitions.own_models`).
        parameters: given to the scikit-learn estimator, or to the factory, as they are.
        window: how much history a dynamic model learns from.
        span: what a static model learns from.
        trigger: when a run starts.
        freshness: `refit` trains what passed its duel once more, with the rows that it was judged
            on; `judged` serves the very model that was judged.
        min_rows: fewest rows for a first version.
        seed: of every random choice.
    """

    mode: Literal["dynamic", "static"] = "dynamic"
    model: str = "hist_gradient_boosting"
    parameters: dict[str, Scalar | None] = Field(default_factory=dict)
    window: Literal["all"] | Window = "all"
    span: Literal["all"] | Span = "all"
    trigger: Trigger = Trigger(files=1)
    freshness: Literal["refit", "judged"] = "refit"
    min_rows: int = Field(default=40, ge=2)
    seed: int = Field(default=0, ge=0, le=2**32 - 1)

    @field_validator("model")
    @classmethod
    def _is_known_or_names_a_factory(cls, model: str) -> str:
        if model in BUILT_IN or FACTORY.fullmatch(model):
            return model
        near = get_close_matches(model, BUILT_IN, n=1)
        raise ValueError(
            f"expected {', '.join(BUILT_IN)} or package.module:factory, found {model!r}"
            + (f"; did you mean {near[0]}?" if near else "")
        )

    @property
    def package(self) -> str:
        """The package that holds a model of one's own; empty for a built-in one."""
        return "" if self.model in BUILT_IN else self.model.partition(":")[0].partition(".")[0]


class Slice(Strict):
    """A column by whose values models are measured apart.

    Attributes:
        floors: what a challenger must reach for each value that is measured.
        min_rows: fewest held-out rows of a value for its floors to count.
    """

    floors: dict[Quality, float] = Field(default_factory=dict)
    min_rows: int = Field(default=20, ge=2)


class Promotion(Strict):
    """What lets a new version serve, and go on serving.

    Attributes:
        mode: `automatic` promotes what passes its gates, `manual` waits for `perennial approve`.
        metric: the loss that the duel compares; the task's first metric when null.
        tolerance: how much worse, relative to the champion's loss, is still "not worse".
        min_duel_rows: fewest held-out rows for a duel with a firm answer.
        floors: what a challenger must reach whatever the champion does: losses at most this,
            `accuracy`, `roc_auc`, `pr_auc` and `r2` at least.
        slices: columns by whose values models are measured apart, with floors of their own.
        surprise: how many robust deviations above its usual level the champion's loss on a new
            file may lie, where it is not better than a constant's, before only a clearly better
            challenger is promoted; null switches off.
        probation: what happens when an earlier champion predicts new files clearly better:
            `alert`, or `return` to it; null switches off.
    """

    mode: Literal["automatic", "manual"] = "automatic"
    metric: Metric | None = None
    tolerance: float = Field(default=0.02, ge=0, lt=1)
    min_duel_rows: int = Field(default=50, ge=2)
    floors: dict[Quality, float] = Field(default_factory=dict)
    slices: dict[str, Slice] = Field(default_factory=dict)
    surprise: float | None = Field(default=4.0, gt=0)
    probation: Literal["alert", "return"] | None = "alert"


class Log(Strict):
    """What the prediction log holds of requests and answers.

    Attributes:
        sample: the share of requests that are written.
        features: the share of the written requests whose features are written too.
        keys: whether the key columns of instances are written, on which labels are joined later.
        leave_out: columns that are never written, such as personal ones.
    """

    sample: float = Field(default=1.0, ge=0, le=1)
    features: float = Field(default=0.1, ge=0, le=1)
    keys: bool = False
    leave_out: tuple[str, ...] = ()


class Serving(Strict):
    """How the champion answers, and what becomes of predictions.

    Attributes:
        log: what the prediction log holds.
        shadow: whether the newest version that waits for approval answers too, for the prediction
            log alone.
        cors: origins whose pages may ask `predict` from a browser; none unless they are named.
        rescore: whether files that were scored are scored again when another version becomes the
            champion: `latest` does so with the newest `rescore_files` of them.
        rescore_files: how many.
        lookup: whether predictions for files can be looked up over HTTP by the key of their row.
    """

    log: Log = Log()
    shadow: bool = False
    cors: tuple[str, ...] = ()
    rescore: Literal["never", "latest"] = "never"
    rescore_files: int = Field(default=20, ge=1, le=1000)
    lookup: bool = False

    @field_validator("cors")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin) or origin.endswith(":443"):
                raise ValueError(
                    "expected an origin as browsers send it, such as https://shop.example: in "
                    "lower case, without a path, and http only for localhost, "
                    f"found {origin!r}"
                )
        return origins
