"""What a person declares of a pipeline: its columns, their rules, its training and promotion.

A definition is data. `parse` turns YAML text into a frozen `Definition` or raises one
`DefinitionError` that lists every mistake with its place and, for a misspelt key, the right one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from perennial.domain.names import PIPELINE_NAME
from perennial.errors import DefinitionError

ColumnType = Literal["integer", "number", "boolean", "category", "text", "timestamp"]
Role = Literal["feature", "label", "event_time", "key", "ignore"]
Severity = Literal["reject", "warn"]
Task = Literal["binary", "multiclass", "regression"]
Metric = Literal["log_loss", "brier", "mae", "rmse"]
Scalar = bool | int | float | str

METRICS: Mapping[Task, tuple[Metric, ...]] = {
    "binary": ("log_loss", "brier"),
    "multiclass": ("log_loss", "brier"),
    "regression": ("mae", "rmse"),
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Strict):
    """One rule on the values of a column: exactly one of `range`, `allowed`, `pattern`.

    Attributes:
        range: [lowest, highest], both included; null leaves a side open.
        allowed: the only values that may occur.
        pattern: a regular expression that the whole value must match.
        severity: `reject` quarantines the file, `warn` only reports.
    """

    range: tuple[float | None, float | None] | None = None
    allowed: tuple[Scalar, ...] | None = None
    pattern: str | None = None
    severity: Severity = "reject"

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"is not a regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _is_one_rule(self) -> Self:
        given = [k for k in ("range", "allowed", "pattern") if getattr(self, k) is not None]
        if len(given) != 1:
            raise ValueError("a rule is exactly one of range, allowed, pattern")
        if self.range is not None:
            low, high = self.range
            if low is None and high is None:
                raise ValueError("range needs at least one bound, as in [0, null]")
            if low is not None and high is not None and low > high:
                raise ValueError(f"range has its lowest value {low} above its highest {high}")
        return self

    @property
    def kind(self) -> Literal["range", "allowed", "pattern"]:
        """Which of the three it is."""
        if self.range is not None:
            return "range"
        return "allowed" if self.allowed is not None else "pattern"


class Column(_Strict):
    """One column of the files.

    Attributes:
        type: how the text of a cell is read.
        role: what the column is for; one `label`, at most one `event_time`, any number of `key`
            columns (together they name a row), `feature` and `ignore`.
        nullable: whether an empty cell is allowed.
        format: strptime format of a timestamp; ISO 8601 when absent. Times without an offset are
            taken as UTC.
        classes: of a label, the classes that exist.
        rules: what its values must obey.
    """

    type: ColumnType
    role: Role = "feature"
    nullable: bool = False
    format: str | None = None
    classes: tuple[bool | int | str, ...] | None = None
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _rules_fit_the_type(self) -> Self:
        if self.format is not None and self.type != "timestamp":
            raise ValueError(f"format is for timestamps, not for type {self.type}")
        if self.classes is not None and self.role != "label":
            raise ValueError(f"classes are for the label, not for role {self.role}")
        for rule in self.rules:
            if rule.kind == "range" and self.type not in ("integer", "number"):
                raise ValueError(f"a range rule needs type integer or number, not {self.type}")
            if rule.kind == "pattern" and self.type not in ("category", "text"):
                raise ValueError(f"a pattern rule needs type category or text, not {self.type}")
        if self.role == "event_time" and self.type != "timestamp":
            raise ValueError(f"the event_time column needs type timestamp, not {self.type}")
        if self.role == "event_time" and self.nullable:
            raise ValueError("the event_time column cannot be nullable")
        return self


class Files(_Strict):
    """What a file must look like as a whole.

    Attributes:
        min_rows: fewest rows a file may have.
        max_rows: most rows a file may have; unlimited when null.
        max_bytes: largest file, also once decompressed.
        extra_columns: what to do about columns that are not declared; they are never used.
    """

    min_rows: int = Field(default=1, ge=1)
    max_rows: int | None = Field(default=None, ge=1)
    max_bytes: int = Field(default=256 * 1024 * 1024, ge=1)
    extra_columns: Severity = "warn"


class Window(_Strict):
    """How much history a model learns from: the last `files`, or the last `days` of event time."""

    files: int | None = Field(default=None, ge=1)
    days: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.files is None) == (self.days is None):
            raise ValueError("a window is `all`, {files: N} or {days: N}")
        return self


class Trigger(_Strict):
    """When accepted files lead to a run: every `files` of them, or every `rows` in them."""

    files: int | None = Field(default=None, ge=1)
    rows: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.files is None) == (self.rows is None):
            raise ValueError("a trigger is {files: N} or {rows: N}")
        return self


class Training(_Strict):
    """How models are made.

    Attributes:
        model: the estimator's kind.
        parameters: given to the scikit-learn estimator as they are.
        window: how much history a model learns from.
        trigger: when a run starts.
        min_rows: fewest rows for a first version.
        seed: of every random choice.
    """

    model: Literal["hist_gradient_boosting", "linear"] = "hist_gradient_boosting"
    parameters: dict[str, Scalar | None] = Field(default_factory=dict)
    window: Literal["all"] | Window = "all"
    trigger: Trigger = Trigger(files=1)
    min_rows: int = Field(default=40, ge=2)
    seed: int = Field(default=0, ge=0, le=2**32 - 1)


class Promotion(_Strict):
    """What lets a new version serve.

    Attributes:
        mode: `automatic` promotes what passes its gates, `manual` waits for `perennial approve`.
        metric: the loss that the duel compares; the task's first metric when null.
        tolerance: how much worse, relative to the champion's loss, is still "not worse".
        min_duel_rows: fewest held-out rows for a duel with a firm answer.
    """

    mode: Literal["automatic", "manual"] = "automatic"
    metric: Metric | None = None
    tolerance: float = Field(default=0.02, ge=0, lt=1)
    min_duel_rows: int = Field(default=50, ge=2)


class Definition(_Strict):
    """A pipeline, whole. Columns keep the order in which they were written."""

    format: Literal[1] = 1
    name: str
    task: Task
    columns: Annotated[dict[str, Column], Field(min_length=2)]
    files: Files = Files()
    training: Training = Training()
    promotion: Promotion = Promotion()

    @field_validator("name")
    @classmethod
    def _name_is_a_path_segment(cls, name: str) -> str:
        if not PIPELINE_NAME.fullmatch(name):
            raise ValueError(
                "must start with a letter a-z and have only a-z, 0-9 and - (at most 63), "
                f"because it names a folder in the buckets; found {name!r}"
            )
        return name

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        labels = self.names("label")
        if len(labels) != 1:
            raise ValueError(f"columns need exactly one with role label, found {labels or 'none'}")
        if len(self.names("event_time")) > 1:
            raise ValueError(f"at most one event_time column, found {self.names('event_time')}")
        if not self.names("feature") and not self.names("event_time"):
            raise ValueError("columns need at least one feature")
        self._check_label(self.columns[labels[0]])
        metric = self.promotion.metric
        if metric is not None and metric not in METRICS[self.task]:
            raise ValueError(
                f"promotion.metric {metric} does not fit task {self.task}: "
                f"use one of {', '.join(METRICS[self.task])}"
            )
        texts = [n for n in self.names("feature") if self.columns[n].type == "text"]
        if texts and self.training.model != "linear":
            raise ValueError(
                f"text features ({', '.join(texts)}) need training.model linear; "
                f"or give them role ignore to use {self.training.model}"
            )
        return self

    def _check_label(self, label: Column) -> None:
        if self.task == "regression":
            if label.type not in ("integer", "number"):
                raise ValueError(f"a regression label is integer or number, not {label.type}")
            if label.classes is not None:
                raise ValueError("a regression label has no classes")
        elif label.type not in ("integer", "boolean", "category"):
            raise ValueError(
                f"a {self.task} label is integer, boolean or category, not {label.type}"
            )
        elif self.task == "binary" and label.classes is not None and len(label.classes) != 2:
            raise ValueError(f"a binary label has two classes, found {len(label.classes)}")

    def names(self, role: Role) -> list[str]:
        """The columns with this role, in order."""
        return [name for name, column in self.columns.items() if column.role == role]

    @property
    def label(self) -> str:
        """The label column's name."""
        return self.names("label")[0]

    @property
    def event_time(self) -> str | None:
        """The event-time column's name, if there is one."""
        return next(iter(self.names("event_time")), None)

    @property
    def metric(self) -> Metric:
        """The loss that duels compare and progressive scores show first."""
        return self.promotion.metric or METRICS[self.task][0]

    @property
    def stored_columns(self) -> dict[str, Column]:
        """The columns that accepted rows keep: all but the ignored ones."""
        return {name: c for name, c in self.columns.items() if c.role != "ignore"}

    @property
    def schema_digest(self) -> str:
        """Digest of what decides the typed form of a row: names, types and time formats."""
        shape = [[n, c.type, c.format] for n, c in self.stored_columns.items()]
        return hashlib.sha256(repr(shape).encode()).hexdigest()[:16]


def digest(text: str) -> str:
    """The name under which the definition's text is stored."""
    return hashlib.sha256(text.encode()).hexdigest()


def parse(text: str, *, source: str = "definition") -> Definition:
    """Read a definition from YAML.

    Args:
        text: the YAML document.
        source: what to call it in messages, usually a file's name.

    Raises:
        DefinitionError: with one line for each mistake.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DefinitionError(f"{source} is not YAML: {error}") from None
    if not isinstance(document, dict):
        raise DefinitionError(f"{source}: expected a mapping with name, task and columns")
    try:
        return Definition.model_validate(document)
    except ValidationError as error:
        raise DefinitionError("\n".join(_mistakes(error, source))) from None


def _mistakes(error: ValidationError, source: str) -> Iterator[str]:
    for item in error.errors():
        place = ".".join(str(part) for part in item["loc"]) or "definition"
        if item["type"] == "extra_forbidden":
            yield f"{source}: {place}: unknown key{_nearest(item['loc'])}"
        else:
            yield f"{source}: {place}: {item['msg'].removeprefix('Value error, ')}"


def _nearest(place: tuple[Any, ...]) -> str:
    """`; did you mean …?` for a misspelt key, from the keys that exist at its place."""
    model: type[BaseModel] = Definition
    parts: dict[str, type[BaseModel]] = {
        "columns": Column, "rules": Rule, "files": Files, "training": Training,
        "promotion": Promotion, "window": Window, "trigger": Trigger,
    }  # fmt: skip
    for part in place[:-1]:
        model = parts.get(str(part), model)
    near = get_close_matches(str(place[-1]), list(model.model_fields), n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known keys are {', '.join(model.model_fields)}"
