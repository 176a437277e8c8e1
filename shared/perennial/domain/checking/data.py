"""The first test: what a version learned was let in by rules, and still stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from perennial.domain.checking.looks import Look, look
from perennial.domain.definitions.definition import Definition
from perennial.domain.modelling.frames import inputs_of
from perennial.domain.verdict import Verdict, VerdictSummary
from perennial.domain.versioning.importing import IMPORTED
from perennial.domain.versioning.lineage import Learned
from perennial.domain.versioning.manifest import Input, Manifest
from perennial.domain.words import counted


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What is on record about the files.

    Attributes:
        definition: that the version was trained by.
        learned: the files that it learned, in time order.
        in_force: every file of the pipeline by stem, as the verdict that stands has it.
        verdicts: those on the newest learned files, whole.
    """

    manifest: Manifest
    definition: Definition
    learned: Sequence[Learned]
    in_force: Mapping[str, VerdictSummary]
    verdicts: Sequence[Verdict]


def judge_data(facts: DataFacts) -> Iterator[Look]:
    """Look at verdicts, rules, warnings, quarantine and schema."""
    yield _verdicts(facts)
    yield _rules(facts.definition)
    if facts.verdicts:
        yield _warnings(facts.verdicts)
    yield _quarantine(facts)
    yield _schema(facts)


def _verdicts(facts: DataFacts) -> Look:
    standing = {f.name: _standing(facts, f.stem) for f in facts.learned}
    fallen = {name: decision for name, decision in standing.items() if decision != "accepted"}
    rows = sum(file.rows for file in facts.learned)
    said = f"{counted(len(facts.learned), 'learned file')} with {counted(rows, 'row')}"
    if not facts.learned:
        return look("verdicts", None, "no file is on record as learned")
    if fallen:
        named = ", ".join(f"{name} ({decision})" for name, decision in fallen.items())
        said += f", and {len(fallen)} of them not accepted any more: {named}"
    else:
        said += f", all accepted; the last is {facts.learned[-1].name}"
    return look(
        "verdicts", not fallen, said,
        files=len(facts.learned), rows=rows, last=asdict(facts.learned[-1]), not_accepted=fallen,
    )  # fmt: skip


def _standing(facts: DataFacts, stem: str) -> str:
    summary = facts.in_force.get(stem)
    return summary.decision if summary else "without a verdict"


def _rules(definition: Definition) -> Look:
    stored = definition.stored_columns
    rules = [rule for column in stored.values() for rule in column.rules]
    rejecting = sum(rule.severity != "warn" for rule in rules)
    required = sum(not column.nullable for column in stored.values())
    return look(
        "rules", True,
        f"{counted(len(stored), 'column')} typed, {required} of them required; {rejecting} "
        f"rejecting and {counted(len(rules) - rejecting, 'warning rule')} checked",
        columns={name: column.type for name, column in stored.items()},
        required=required, rejecting=rejecting, warning=len(rules) - rejecting,
    )  # fmt: skip


def _warnings(verdicts: Sequence[Verdict]) -> Look:
    found = [
        {"file": one.file.name, "rule": f.rule, "column": f.column, "rows": f.rows,
         "severity": f.severity, "message": f.message, "decided_by": one.decided_by}
        for one in verdicts for f in one.findings
    ]  # fmt: skip
    files = len({finding["file"] for finding in found})
    said = f"{counted(len(found), 'warning')} in the newest {counted(len(verdicts), 'file')}"
    return look(
        "warnings", True, said + (f", about {files} of them" if found else ""),
        files=[one.file.name for one in verdicts], findings=found,
    )  # fmt: skip


def _quarantine(facts: DataFacts) -> Look:
    newest = max((int(file.stem.split("-")[0]) for file in facts.learned), default=0)
    held = [
        one.file.name for one in facts.in_force.values()
        if one.decision == "quarantined" and one.file.generation > newest
    ]  # fmt: skip
    said = f"{counted(len(held), 'file')} quarantined since the last that it learned"
    return look("quarantine", True, said, since=held)


def _schema(facts: DataFacts) -> Look:
    """Whether rows have the types that the model reads."""
    expected, found = _read(facts)
    digest = facts.definition.schema_digest
    same = sum(file.rows_object.endswith(f"-{digest}.parquet") for file in facts.learned)
    said = f"schema {digest}: {same} of {counted(len(facts.learned), 'file')} lie in it"
    if same < len(facts.learned):
        said += ", the others are brought into it when they are read"
    if expected != found:
        names = ", ".join(sorted({one.name for one in {*expected} ^ {*found}}))
        said = f"the version reads other columns than its definition names: {names}"
    return look("schema", expected == found, said, digest=digest, files=same)


def _read(facts: DataFacts) -> tuple[tuple[Input, ...], tuple[Input, ...]]:
    """The columns that a version would read by its definition, and those that it reads.

    A graph from elsewhere may read fewer, by tensors of its own: their names must be there.
    """
    expected, found = inputs_of(facts.definition), facts.manifest.inputs
    if IMPORTED not in facts.manifest.environment:
        return expected, found
    by_name = {one.name: one for one in expected}
    known = tuple(by_name.get(one.name, one) for one in found)
    return tuple(one for one in known if one.name in by_name), known
