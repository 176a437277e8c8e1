"""What is wrong with a definition is said with its line, its key, what was expected and found."""

from __future__ import annotations

import pytest

from perennial.domain.definitions.definition import parse
from perennial.errors import DefinitionError

TEXT = """\
name: flowers
task: binary
columns:
  petals: {type: integer, rules: [{range: [0, 10]}]}
  bought: {type: boolean, role: label}
training: {trigger: {files: 3}}
"""


def complaint(text: str) -> str:
    with pytest.raises(DefinitionError) as error:
        parse(text, source="f.yaml")
    return str(error.value)


def edited(old: str, new: str) -> str:
    assert TEXT.count(old) == 1
    return TEXT.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{trigger: {files: 3}}", "{window: 5}",
         "line 6: training.window: expected all, {files: N} or {days: N}, found 5"),
        ("{trigger: {files: 3}}", "{window: {fles: 3}}",
         "line 6: training.window.fles: unknown key; did you mean files?"),
        ("{trigger: {files: 3}}", "{window: {files: 0}}",
         "line 6: training.window.files: expected at least 1, found 0"),
        ("{trigger: {files: 3}}", "{window: {}}",
         "line 6: training.window: expected all, {files: N} or {days: N}, found neither"),
        ("{files: 3}", "{files: 3, rows: 4}",
         "line 6: training.trigger: expected {files: N} or {rows: N}, found files and rows"),
        ("{trigger: {files: 3}}", "{parameters: {alpha: [1]}}",
         ("line 6: training.parameters.alpha: "
          "expected text, a number, true, false or null, found a list of 1")),
        ("{trigger: {files: 3}}", "{sed: 3}",
         "line 6: training.sed: unknown key; did you mean seed?"),
        ("{trigger: {files: 3}}", "{model: liner}",
         ("line 6: training.model: expected hist_gradient_boosting, linear or "
          "package.module:factory, found 'liner'; did you mean linear?")),
        ("{trigger: {files: 3}}", "{model: 'house models:make'}",
         ("line 6: training.model: expected hist_gradient_boosting, linear or "
          "package.module:factory, found 'house models:make'")),
        ("{trigger: {files: 3}}", "{model: ./house.py}",
         ("line 6: training.model: expected hist_gradient_boosting, linear or "
          "package.module:factory, found './house.py'")),
        ("{trigger: {files: 3}}", "{model: 5}", "line 6: training.model: expected text, found 5"),
        ("{trigger: {files: 3}}", "daily", "line 6: training: expected a mapping, found 'daily'"),
        ("[0, 10]}", "[0, 10], severity: warning}",
         ("line 4: columns.petals.rules.0.severity: expected reject, reject_file or warn, "
          "found 'warning'; did you mean warn?")),
        ("[0, 10]", "5",
         ("line 4: columns.petals.rules.0.range: "
          "expected [lowest, highest], with null for an open side, found 5")),
        ("[0, 10]", "[0]",
         ("line 4: columns.petals.rules.0.range: "
          "expected [lowest, highest], with null for an open side, found a list of 1")),
        ("[0, 10]", "[few, 5]",
         ("line 4: columns.petals.rules.0.range.0: "
          "expected a number, or null for an open side, found 'few'")),
        ("[0, 10]", "[9, 5]",
         "line 4: columns.petals.rules.0.range: expected the lowest value first, found 9 above 5"),
        ("range: [0, 10]", "allowed: [2026-01-01]",
         ("line 4: columns.petals.rules.0.allowed.0: expected text, a number, true or false, "
          "found the date 2026-01-01 (quote it to make it text)")),
        ("range: [0, 10]", "pattern: '['",
         ("line 4: columns.petals.rules.0.pattern: expected a regular expression, found '[': "
          "unterminated character set at position 0")),
        ("[{range: [0, 10]}]", "{range: [0, 10]}",
         ("line 4: columns.petals.rules: expected a list of rules, as in [{range: [0, 10]}], "
          "found a mapping of range")),
        ("type: integer, ", "",
         ("line 4: columns.petals.type: expected this key with integer, number, boolean, "
          "category, text or timestamp, found none")),
        ("type: integer", "type: int",
         ("line 4: columns.petals.type: expected integer, number, boolean, category, text or "
          "timestamp, found 'int'; did you mean integer?")),
        ("task: binary\n", "",
         "task: expected this key with binary, multiclass or regression, found none"),
        ("task: binary", "task: regression",
         ("line 5: columns.bought.type: expected integer or number for the label of task "
          "regression, found boolean")),
        ("name: flowers", "name: 5", "line 1: name: expected text, found 5"),
        ("petals:", "2020:", "line 4: columns.2020: expected text as a name, found 2020: quote it"),
        ("role: label", "role: feature",
         "line 3: columns: expected exactly one with role label, found none"),
        ("role: label", "role: label, nullable: perhaps",
         "line 5: columns.bought.nullable: expected true or false, found 'perhaps'"),
        ("training:", "promotion: {metric: mae}\ntraining:",
         "line 6: promotion.metric: expected log_loss or brier for task binary, found mae"),
        ("training:", "serving: {log: {leave_out: [petal]}}\ntraining:",
         ("line 6: serving.log.leave_out: expected names of columns, found 'petal'; "
          "did you mean petals?")),
        ("training:", "serving: {log: {leave_out: petals}}\ntraining:",
         ("line 6: serving.log.leave_out: expected a list of columns, as in [email], "
          "found 'petals'")),
        ("training:", "monitoring: {ignore: [jmup]}\ntraining:",
         "line 6: monitoring.ignore: expected kinds of findings, found 'jmup'; did you mean jump?"),
        ("training:", "monitoring: {training_drfit: 0.2}\ntraining:",
         "line 6: monitoring.training_drfit: unknown key; did you mean training_drift?"),
        ("training:", "monitoring: {holdout: 0.9}\ntraining:",
         "line 6: monitoring.holdout: expected at most 0.5, found 0.9"),
        ("training:", "monitoring: {ignore: jump}\ntraining:",
         ("line 6: monitoring.ignore: expected a list of kinds of findings, as in [jump], "
          "found 'jump'")),
        ("training:", "serving: {log: {sampel: 1}}\ntraining:",
         "line 6: serving.log.sampel: unknown key; did you mean sample?"),
        ("training:", "serving: {log: {features: 2}}\ntraining:",
         "line 6: serving.log.features: expected at most 1, found 2"),
        ("training:", "serving: {shadow: maybe}\ntraining:",
         "line 6: serving.shadow: expected true or false, found 'maybe'"),
        ("training:", "files: {min_rows: 2.5}\ntraining:",
         "line 6: files.min_rows: expected a whole number, found 2.5"),
        ("  petals:", "  training: {type: number, trigger: 3}\n  petals:",
         ("line 4: columns.training.trigger: unknown key; "
          "known keys are type, role, nullable, format, classes, rules")),
        ("  petals: {type: integer, rules: [{range: [0, 10]}]}\n", "",
         "line 3: columns: expected at least 2, found 1"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_line_and_key(old: str, new: str, message: str) -> None:
    separator = ", " if message.startswith("line") else ": "
    assert complaint(edited(old, new)) == f"f.yaml{separator}{message}"


@pytest.mark.parametrize(
    ("model", "package"),
    [("linear", ""), ("house_models.forest:make", "house_models"), ("house:make", "house")],
)
def test_a_model_is_built_in_or_names_its_package(model: str, package: str) -> None:
    training = parse(edited("{trigger: {files: 3}}", f'{{model: "{model}"}}')).training
    assert (training.model, training.package) == (model, package)


def test_every_mistake_has_a_line_of_its_own_in_the_order_of_the_text() -> None:
    text = edited("type: integer", "type: int").replace("{files: 3}", "5")
    first, second = complaint(text.replace("task: binary", "task: guess")).splitlines()[1:]

    assert first.startswith("f.yaml, line 4: columns.petals.type: ")
    assert second.startswith("f.yaml, line 6: training.trigger: ")


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        ("  bought", "  petals: {type: number}\n  bought",
         ["line 5: columns.petals: expected this key once, found it in line 4 too: keep one"]),
        ("[0, 10]", "[0, 10], range: [0, 99]",
         [("line 4: columns.petals.rules.0.range: "
           "expected this key once, found it in line 4 too: keep one")]),
        ("training:", "task: binary\ntraining: {seed: 1}\ntraining:",
         ["line 6: task: expected this key once, found it in line 2 too: keep one",
          "line 8: training: expected this key once, found it in line 7 too: keep one"]),
    ],
)  # fmt: skip
def test_a_key_that_stands_twice_is_refused_with_both_lines(
    old: str, new: str, messages: list[str]
) -> None:
    """YAML's reader would take the last value, and what was written first be lost."""
    assert complaint(edited(old, new)).splitlines() == [f"f.yaml, {said}" for said in messages]


def test_a_stored_definition_with_a_key_twice_stays_readable() -> None:
    """It was in force when that was let pass, and means what it meant."""
    text = edited("  bought", "  petals: {type: number}\n  bought")

    assert parse(text, stored=True).columns["petals"].type == "number"


def test_rules_may_be_shared_by_an_anchor() -> None:
    """What is merged in is no repetition."""
    text = edited("{range: [0, 10]}", "&small {range: [0, 10]}, {<<: *small, severity: warn}")

    first, second = parse(text).columns["petals"].rules
    assert (first.range, first.severity) == (second.range, "reject")
    assert second.severity == "warn"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (edited("task", "\ttask"), ", line 2: not YAML: found a character that begins no key"),
        (edited("binary", "a: b"), ", line 2: not YAML: found a colon where no key can stand"),
        (edited("binary", "'binary"), ", line 2: not YAML: found a quotation mark that is never"),
        (edited("10]}]}", "10"), ", line 4: not YAML: found a bracket or brace that is never"),
        (edited("task:", "task"), ", line 2: not YAML: found a key that never gets its colon"),
        (edited("flowers", "*flowers"), ", line 1: not YAML: found an alias of nothing"),
        (edited("flowers", "!f lowers"), ", line 1: not YAML: found a tag"),
        (edited("flowers", "2026-13-45"), ", line 1: not YAML: found '2026-13-45', which YAML"),
        (edited("flowers", "\a"), ": expected text, found a control character: U+0007"),
        (edited("{files: 3}", "[" * 5000), ": found lists or mappings nested too deep"),
        ("", ": expected a mapping with name, task and columns, found nothing"),
        ("- a", ": expected a mapping with name, task and columns, found a list of 1"),
    ],
)
def test_what_is_not_yaml_is_said_in_plain_words(text: str, message: str) -> None:
    assert complaint(text).startswith(f"f.yaml{message}")
    assert "<" not in complaint(text)


def test_what_is_far_too_long_is_not_even_parsed():
    with pytest.raises(DefinitionError, match=r"at most 1,048,576 characters, found 1,048,5\d\d"):
        parse("name: shop\n#" + "x" * 1024 * 1024)
