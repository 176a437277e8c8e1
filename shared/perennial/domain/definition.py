"""What a person declares of a pipeline: its columns, their rules, its training and promotion.

A definition is data. `parse` turns YAML text into a frozen `Definition` or raises one
`DefinitionError` that lists every mistake with its place and, for a misspelt key, the right one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from perennial.domain.mistakes import Keys, Misfit, mistakes, shown
from perennial.domain.names import PIPELINE_NAME
from perennial.domain.recipe import (
    METRICS,
    QUALITIES,
    Metric,
    Promotion,
    Quality,
    Scalar,
    Slice,
    Span,
    Strict,
    Task,
    Training,
    Trigger,
    Window,
)
from perennial.domain.yaml_text import read_yaml
from perennial.errors import DefinitionError

ColumnType = Literal["integer", "number", "boolean", "category", "text", "timestamp"]
Role = Literal["feature", "label", "event_time", "key", "ignore"]
Severity = Literal["reject", "warn"]

_LABEL_TYPES: Mapping[Task, tuple[ColumnType, ...]] = {
    "binary": ("integer", "boolean", "category"),
    "multiclass": ("integer", "boolean", "category"),
    "regression": ("integer", "number"),
}


class Rule(Strict):
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
                raise ValueError(
                    f"expected a regular expression, found {pattern!r}: {error}"
                ) from None
        return pattern

    @model_validator(mode="after")
    def _is_one_rule(self) -> Self:
        given = [k for k in ("range", "allowed", "pattern") if getattr(self, k) is not None]
        if len(given) != 1:
            raise ValueError(
                "expected exactly one of range, allowed and pattern, "
                f"found {' and '.join(given) or 'none'}"
            )
        if self.range is not None:
            low, high = self.range
            if low is None and high is None:
                raise Misfit("expected at least one bound, as in [0, null], found none", "range")
            if low is not None and high is not None and low > high:
                raise Misfit(
                    f"expected the lowest value first, found {low:g} above {high:g}", "range"
                )
        return self

    @property
    def kind(self) -> Literal["range", "allowed", "pattern"]:
        """Which of the three it is."""
        if self.range is not None:
            return "range"
        return "allowed" if self.allowed is not None else "pattern"


class Column(Strict):
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
            raise Misfit(f"expected it on a timestamp only, found type {self.type}", "format")
        if self.classes is not None and self.role != "label":
            raise Misfit(f"expected them on the label only, found role {self.role}", "classes")
        for rule in self.rules:
            if rule.kind == "range" and self.type not in ("integer", "number"):
                raise Misfit(
                    f"a range needs a column of type integer or number, found {self.type}", "rules"
                )
            if rule.kind == "pattern" and self.type not in ("category", "text"):
                raise Misfit(
                    f"a pattern needs a column of type category or text, found {self.type}", "rules"
                )
        if self.role == "event_time" and self.type != "timestamp":
            raise Misfit(
                f"expected timestamp, because its role is event_time, found {self.type}", "type"
            )
        if self.role == "event_time" and self.nullable:
            raise Misfit(
                "expected false, because every row needs its event_time, found true", "nullable"
            )
        return self


class Files(Strict):
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


class Definition(Strict):
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
                "expected a letter a-z, then only a-z, 0-9 and - (at most 63), because it names a "
                f"folder in the buckets, found {name!r}"
            )
        return name

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        labels = self.names("label")
        if len(labels) != 1:
            raise Misfit(
                f"expected exactly one with role label, found {', '.join(labels) or 'none'}",
                "columns",
            )
        if len(self.names("event_time")) > 1:
            found = ", ".join(self.names("event_time"))
            raise Misfit(f"expected at most one with role event_time, found {found}", "columns")
        if not self.names("feature") and not self.names("event_time"):
            raise Misfit("expected at least one with role feature, found none", "columns")
        self._check_label(labels[0])
        metric = self.promotion.metric
        if metric is not None and metric not in METRICS[self.task]:
            raise Misfit(
                f"expected {' or '.join(METRICS[self.task])} for task {self.task}, found {metric}",
                "promotion", "metric",
            )  # fmt: skip
        self._check_promotion()
        texts = [n for n in self.names("feature") if self.columns[n].type == "text"]
        if texts and self.training.model == "hist_gradient_boosting":
            raise Misfit(
                f"expected linear, because features are text ({', '.join(texts)}), found "
                f"{self.training.model}; or give them role ignore",
                "training", "model",
            )  # fmt: skip
        return self

    def _check_label(self, name: str) -> None:
        label, types = self.columns[name], _LABEL_TYPES[self.task]
        if label.type not in types:
            raise Misfit(
                f"expected {', '.join(types[:-1])} or {types[-1]} for the label of task "
                f"{self.task}, found {label.type}",
                "columns", name, "type",
            )  # fmt: skip
        if label.classes is None:
            return
        if self.task == "regression":
            raise Misfit("expected none for a regression, which has no classes, "
                         f"found {len(label.classes)}", "columns", name, "classes")  # fmt: skip
        if self.task == "binary" and len(label.classes) != 2:
            raise Misfit(
                f"expected two for task binary, found {len(label.classes)}",
                "columns", name, "classes",
            )  # fmt: skip

    def _check_promotion(self) -> None:
        for column, one in self.promotion.slices.items():
            place = ("promotion", "slices", column)
            found = self.columns.get(column)
            if found is None or found.type not in ("category", "boolean", "integer"):
                raise Misfit(
                    "expected a column of type category, boolean or integer, found "
                    + ("no such column" if found is None else found.type),
                    *place,
                )
            if found.role in ("label", "ignore"):
                raise Misfit(f"expected a feature, found role {found.role}", *place)
            self._check_floors(one.floors, (*place, "floors"))
        self._check_floors(self.promotion.floors, ("promotion", "floors"))

    def _check_floors(self, floors: Mapping[Quality, float], place: tuple[str, ...]) -> None:
        for quality in floors:
            if quality not in QUALITIES[self.task]:
                *most, last = QUALITIES[self.task]
                raise Misfit(
                    f"expected {', '.join(most)} or {last} for task {self.task}, found {quality}",
                    *place, quality,
                )  # fmt: skip

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


_KEYS: Keys = {
    (): Definition,
    ("columns", "*"): Column,
    ("columns", "*", "rules", "*"): Rule,
    ("files",): Files,
    ("training",): Training,
    ("training", "window"): Window,
    ("training", "span"): Span,
    ("training", "trigger"): Trigger,
    ("promotion",): Promotion,
    ("promotion", "slices", "*"): Slice,
}


def parse(text: str, *, source: str = "definition", stored: bool = False) -> Definition:
    """Read a definition from YAML.

    Args:
        text: the YAML document.
        source: what to call it in messages, usually a file's name.
        stored: it was put in force once, perhaps when a key could still stand twice.

    Raises:
        DefinitionError: with one line for each mistake.
    """
    read = read_yaml(text, source, keys_once=not stored)
    if not isinstance(read.document, dict):
        raise DefinitionError(
            f"{source}: expected a mapping with name, task and columns, "
            f"found {shown(read.document)}"
        )
    try:
        return Definition.model_validate(read.document)
    except ValidationError as error:
        raise DefinitionError("\n".join(mistakes(error.errors(), read, _KEYS))) from None
