"""Looks at a deployment whose documents a test has in hand."""

from __future__ import annotations

from perennial.domain.descriptor import Descriptor
from perennial.domain.doctoring.findings import Finding, Look
from perennial.workflows.doctoring.deployment import Predict, examine

from .documents import Answer, Google

REFUSED = Look("forbidden", said="403 Forbidden", status=403)
ANSWERED = Look("found", {"pipelines": [{"name": "flowers"}, {"name": "bikes"}]}, status=200)


def diagnose(
    google: Google, descriptor: Descriptor, *, stranger: Look = REFUSED, caller: Look = ANSWERED
) -> list[Finding]:
    return list(examine(google, Predict(Answer(stranger), iter([Answer(caller)])), descriptor))


def wrong(findings: list[Finding]) -> list[Finding]:
    return [found for found in findings if found.state != "ok"]
