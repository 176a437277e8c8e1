"""What a person declares of a pipeline: columns, their rules, training, promotion, serving.

A definition is data. `parse` turns YAML text into a frozen `Definition` or raises one
`DefinitionError` that lists every mistake with its place and, for a misspelt key, the right one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, ValidationError, field_validator, model_validator

from perennial.domain.definitions.expected import Checks, Limits
from perennial.domain.definitions.files import Csv, Files, Rows
from perennial.domain.definitions.mistakes import Keys, Misfit, mistakes, shown
from perennial.domain.definitions.recipe import (
    METRICS,
    QUALITIES,
    Log,
    Metric,
    Promotion,
    Quality,
    Scalar,
    Serving,
    Slice,
    Span,
    Strict,
    Task,
    Training,
    Trigger,
    Window,
)
from perennial.domain.definitions.serving_settings import ServingSettings
from perennial.domain.definitions.yaml_text import read_yaml
from perennial.domain.monitoring.settings import Monitoring
from perennial.domain.names import PIPELINE_NAME
from perennial.errors import DefinitionError

ColumnType = Literal["integer", "number", "boolean", "category", "text", "timestamp"]
Role = Literal["feature", "label", "event_time", "key", "ignore"]
RuleKind = Literal["range", "allowed", "observed", "pattern", "unique", "max_null_fraction"]
Severity = Literal["reject", "reject_file", "warn"]

_LABEL_TYPES: Mapping[Task, tuple[ColumnType, ...]] = {
    "binary": ("integer", "boolean", "category"),
    "multiclass": ("integer", "boolean", "category"),
    "regression": ("integer", "number"),
}


class Rule(Strict):
    """One rule on the values of a column: exactly one of its keys beside `severity`.

    Attributes:
        range: [lowest, highest], both included; null leaves a side open.
        allowed: the only values that may occur.
        observed: what samples held: [lowest, highest] of numbers, or the values that occurred.
            It warns of other values, and of numbers that are more than the width of these bounds
            away, unless accepted files have had them, too.
        pattern: a regular expression that the whole value must match.
        unique: no value may stand in two rows of a file.
        max_null_fraction: the largest share of a file's rows in which the cell may be empty.
        severity: `reject` keeps a row out, and the file where more rows than the row policy bears
            are kept out; `reject_file` the file, whatever the policy; `warn` only reports. What is
            observed only warns.
    """

    range: tuple[float | None, float | None] | None = None
    allowed: tuple[Scalar, ...] | None = None
    observed: tuple[Scalar, ...] | None = Field(default=None, min_length=1)
    pattern: str | None = None
    unique: Literal[True] | None = None
    max_null_fraction: float | None = Field(default=None, ge=0, le=1)
    severity: Severity = "reject"

    @model_validator(mode="before")
    @classmethod
    def _what_is_observed_warns(cls, given: Any) -> Any:
        if isinstance(given, dict) and "observed" in given:
            return {"severity": "warn", **given}
        return given

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
        given = [kind for kind in get_args(RuleKind) if getattr(self, kind) is not None]
        if len(given) != 1:
            *most, last = get_args(RuleKind)
            raise ValueError(
                f"expected exactly one of {', '.join(most)} and {last}, "
                f"found {' and '.join(given) or 'none'}"
            )
        if self.observed is not None and self.severity != "warn":
            raise Misfit(
                f"expected warn for what was only observed, found {self.severity}; use range or "
                "allowed where you know better",
                "severity",
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
    def bounds(self) -> tuple[float | None, float | None]:
        """Of a range, or of the numbers that were observed; None and None of any other rule."""
        if self.range is not None:
            return self.range
        match self.observed:
            case (float() | int() as low, float() | int() as high):
                return low, high
        return None, None

    @property
    def kind(self) -> RuleKind:
        """Which of its keys it has."""
        kinds: tuple[RuleKind, ...] = get_args(RuleKind)
        return next(kind for kind in kinds if getattr(self, kind) is not None)


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
            if rule.observed is not None:
                self._check_observed(rule.observed)
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

    def _check_observed(self, observed: Sequence[Scalar]) -> None:
        if self.type in ("integer", "number"):
            numbers = [v for v in observed if not isinstance(v, bool | str)]
            if len(observed) != 2 or len(numbers) != 2 or numbers[0] > numbers[1]:
                raise Misfit(
                    f"expected [lowest, highest] of type {self.type}, found {list(observed)}",
                    "rules",
                )
        elif self.type not in ("category", "boolean"):
            raise Misfit(
                "expected what was observed of integers, numbers, categories or booleans, found "
                f"type {self.type}",
                "rules",
            )


class Definition(Strict):
    """A pipeline, whole. Columns keep the order in which they were written.

    Attributes:
        format: of the definition itself; there is one so far.
        name: the pipeline's, and its folder's in the buckets.
        task: what is predicted: one of two classes, one of several, or a number.
        columns: those of the files, by name.
        files: what a file must look like as a whole.
        rows: what any row must obey.
        checks: what a file is checked for, beside the rules of its columns.
        training: how models are made.
        promotion: what lets a model serve.
        serving: how the champion answers, and what becomes of predictions.
        monitoring: above which figures something is a finding.
    """

    format: Literal[1] = 1
    name: str
    task: Task
    columns: Annotated[dict[str, Column], Field(min_length=2)]
    files: Files = Files()
    rows: Rows = Rows()
    checks: Checks = Checks()
    training: Training = Training()
    promotion: Promotion = Promotion()
    serving: Serving = Serving()
    monitoring: Monitoring = Monitoring()

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
        self._check_left_out()
        if self.serving.lookup and not self.names("key"):
            raise Misfit(
                "expected a column with role key, by which predictions are looked up, found none",
                "serving", "lookup",
            )  # fmt: skip
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

    def _check_left_out(self) -> None:
        """A misspelt name would have the column written."""
        for name in self.serving.log.leave_out:
            if name not in self.columns:
                near = get_close_matches(name, self.columns, n=1)
                raise Misfit(
                    f"expected names of columns, found {name!r}"
                    + (f"; did you mean {near[0]}?" if near else ""),
                    "serving", "log", "leave_out",
                )  # fmt: skip

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
    def served(self) -> ServingSettings:
        """What `predict`, which reads no definitions, must know of this one."""
        log = self.serving.log
        return ServingSettings(
            sample=log.sample,
            features=log.features,
            keys=tuple(self.names("key")) if log.keys else (),
            leave_out=log.leave_out,
            shadow=self.serving.shadow,
            cors=self.serving.cors,
            holdout=self.monitoring.holdout,
        )

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

    def bearing(self, share: float) -> Definition:
        """The same with another row policy: at most this share of a file's rows may be bad."""
        rows = self.rows.model_copy(update={"max_bad_row_fraction": share})
        return self.model_copy(update={"rows": rows})

    @property
    def stored_columns(self) -> dict[str, Column]:
        """The columns that accepted rows keep: all but the ignored ones."""
        return {name: c for name, c in self.columns.items() if c.role != "ignore"}

    @property
    def schema_digest(self) -> str:
        """Digest of what decides the typed form of a row: names, types, time formats, dialect."""
        shape: list[Any] = [[n, c.type, c.format] for n, c in self.stored_columns.items()]
        if dialect := self.files.csv.model_dump(exclude_defaults=True):
            shape.append(sorted(dialect.items()))
        return hashlib.sha256(repr(shape).encode()).hexdigest()[:16]


def digest(text: str) -> str:
    """The name under which the definition's text is stored."""
    return hashlib.sha256(text.encode()).hexdigest()


_KEYS: Keys = {
    (): Definition,
    ("columns", "*"): Column,
    ("columns", "*", "rules", "*"): Rule,
    ("files",): Files,
    ("files", "csv"): Csv,
    ("rows",): Rows,
    ("checks",): Checks,
    ("checks", "duplicate_rows"): Limits,
    ("checks", "null_fraction"): Limits,
    ("checks", "unseen_categories"): Limits,
    ("checks", "distribution"): Limits,
    ("training",): Training,
    ("training", "window"): Window,
    ("training", "span"): Span,
    ("training", "trigger"): Trigger,
    ("promotion",): Promotion,
    ("promotion", "slices", "*"): Slice,
    ("serving",): Serving,
    ("serving", "log"): Log,
    ("monitoring",): Monitoring,
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
