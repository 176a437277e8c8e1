"""What must hold once trouble is over, read from the buckets without the product's code."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import onnxruntime

from tests.chaos.bucket import Buckets
from tests.chaos.load import PIPELINE, ROWS, WHEN, Answer, Dropped

_CLOSE = 1e-4  # float32, of predictions up to some hundreds


@dataclass(slots=True)
class Findings:
    """What was checked, and what was wrong.

    Attributes:
        landed: generations of landing objects.
        decisions: how many there are of each.
        learned: files that the champion has learned.
        versions: that were champions.
        checked: predictions that were held to their version.
        lost, doubled, wrong: one sentence for each case.
    """

    landed: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    learned: int = 0
    versions: int = 0
    checked: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.wrong)

    def complaints(self) -> list[str]:
        """The first few sentences of each kind."""
        every = {"lost": self.lost, "doubled": self.doubled, "wrong": self.wrong}
        return [f"{kind}: {one}" for kind, ones in every.items() for one in ones[:20]]


def stem_of(item: dict[str, Any]) -> str:
    """How the verdict on a generation of a landing object is called."""
    digest = hashlib.sha256(item["name"].encode()).hexdigest()[:16]
    return f"{int(item['generation']):020d}-{digest}"


def verdicts(buckets: Buckets) -> dict[str, list[dict[str, Any]]]:
    """Every decision, by the stem of its file, the first one first."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item in buckets.list("data", f"{PIPELINE}/verdicts/"):
        stem = item["name"].rpartition("/")[2].split(".")[0]
        found[stem].append(json.loads(buckets.read("data", item["name"])))
    return {stem: sorted(every, key=lambda one: one["number"]) for stem, every in found.items()}


def head_of(buckets: Buckets) -> dict[str, Any]:
    """The registry's head."""
    return dict(json.loads(buckets.read("models", f"{PIPELINE}/registry/head.json")))


def learned_by(buckets: Buckets, version: str) -> list[dict[str, Any]]:
    """The files that a version has learned."""
    lineage = json.loads(buckets.read("models", f"{PIPELINE}/versions/{version}/lineage.json"))
    return [one for one in lineage["files"] if one["used"]]


def check_files(buckets: Buckets, dropped: Iterable[Dropped], found: Findings) -> None:
    """Each generation has one verdict, each content is taken once, and learned once."""
    landing = buckets.list("landing", f"{PIPELINE}/", versions=True)
    judged = verdicts(buckets)
    found.landed = len(landing)
    stems = {stem_of(item): item for item in landing}
    digests = {stem: _digest(buckets, item) for stem, item in stems.items()}
    found.wrong += [
        f"verdict {stem} is about nothing that landed" for stem in judged - stems.keys()
    ]
    for stem, item in stems.items():
        _check_verdict(buckets, item, digests[stem], judged.get(stem, []), found)
    _check_contents(dropped, digests, judged, found)
    _check_learned(buckets, judged, found)


def _digest(buckets: Buckets, item: dict[str, Any]) -> str:
    data = buckets.read("landing", item["name"], int(item["generation"]))
    return hashlib.sha256(data).hexdigest()


def _check_verdict(
    buckets: Buckets,
    item: dict[str, Any],
    sha256: str,
    decisions: Sequence[dict[str, Any]],
    found: Findings,
) -> None:
    name = f"{item['name']} ({item['generation']})"
    if not decisions:
        found.lost.append(f"{name} has no verdict")
        return
    if len(decisions) > 1:
        found.doubled.append(f"{name} has {len(decisions)} decisions, and nobody healed anything")
    verdict = decisions[-1]
    found.decisions[verdict["decision"]] += 1
    match verdict["decision"]:
        case "quarantined":
            original = buckets.read("quarantine", f"{PIPELINE}/{stem_of(item)}/original")
            if hashlib.sha256(original).hexdigest() != sha256:
                found.wrong.append(f"{name}: quarantine has other bytes than landing")
            buckets.read("quarantine", f"{PIPELINE}/{stem_of(item)}/report.json")
        case "accepted":
            if (verdict["sha256"], verdict["rows"]) != (sha256, ROWS):
                found.wrong.append(f"{name}: accepted as {verdict['rows']} rows of other bytes")
            buckets.read("data", verdict["rows_object"])
        case "vanished":
            if "timeDeleted" not in item:
                found.lost.append(f"{name} vanished, and lies there")
        case "duplicate":
            pass
        case other:
            found.wrong.append(f"{name}: {other} was not expected")


def _check_contents(
    dropped: Iterable[Dropped],
    digests: dict[str, str],
    judged: dict[str, list[dict[str, Any]]],
    found: Findings,
) -> None:
    decided: dict[str, Counter[str]] = defaultdict(Counter)
    for stem, sha256 in digests.items():
        if stem in judged:
            decided[sha256][judged[stem][-1]["decision"]] += 1
    bad = {one.sha256 for one in dropped if one.kind == "bad"}
    for one in dropped:
        counts = decided[one.sha256]
        if not counts:
            found.lost.append(f"{one.name} was uploaded, and is not in landing")
        elif counts["accepted"] > 1:
            found.doubled.append(f"{one.name}: its content was accepted {counts['accepted']} times")
        elif one.sha256 in bad:
            if counts["accepted"] or not counts["quarantined"]:
                found.wrong.append(f"{one.name} is bad: {dict(counts)}")
        elif counts["quarantined"]:
            found.wrong.append(f"{one.name} is good: {dict(counts)}")
        elif not counts["accepted"] and not counts["vanished"]:
            found.lost.append(f"{one.name}: its content was never accepted: {dict(counts)}")


def _check_learned(
    buckets: Buckets, judged: dict[str, list[dict[str, Any]]], found: Findings
) -> None:
    champion = head_of(buckets)["champion"]
    files = learned_by(buckets, champion) if champion else []
    found.learned = len(files)
    for what in ("stem", "sha256"):
        counts = Counter(file[what] for file in files)
        found.doubled += [
            f"{champion} learned {one} {n} times" for one, n in counts.items() if n > 1
        ]
    accepted = {stem for stem, every in judged.items() if every[-1]["decision"] == "accepted"}
    learned = {file["stem"] for file in files}
    found.lost += [
        f"{stem} is accepted, and {champion} has not learned it" for stem in accepted - learned
    ]
    found.wrong += [
        f"{champion} learned {stem}, which is not accepted" for stem in learned - accepted
    ]


def check_chain(buckets: Buckets, found: Findings) -> list[dict[str, Any]]:
    """Every commit from the first to the head is there and names the one before it."""
    head, commits = head_of(buckets), []
    expected, number = head["commit"], head["number"]
    while number:
        name = f"{PIPELINE}/registry/commits/{number:010d}-{expected}.json"
        items = buckets.list("models", name)
        if not items:
            items = [
                item
                for item in buckets.list("models", f"{PIPELINE}/registry/commits/")
                if item["name"].endswith(f"-{expected}.json")
            ]
        if not items:
            found.lost.append(f"commit {number} ({expected}) of the chain is gone")
            break
        commit = json.loads(buckets.read("models", items[0]["name"]))
        if (commit["head"]["number"], commit["head"]["commit"]) != (number, expected):
            found.wrong.append(f"commit {number} is another: {commit['head']['number']}")
        commits.append(commit)
        expected, number = commit["head"]["parent"], number - 1
    if commits and commits[0]["head"] != head:
        found.wrong.append("the head is not what its commit says")
    if expected:
        found.wrong.append(f"the first commit has a parent: {expected}")
    epochs = [commit["head"]["epoch"] for commit in reversed(commits)]
    if epochs != sorted(epochs):
        found.wrong.append("an epoch came back")
    return commits[::-1]


def check_answers(
    buckets: Buckets,
    answers: Sequence[Answer],
    commits: Sequence[dict[str, Any]],
    disturbed: Sequence[float],
    found: Findings,
) -> None:
    """Each answer came of a version that had been champion by then, and is what that one says."""
    since: dict[str, float] = {}
    for commit in commits:
        if version := commit["head"]["champion"]:
            since.setdefault(version, datetime.fromisoformat(commit["at"]).timestamp())
    found.versions = len(since)
    models: dict[str, Model] = {}
    ordered = sorted(answers, key=lambda answer: answer.answered)
    last_good, first_champion = 0.0, min(since.values(), default=float("inf"))
    for answer in ordered:
        if answer.status == 200:
            last_good = answer.answered
            _check_answer(buckets, answer, since, models, found)
        elif answer.status >= 500:
            new = any(last_good <= moment <= answer.answered for moment in disturbed)
            nothing_yet = answer.status == 503 and not last_good
            if not (new or nothing_yet or answer.asked < first_champion):
                found.wrong.append(f"predict answered {answer.status}: {answer.detail}")
        elif answer.status != 0 and not (answer.status == 404 and answer.asked < first_champion):
            found.wrong.append(f"predict answered {answer.status}: {answer.detail}")


def _check_answer(
    buckets: Buckets,
    answer: Answer,
    since: dict[str, float],
    models: dict[str, Model],
    found: Findings,
) -> None:
    if answer.version not in since:
        found.wrong.append(f"{answer.version} answered, and was never champion")
        return
    if since[answer.version] > answer.answered:
        found.wrong.append(f"{answer.version} answered before it was champion")
    if answer.version not in models:
        models[answer.version] = Model(buckets, answer.version)
    expected = models[answer.version].predict(answer.visits)
    if abs(expected - answer.prediction) > _CLOSE * max(1.0, abs(expected)):
        found.wrong.append(
            f"{answer.version} says {expected} for {answer.visits} visits, not {answer.prediction}"
        )
    found.checked += 1


class Model:
    """A version's graph, run as a file that somebody found."""

    def __init__(self, buckets: Buckets, version: str) -> None:
        folder = f"{PIPELINE}/versions/{version}"
        manifest = json.loads(buckets.read("models", f"{folder}/manifest.json"))
        graph = buckets.read("models", f"{folder}/model.onnx")
        if hashlib.sha256(graph).hexdigest() != manifest["files"]["model.onnx"]["sha256"]:
            raise AssertionError(f"{version}: its graph is not the one that its manifest states")
        self._session = onnxruntime.InferenceSession(graph)
        self._inputs = manifest["inputs"]
        self._known: dict[int, float] = {}

    def predict(self, visits: int) -> float:
        if visits not in self._known:
            values = {"when": np.array([[WHEN.timestamp()]], np.int64)}
            values["visits"] = np.array([[visits]], np.float32)
            feed = {one["tensor"]: values[one["name"]] for one in self._inputs}
            [answer] = self._session.run(["prediction"], feed)
            self._known[visits] = float(answer[0][0])
        return self._known[visits]
