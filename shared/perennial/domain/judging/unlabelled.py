"""Files to be scored: judged by their pipeline's rules as if it had no label.

They lie in the folder `score/` of their pipeline. No decision about one is ever `accepted`, so
whatever learns, which looks for that word, passes them by.
"""

from __future__ import annotations

from datetime import datetime

from perennial.domain.addresses import SCORE, reserved_folder
from perennial.domain.definitions.definition import Column, Definition
from perennial.domain.formats.csv_table import RowTooLong
from perennial.domain.formats.opening import open_file
from perennial.domain.formats.tables import UnreadableError
from perennial.domain.judging.reference import NO_HISTORY, Reference
from perennial.domain.judging.validation import Judgement, judge_bytes


def is_to_be_scored(name: str) -> bool:
    """Whether a landing object lies where files are dropped to be scored, not to be learned."""
    return reserved_folder(name) == SCORE


def without_label(definition: Definition) -> Definition:
    """The definition of the same rows before anybody knows their label."""
    columns = {n: c for n, c in definition.columns.items() if c.role != "label"}
    return definition.model_copy(update={"columns": columns})


def judge_unlabelled(
    definition: Definition,
    name: str,
    data: bytes,
    *,
    arrived: datetime | None = None,
    reference: Reference = NO_HISTORY,
) -> Judgement:
    """Judge a file to be scored. Whatever the bytes are, this returns.

    The label may be there, as in rows that were dropped before; then it is not looked at. No row
    is late, because none is learned. One bad row keeps out the file, whatever the row policy:
    predictions are told apart by the numbers of their rows, and each row is owed one.

    Args:
        definition: what the file must look like, but for its label.
        name: the object's name; its suffix states the format.
        data: the object's bytes.
        arrived: when they did (UTC); None where nobody knows.
        reference: what accepted files were like.
    """
    bare = without_label(definition).bearing(0.0)
    judgement = judge_bytes(bare, name, data, arrived=arrived, reference=reference)
    if all(finding.rule != "extra_column" for finding in judgement.findings):
        return judgement
    del judgement  # its rows: those of two would not fit into memory where those of one just do
    if _is_labelled(definition, bare, name, data):
        # Declared, and of no account: then it is no column too many.
        ignored = Column(type="text", role="ignore", nullable=True)
        columns = definition.columns | {definition.label: ignored}
        bare = definition.model_copy(update={"columns": columns})
    return judge_bytes(bare, name, data, arrived=arrived, reference=reference)


def _is_labelled(definition: Definition, bare: Definition, name: str, data: bytes) -> bool:
    """Whether the file names the label among its columns; its rows are not read for that."""
    try:
        opened = open_file(bare, name, data)
    except (RowTooLong, UnreadableError):  # judging says so
        return False
    return not isinstance(opened, tuple) and definition.label in opened.header.fields
