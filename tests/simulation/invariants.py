"""What must hold when everything has come to rest, checked by what lies in the buckets.

None of it uses the code that it checks: names are matched, JSON is read as it is.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Any

from perennial.adapters.graph import Graph
from perennial.domain.versioning.manifest import Manifest
from perennial.domain.versioning.registry import Commit
from tests.integration.registry.checking import START, violations
from tests.simulation.deployment import NOON, PIPELINE, Deployment

_VERDICT = re.compile(
    r"(?P<home>[^/]+)/verdicts/(?P<stem>\d{20}-[0-9a-f]+)(?:\.(?P<number>\d+))?\.json"
)
_AT_REST = ("accepted", "duplicate", "quarantined", "vanished", "suspect", "discarded")
_REPLACED = re.compile(r".*/registry/head\.json")


def broken(deployment: Deployment) -> list[str]:
    """What does not hold, a sentence each."""
    found = list(deployment.seen.unforeseen)
    for check in (
        written_once, one_verdict, nothing_lost, nothing_twice, one_chain, whole_versions,
        all_considered, learned_what_is_accepted, proper_answers,
    ):  # fmt: skip
        found += [f"{check.__name__}: {wrong}" for wrong in check(deployment)]
    return found


def written_once(deployment: Deployment) -> Iterator[str]:
    """Everything but the head is written once."""
    for (bucket, name), digests in deployment.seen.writes.items():
        if bucket != "landing" and len(digests) > 1 and not _REPLACED.fullmatch(name):
            yield f"{bucket}/{name} was written {len(digests)} times"


def one_verdict(deployment: Deployment) -> Iterator[str]:
    """Every generation in landing has a chain of decisions under one pipeline, without a gap."""
    chains: dict[str, list[tuple[str, int]]] = {}
    for name in _names(deployment, "data"):
        if match := _VERDICT.fullmatch(name):
            chains.setdefault(match["stem"], []).append((match["home"], int(match["number"] or 1)))
    for file in deployment.seen.uploads:
        chain = sorted(chains.pop(file.stem, []), key=lambda entry: entry[1])
        if [number for _, number in chain] != list(range(1, len(chain) + 1)) or not chain:
            yield f"{file.name}#{file.generation} has decisions {chain}"
        elif len({home for home, _ in chain}) > 1:
            yield f"{file.name}#{file.generation} was decided in {chain}"
    yield from (f"{stem} was never uploaded" for stem in chains)


def nothing_lost(deployment: Deployment) -> Iterator[str]:
    """Every file is at rest, and the bytes of those that are held back are there."""
    for stem, verdict in _in_force(deployment).items():
        if verdict["decision"] not in _AT_REST:
            yield f"{stem} is {verdict['decision']}: {verdict.get('reason')}"
    for file, data in deployment.seen.uploads.items():
        verdict = _in_force(deployment).get(file.stem, {})
        if verdict.get("decision") == "quarantined" and not verdict.get("parent"):
            copies = [
                deployment.stores["quarantine"].read(name).data
                for name in _names(deployment, "quarantine")
                if file.stem in name and not name.endswith(".json")
            ]
            if data not in copies:
                yield f"{file.name}#{file.generation} is quarantined, and its bytes are not there"
        if deployment.stores["landing"].read(file.name, generation=file.generation).data != data:
            yield f"{file.name}#{file.generation} is not what was uploaded"


def nothing_twice(deployment: Deployment) -> Iterator[str]:
    """No content is accepted twice."""
    digests = Counter(
        verdict["sha256"]
        for verdict in _in_force(deployment).values()
        if verdict["decision"] == "accepted"
    )
    yield from (f"{sha} is accepted {count} times" for sha, count in digests.items() if count > 1)


def one_chain(deployment: Deployment) -> Iterator[str]:
    """The registry is one chain, each move allowed, and nothing acknowledged is missing."""
    history = _history(deployment)
    ids = [entry.head.commit for entry in history]
    yield from violations(history, _manifests(deployment))
    yield from _commitments(deployment, ids)
    yield from (f"commit {one} is there twice" for one, n in Counter(ids).items() if n > 1)
    for before, after in pairwise(deployment.seen.heads):
        if after.parent != before.commit:
            yield f"head {after.number} replaced {before.commit}, and follows {after.parent}"
    for before, entry in pairwise([START, *history]):
        if entry.head.epoch not in (before.head.epoch, before.head.epoch + 1):
            yield f"commit {entry.head.number} leaps to epoch {entry.head.epoch}"
    claim = history[-1].head.claim
    lives = claim and deployment.clock.time < claim.deadline
    if claim and lives and not deployment.has_ended(claim.execution):
        yield f"at rest, {claim.run} still claims"


def _commitments(deployment: Deployment, ids: Collection[str]) -> Iterator[str]:
    """Whoever was told that a commit is made finds it once; whoever was refused, not at all."""
    for one in deployment.seen.commitments:
        there = [commit for commit in one.tried if commit in ids]
        allowed = {"made": (1,), "refused": (0,), "unknown": (0, 1)}[one.outcome]
        if len(there) not in allowed:
            yield f"a commit was {one.outcome}, and is there {len(there)} times: {there}"


def whole_versions(deployment: Deployment) -> Iterator[str]:
    """Every version of the registry is whole, and what its manifest and the head say it is."""
    head = _history(deployment)[-1].head
    models = deployment.stores["models"]
    for version in head.statuses:
        prefix = f"{PIPELINE}/versions/{version}/"
        stored = models.read(prefix + "manifest.json").data
        if head.manifests.get(version) not in (None, _sha256(stored)):
            yield f"{version}: the head states another manifest"
        for name, facts in json.loads(stored)["files"].items():
            if _sha256(models.read(prefix + name).data) != facts["sha256"]:
                yield f"{version}: {name} is another file"


def all_considered(deployment: Deployment) -> Iterator[str]:
    """Every accepted file was considered by a run that is done with it."""
    considered = {
        stem
        for name in _names(deployment, "data")
        if re.fullmatch(rf"{PIPELINE}/runs/.*\.json", name)
        for stem in _json(deployment, "data", name)["considered"]
    }
    for stem, verdict in _in_force(deployment).items():
        if verdict["decision"] == "accepted" and stem not in considered:
            yield f"{stem} is accepted, and no run considered it"


def learned_what_is_accepted(deployment: Deployment) -> Iterator[str]:
    """The champion learned from accepted files alone, from each once, from no content twice."""
    champion = _history(deployment)[-1].head.champion
    if champion is None:
        return
    name = f"{PIPELINE}/versions/{champion}/lineage.json"
    stems = [one["stem"] for one in _json(deployment, "models", name)["files"]]
    verdicts = _in_force(deployment)
    for stem, count in Counter(stems).items():
        if count > 1:
            yield f"{champion} learned {stem} {count} times"
        if verdicts[stem]["decision"] != "accepted":
            yield f"{champion} learned {stem}, which is {verdicts[stem]['decision']}"
    for sha, count in Counter(verdicts[stem]["sha256"] for stem in set(stems)).items():
        if count > 1:
            yield f"{champion} learned content {sha[:12]} {count} times"


def proper_answers(deployment: Deployment) -> Iterator[str]:
    """Each answer is that of a version which was champion when it was given, or before."""
    manifests = _manifests(deployment)
    for answered in deployment.seen.answers:
        version = answered.version
        if version not in {head.champion for head in deployment.seen.heads[: answered.heads]}:
            yield f"{version} answered, and had never been champion"
            continue
        name = f"{PIPELINE}/versions/{version}/model.onnx"
        graph = Graph(deployment.stores["models"].read(name).data, manifests[version])
        told: Any = answered.prediction
        columns = {"at": [NOON], "heat": [answered.heat]}
        expected = graph.predict({one: columns[one] for one in _inputs(manifests[version])})[0]
        if abs(told["probabilities"]["1"] - float(expected[1])) > 1e-6:
            yield f"{version} answered {told} to {answered.heat}, expected {expected}"


def _inputs(manifest: Manifest) -> list[str]:
    return [one.name for one in manifest.inputs]


def _history(deployment: Deployment) -> list[Commit]:
    """The parent chain, oldest first, from the head that lies there."""
    models = deployment.stores["models"]
    head = json.loads(models.read(f"{PIPELINE}/registry/head.json").data)
    entries: list[Commit] = []
    number, commit = head["number"], head["commit"]
    while number:
        (name,) = [
            info.name
            for info in models.list(f"{PIPELINE}/registry/commits/")
            if info.name.endswith(f"-{commit}.json")
        ]
        entries.append(Commit.from_json(models.read(name).data))
        number, commit = number - 1, entries[-1].head.parent
    return entries[::-1]


def _manifests(deployment: Deployment) -> Mapping[str, Manifest]:
    models = deployment.stores["models"]
    found = (
        Manifest.from_json(models.read(name).data)
        for name in _names(deployment, "models")
        if name.endswith("/manifest.json")
    )
    return {manifest.version: manifest for manifest in found}


def _in_force(deployment: Deployment) -> dict[str, dict[str, Any]]:
    latest: dict[str, tuple[int, str]] = {}
    for name in _names(deployment, "data"):
        if match := _VERDICT.fullmatch(name):
            number = int(match["number"] or 1)
            latest[match["stem"]] = max(latest.get(match["stem"], (0, "")), (number, name))
    return {stem: _json(deployment, "data", name) for stem, (_, name) in latest.items()}


def _names(deployment: Deployment, bucket: str) -> list[str]:
    return [info.name for info in deployment.stores[bucket].list()]


def _json(deployment: Deployment, bucket: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(deployment.stores[bucket].read(name).data)
    return found


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
