"""What a world's buckets say, without what may differ after a crash; and what may not be, ever.

What may differ is named by the rules below, and nothing else is left out:

- `IDS_AND_TIMES`: what the clock gave, how long steps took, ids of runs, commits and executions.
- `CLAIMS`: who claims and releases how often; so the head's number and epoch, too.
- `ORPHANS`: a commit that is in no history; the files of a version that no head names, because the
  run that reserved its number died: later numbers are counted as if there were no gap.
- `RUN_RECORDS`: a run that died has none, and whoever finds its work done says so in its own. What
  the head names counts: which files the last run considered, and the reference it left.
- `LAUNCHES`: which execution was started when, and how often; what for is compared.
- `HANDLERS`: whether an event's handler or a sweep made a decision.
- `ATTEMPTS`: the notes that judging a large file began.
- `RESULTS`: each execution that takes in a graph or rebuilds a version leaves its own result, and
  the second says that the version was there before.

A digest of something that holds a time or an id is checked, and then left out.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from perennial.domain import names
from perennial.domain.verdict import Verdict
from perennial.domain.versioning.registry import Commit, Head
from perennial.workflows.registry import Registry
from perennial.workflows.runs import read_considered
from perennial.workflows.status import status
from tests.crash_points.world import ROLES, YEAR, World

State = dict[str, Any]

TIME = re.compile(rf"{YEAR}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(\+00:00|Z)?")
DAY = re.compile(rf"{YEAR}-\d\d-\d\d")
RUN = re.compile(rf"\b({YEAR}\d{{4}}T\d{{12}}-|backfill-|import-)[0-9a-f]+(-[0-9a-f]+)?\b")
EXECUTION = re.compile(r"\bjob-\d+\b")
VERSION = re.compile(r"\bv\d{6}\b")

HANDLERS = ("ingest", "sweep", "succession", "apply")
LEFT_OUT = {
    "IDS_AND_TIMES": frozenset({"seconds", "age_seconds", "claim_seconds"}),
    "CLAIMS": frozenset({"number", "commit", "parent", "epoch", "claim", "last_run"}),
}
"""Keys of JSON documents: the first rule's of all, the second's of a registry's head."""


class _Texts:
    """Names and texts of one world, where versions are counted without gaps."""

    def __init__(self, heads: dict[str, Head]) -> None:
        self._known: dict[str, dict[str, str]] = {
            pipeline: {v: f"<version {n}>" for n, v in enumerate(sorted(head.statuses), 1)}
            for pipeline, head in heads.items()
        }

    def known(self, pipeline: str, version: str) -> bool:
        return version in self._known.get(pipeline, {})

    def alike(self, pipeline: str, text: str) -> str:
        versions = self._known.get(pipeline, {})
        for pattern, put in (
            (RUN, "<run>"),
            (TIME, "<time>"),
            (DAY, "<day>"),
            (EXECUTION, "<job>"),
        ):
            text = pattern.sub(put, text)
        return VERSION.sub(lambda found: versions.get(found[0], found[0]), text)


def end_state(world: World) -> State:
    """Every object that counts, by bucket and name, and what `perennial status` says."""
    world = world.others
    registry = Registry(world.stores["models"], world.clock)
    heads = {name: registry.require(name) for name in registry.pipelines()}
    texts = _Texts(heads)
    found: State = {
        "asked for": sorted(set(world.platform.asked)),
        "told": sorted(set(world.told)),
    }
    for role in ROLES:
        for info in world.stores[role].list():
            pipeline = info.name.split("/", 1)[0]
            if (name := _counts(info.name, pipeline, heads, texts)) is None:
                continue
            data = world.stores[role].read(info.name).data
            place = f"{role} {texts.alike(pipeline, name)}"
            metadata = {k: _document(texts, pipeline, v) for k, v in info.metadata.items()}
            content = _content(world, texts, pipeline, info.name, data), metadata
            assert found.setdefault(place, content) == content, f"two objects are one: {place}"
    for name, head in heads.items():
        found[f"history of {name}"] = [_told(texts, entry) for entry in _deeds(registry, name)]
        considered = read_considered(world.stores["data"], name, head.last_run)
        found[f"considered of {name}"] = sorted(considered)
        shown = status(world.buckets, registry, world.platform, world.clock, name)
        kept = ("champion", "predecessors", "waiting", "alerts", "counts", "progressive", "scored")
        found[f"status of {name}"] = _document(texts, name, json.dumps({k: shown[k] for k in kept}))
    return found


def _counts(name: str, pipeline: str, heads: dict[str, Head], texts: _Texts) -> str | None:
    """The name by which an object is compared; None where a rule leaves it out."""
    kind, _, rest = name.removeprefix(f"{pipeline}/").partition("/")
    head = heads.get(pipeline)
    if kind in ("launches", "score-launches", "attempts", "failures"):  # LAUNCHES, ATTEMPTS
        return None
    if kind == "registry" and rest.startswith("commits/"):  # ORPHANS; the history is compared
        return None
    if kind == "versions" and not texts.known(pipeline, rest.split("/")[0]):  # ORPHANS
        return None
    if kind == "runs":  # RUN_RECORDS
        return None
    if kind == "references":  # RUN_RECORDS
        named = head is not None and rest == f"{head.last_run}.json"
        return f"{pipeline}/references/of the last run" if named else None
    return name


def _content(world: World, texts: _Texts, pipeline: str, name: str, data: bytes) -> Any:
    """An object's bytes as they are compared."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return hashlib.sha256(data).hexdigest()
    document = _document(texts, pipeline, text)
    if not isinstance(document, dict):
        return document
    if name == names.head(pipeline):
        del document["manifests"]  # `wrong` has checked these digests
        return {k: v for k, v in document.items() if k not in LEFT_OUT["CLAIMS"]}
    if name.endswith("/manifest.json"):
        document["files"] = sorted(document["files"])  # `wrong` has checked their digests
    if "/imports/" in name:  # RESULTS
        document.pop("before", None)
    if name.endswith("/claim.json"):
        del document["claim"]
    return document


def _document(texts: _Texts, pipeline: str, text: str) -> Any:
    text = texts.alike(pipeline, text)
    try:
        return _walked(json.loads(text))
    except ValueError:
        return text


def _walked(found: Any) -> Any:
    if isinstance(found, dict):
        facts = {k: _walked(v) for k, v in found.items() if k not in LEFT_OUT["IDS_AND_TIMES"]}
        for key in ("decided_by", "judged_by"):
            if facts.get(key) in HANDLERS:
                facts[key] = "<handler>"
        return facts
    if isinstance(found, list):
        return [_walked(one) for one in found]
    return found


def _deeds(registry: Registry, pipeline: str) -> list[Commit]:
    """The history without claims and releases, oldest first."""
    history = list(registry.history(pipeline))[::-1]
    return [entry for entry in history if entry.action not in ("claim", "release")]


def _told(texts: _Texts, entry: Commit) -> list[str]:
    pipeline = entry.head.pipeline
    facts = (entry.action, entry.by, entry.why, entry.version or "", entry.decision)
    return [texts.alike(pipeline, fact) for fact in facts]


def differences(expected: State, found: State) -> list[str]:
    """Where two states differ, one line each."""
    return list(_between("", expected, found))


def _between(place: str, expected: Any, found: Any) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted({*expected, *found}):
            yield from _between(f"{place} / {key}", expected.get(key), found.get(key))
    elif (
        isinstance(expected, list | tuple)
        and isinstance(found, list | tuple)
        and len(expected) == len(found)
    ):
        for number, both in enumerate(zip(expected, found, strict=True)):
            yield from _between(f"{place} / {number}", *both)
    elif expected != found:
        yield f"{place.removeprefix(' / ')}: expected {_short(expected)}, found {_short(found)}"


def _short(found: Any) -> str:
    text = "nothing" if found is None else str(found)
    return text if len(text) < 160 else f"{text[:160]}…"


def wrong(world: World) -> list[str]:
    """What a reader could stumble over at this very moment, crash or no crash; one line each."""
    world = world.others
    registry = Registry(world.stores["models"], world.clock)
    found: list[str] = []

    def check(what: str, look: Callable[[], object]) -> None:
        try:
            look()
        except Exception as error:  # noqa: BLE001 (whatever it is, nobody may meet it)
            found.append(f"{what}: {type(error).__name__}: {error}")

    for pipeline in registry.pipelines():
        head = registry.require(pipeline)
        check(f"history of {pipeline}", lambda p=pipeline: list(registry.history(p)))
        check(f"definition of {pipeline}", lambda h=head: registry.definition(h))
        for version in head.statuses:
            check(f"{pipeline} {version}", lambda h=head, v=version: _read(registry, h, v))
        check(
            f"last run of {pipeline}",
            lambda p=pipeline, h=head: read_considered(world.stores["data"], p, h.last_run),
        )
    for verdict in _verdicts(world):
        for bucket, name in (
            ("data", verdict.rows_object),
            ("quarantine", verdict.bad_rows_object),
        ):
            if name:
                check(
                    f"verdict on {verdict.file.name}",
                    lambda b=bucket, n=name: world.stores[b].read(n),
                )
    return found


def _read(registry: Registry, head: Head, version: str) -> None:
    """A version as readers load it: by the head's digest, and every file by the manifest's."""
    manifest = registry.manifest(head.pipeline, version, head=head)
    for name in manifest.files:
        registry.read_version_file(manifest, name)


def _verdicts(world: World) -> Iterator[Verdict]:
    store = world.stores["data"]
    for info in store.list():
        if "/verdicts/" in info.name:
            yield Verdict.from_json(store.read(info.name).data)
