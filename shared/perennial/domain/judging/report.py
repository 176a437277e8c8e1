"""The diagnosis that lies beside a quarantined file, for people who never saw this system."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from perennial.domain import names
from perennial.domain.verdict import Verdict


def to_report(verdict: Verdict, original: str, bad_rows: str = "", traceback: str = "") -> bytes:
    """What was wrong with a file, as JSON.

    Args:
        verdict: the decision.
        original: where the original bytes are kept (a URL).
        bad_rows: where the rows are that were left out of an accepted file (a URL).
        traceback: of the mistake of ours that kept it from being judged.
    """
    report: dict[str, Any] = {
        "format": 1,
        "file": verdict.file.name,
        "generation": verdict.file.generation,
        "pipeline": verdict.pipeline,
        "decision": verdict.decision,
        "number": verdict.number,
        "judged": verdict.decided.isoformat(),
        "judged_by": verdict.decided_by,
        "definition": verdict.definition,
        "sha256": verdict.sha256,
        "size": verdict.size,
        "original": original,
        "reason": verdict.reason,
        "findings": [asdict(finding) for finding in verdict.findings],
    }
    if bad_rows:
        report |= {
            "rows": verdict.rows,
            "rows_set_aside": verdict.rows_set_aside,
            "bad_rows": bad_rows,
        }
    if traceback:
        report["traceback"] = traceback
    return json.dumps(report, ensure_ascii=False, indent=1).encode()


def report_name(verdict: Verdict) -> str:
    """Where the report of this very decision lies in the quarantine bucket."""
    folder = names.quarantined(verdict.pipeline, verdict.file)
    return names.numbered(folder + "report", verdict.number, ".json")
