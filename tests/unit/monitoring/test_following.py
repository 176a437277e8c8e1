"""Findings open, persist, get worse and close; one cause is one finding."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from perennial.domain.monitoring.findings import KINDS, Symptom
from perennial.domain.monitoring.following import KINDS_OF, follow

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def symptom(kind="jump", subject="amount", *, strength=1.0, severity="warning", news="f1"):
    return Symptom(kind, subject, severity, "it jumped", "look", {"n": 1}, strength, news)


def opened(*symptoms, at=NOW):
    findings, closed, changes = follow((), symptoms, ("files",), at)
    assert not closed
    assert {change.what for change in changes} <= {"opened"}
    return findings


def test_every_kind_belongs_to_one_part_of_a_look():
    kinds = [kind for part in KINDS_OF.values() for kind in part]
    assert sorted(kinds) == sorted(KINDS)


def test_it_opens_at_its_limit_and_not_below():
    assert opened(symptom(strength=0.99)) == []
    [finding] = opened(symptom(strength=1.0))
    assert (finding.opened, finding.seen, finding.closed, finding.times) == (NOW, NOW, None, 1)


def test_it_stays_open_a_little_below_its_limit_and_closes_further_down():
    before = opened(symptom())
    eased = symptom(strength=0.85, news="f2")
    [finding], closed, changes = follow(before, [eased], ("files",), LATER)
    assert (finding.times, finding.seen, closed, changes) == (2, LATER, [], [])
    findings, [over], [change] = follow([finding], [], ("files",), LATER)
    assert findings == []
    assert (over.closed, change.what, change.finding) == (LATER, "closed", over)


def test_the_same_evidence_again_changes_nothing():
    before = opened(symptom())
    assert follow(before, [symptom()], ("files",), LATER) == (before, [], [])


def test_new_evidence_is_counted_and_told_of_only_when_it_got_much_worse():
    before = opened(symptom())
    [again], _, changes = follow(before, [symptom(strength=1.2, news="f2")], ("files",), LATER)
    assert (again.times, again.opened, changes) == (2, NOW, [])
    [worse], _, [change] = follow([again], [symptom(strength=1.6, news="f3")], ("files",), LATER)
    assert (change.what, change.finding) == ("worsened", worse)
    _, _, changes = follow([worse], [symptom(strength=1.7, news="f4")], ("files",), LATER)
    assert changes == []


def test_a_heavier_severity_is_worse():
    before = opened(symptom())
    [finding], _, [change] = follow(before, [symptom(severity="error")], ("files",), LATER)
    assert (change.what, finding.severity) == ("worsened", "error")


def test_a_part_that_was_not_looked_at_opens_and_closes_nothing_of_its_kinds():
    before = opened(symptom())
    assert follow(before, [], ("sources", "jobs"), LATER) == (before, [], [])


def test_what_is_ignored_neither_opens_nor_stays_open():
    before = opened(symptom())
    findings, closed, _ = follow(before, [symptom()], (), LATER, ignore=("jump",))
    assert findings == []
    assert [one.kind for one in closed] == ["jump"]


def test_a_jump_that_lasts_is_told_as_the_drift_that_it_is():
    drift = symptom("training_drift", severity="info")
    assert [one.kind for one in opened(symptom(), drift)] == ["training_drift"]
    other = symptom("training_drift", "basket", severity="info")
    assert {one.kind for one in opened(symptom(), other)} == {"jump", "training_drift"}


def test_the_worst_come_first_then_the_newest():
    old = opened(symptom("training_drift", "a", severity="info"), symptom("jump", "b"))
    findings, _, _ = follow(
        old,
        [symptom("training_drift", "a", severity="info"), symptom("jump", "b"),
         symptom("jump", "c", severity="error"), symptom("jump", "d")],
        ("files",), LATER,
    )  # fmt: skip
    assert [one.subject for one in findings] == ["c", "d", "b", "a"]
