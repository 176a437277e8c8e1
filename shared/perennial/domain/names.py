"""Where every object lies. Names that come from users are hashed, never nested inside ours."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

PIPELINE_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
UNKNOWN_PIPELINE = "_unknown"
RESERVED_SEGMENTS = ("labels", "score")
HEAD = "registry/head.json"

_BEYOND = 10**20 - 1  # no generation is as large
_BEYOND_VERSIONS = 10**10 - 1
_BEYOND_NUMBERS = 10**10 - 1


@dataclass(frozen=True, slots=True, order=True)
class FileId:
    """One generation of one landing object: what a verdict is about.

    Ordered by generation, hence by the time of the drop.
    """

    generation: int
    name: str

    @property
    def stem(self) -> str:
        """`{generation, zero-padded}-{hash of the name}`: sorts by time in a listing."""
        return f"{self.generation:020d}-{name_hash(self.name)}"

    @property
    def arrived(self) -> datetime:
        """When it was written (UTC): a generation counts microseconds."""
        return datetime.fromtimestamp(self.generation / 1e6, tz=UTC)

    @property
    def listed_name(self) -> str:
        """Its name, as far as an object's metadata has room; else empty."""
        return self.name if len(self.name) <= 1024 else ""

    def answers_to(self, text: str, pipeline: str) -> bool:
        """Whether a person may mean this file.

        Args:
            text: its name, with or without the pipeline's folder, its generation, or its stem.
            pipeline: whose file it is.
        """
        short = self.name.removeprefix(f"{pipeline}/")
        return text in (self.name, short, str(self.generation), self.stem)


def name_hash(name: str) -> str:
    """A short, safe stand-in for a user's object name."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def numbered(base: str, number: int, suffix: str = "") -> str:
    """The `number`-th entry of a create-only chain: the first is `base`, then `base.0002`, …"""
    return f"{base}{suffix}" if number == 1 else f"{base}.{number:04d}{suffix}"


def parse_number(name: str) -> int:
    """The number of an entry of a create-only chain, from its name without suffix."""
    return int(name.rpartition("/")[2].partition(".")[2] or 1)


def verdicts(pipeline: str) -> str:
    """Prefix of a pipeline's verdicts, in the data bucket."""
    return f"{pipeline}/verdicts/"


def verdict(pipeline: str, file: FileId, number: int = 1) -> str:
    """The `number`-th decision about a file, in the data bucket."""
    return numbered(verdicts(pipeline) + file.stem, number, ".json")


def verdicts_since(pipeline: str, generation: int) -> str:
    """Listing start for decisions about files of this generation and later."""
    return f"{verdicts(pipeline)}{generation:020d}"


def parse_verdict(name: str) -> tuple[str, int]:
    """The file's stem and the decision's number, from a verdict's object name."""
    stem, _, number = name.rsplit("/", 1)[1].removesuffix(".json").partition(".")
    return stem, int(number or 1)


def home(pipeline: str, file: FileId) -> str:
    """Where the decisions about a file lie, in the data bucket, under the pipeline it states."""
    return f"{pipeline}/homes/{file.stem}"


def attempt(pipeline: str, file: FileId, number: int = 1) -> str:
    """The note that judging a file began for the `number`-th time, in the data bucket."""
    return numbered(f"{pipeline}/attempts/{file.stem}", number)


def content(pipeline: str, sha256: str, number: int = 1) -> str:
    """The `number`-th owner of these bytes, in the data bucket."""
    return numbered(f"{pipeline}/contents/{sha256}", number)


def rows(pipeline: str, sha256: str, schema_digest: str) -> str:
    """The typed rows of an accepted file, in the data bucket."""
    return f"{pipeline}/rows/{sha256}-{schema_digest}.parquet"


def unlabelled_rows(pipeline: str, sha256: str, schema_digest: str) -> str:
    """The typed rows of a file to be scored, in the data bucket, where no training looks."""
    return f"{pipeline}/unlabelled/{sha256}-{schema_digest}.parquet"


def keys(pipeline: str, digest: str) -> str:
    """Prefix of the index of these key columns' values, in the data bucket."""
    return f"{pipeline}/keys/{digest}/"


def keys_segment(number: int) -> str:
    """The name of an index's segment, after its prefix."""
    return f"{number:08d}.parquet"


def parse_keys(name: str) -> int:
    """A segment's number, from its object's name."""
    return int(name.rpartition("/")[2].removesuffix(".parquet"))


def score(pipeline: str, stem: str, version: str) -> str:
    """Progressive score of one version on one file, in the data bucket."""
    return f"{pipeline}/scores/{stem}/{version}.json"


def scores(pipeline: str) -> str:
    """Prefix of a pipeline's progressive scores, in the data bucket."""
    return f"{pipeline}/scores/"


def run(pipeline: str, run_id: str) -> str:
    """What a run did, in the data bucket. Run ids sort by time."""
    return f"{pipeline}/runs/{run_id}.json"


def runs(pipeline: str) -> str:
    """Prefix of a pipeline's run records, in the data bucket."""
    return f"{pipeline}/runs/"


def reference(pipeline: str, run_id: str) -> str:
    """What accepted files were like, as far as a run considered them, in the data bucket."""
    return f"{pipeline}/references/{run_id}.json"


def rebuilds(pipeline: str, version: str) -> str:
    """Prefix of what was found whenever a version was trained again, in the data bucket."""
    return f"{pipeline}/rebuilds/{version}/"


def rebuild(pipeline: str, version: str, execution: str) -> str:
    """What an execution found when it trained a version again, in the data bucket."""
    return f"{rebuilds(pipeline, version)}{execution}.json"


def upgrade(pipeline: str, version: str, environment: str) -> str:
    """What came of training a version again in another environment (data bucket)."""
    return f"{pipeline}/rebuilds/{version}/environment-{environment}.json"


def predictions(pipeline: str, stem: str = "") -> str:
    """Prefix of what came of scoring a pipeline's files, or one of them, in the data bucket."""
    return f"{pipeline}/predictions/{stem}/" if stem else f"{pipeline}/predictions/"


def prediction(pipeline: str, stem: str, version: str) -> str:
    """The predictions of one version for the rows of one file, in the data bucket."""
    return f"{predictions(pipeline, stem)}{version}.parquet"


def prediction_manifest(pipeline: str, stem: str, version: str) -> str:
    """What those predictions are, in the data bucket; written last."""
    return f"{predictions(pipeline, stem)}{version}.json"


def parse_prediction(name: str) -> tuple[str, str]:
    """The file's stem and the version, from the name of such a manifest."""
    _, stem, version = name.rsplit("/", 2)
    return stem, version.removesuffix(".json")


def lookup_entries(pipeline: str) -> str:
    """Prefix of what tells where predictions for files are found by key, in the models bucket."""
    return f"{pipeline}/lookup/entries/"


def lookup_entry(pipeline: str, stem: str, version: str) -> str:
    """The entry for one version's predictions for one file.

    The latest drop sorts first, and of a file the newest version.
    """
    until = _BEYOND_VERSIONS - int(version[1:])
    return f"{_lookup_entries_of(pipeline, stem)}/{until:010d}"


def lookup_entries_after(pipeline: str, stem: str) -> str:
    """Where a listing of entries starts that is to pass over a file and all dropped after it."""
    return f"{_lookup_entries_of(pipeline, stem)}0"  # the character after "/"


def parse_lookup_entry(name: str) -> tuple[str, str]:
    """The file's stem and the version, from the name of such an entry."""
    _, place, version = name.rsplit("/", 2)
    until, _, hashed = place.partition("-")
    stem = f"{_BEYOND - int(until):020d}-{hashed}"
    return stem, version_name(_BEYOND_VERSIONS - int(version))


def _lookup_entries_of(pipeline: str, stem: str) -> str:
    generation, _, name = stem.partition("-")
    return f"{lookup_entries(pipeline)}{_BEYOND - int(generation):020d}-{name}"


def lookup_shard(pipeline: str, stem: str, version: str, shard: int) -> str:
    """Some of these predictions by their keys, in the models bucket."""
    return f"{pipeline}/lookup/shards/{stem}/{version}/{shard:03d}.json"


def score_request(pipeline: str, digest: str) -> str:
    """Which files somebody wants to be scored by which version, in the data bucket."""
    return f"{pipeline}/score-requests/{digest}.json"


def score_launch(pipeline: str, hour: datetime, number: int = 0) -> str:
    """Which execution was the `number`-th launched in an hour to score files (data bucket).

    Without a number, the prefix of all of that hour.
    """
    return f"{pipeline}/score-launches/{hour:%Y%m%dT%H}" + (f"/{number:04d}" if number else "/")


def import_graph(pipeline: str, sha256: str) -> str:
    """A graph that somebody handed in, in the models bucket."""
    return f"{pipeline}/imports/{sha256}.onnx"


def import_request(pipeline: str, digest: str) -> str:
    """What somebody said of a graph that they handed in, in the models bucket."""
    return f"{pipeline}/imports/{digest}.json"


def import_result(pipeline: str, digest: str, execution: str) -> str:
    """What an execution made of such a request, in the data bucket."""
    return f"{pipeline}/imports/{digest}/{execution}.json"


def _falling(number: int) -> str:
    """A number so that the greatest sorts first."""
    return f"{_BEYOND_NUMBERS - number:010d}"


def watches(pipeline: str) -> str:
    """Prefix of what looks at a pipeline found, in the data bucket; the newest sorts first."""
    return f"{pipeline}/monitoring/watches/"


def watch(pipeline: str, number: int) -> str:
    """What the `number`-th look at a pipeline found, of those that brought something new."""
    return f"{watches(pipeline)}{_falling(number)}.watch.json"


def replays(pipeline: str) -> str:
    """Prefix of a pipeline's replays that were kept, in the data bucket; the newest sorts first."""
    return f"{pipeline}/replays/"


def replay(pipeline: str, number: int) -> str:
    """A replay that was kept, in the data bucket."""
    return f"{replays(pipeline)}{_falling(number)}.json"


def told(pipeline: str, channel: str) -> str:
    """Prefix of how far a channel was told of the looks at a pipeline; the newest sorts first."""
    return f"{pipeline}/monitoring/told/{channel}/"


def told_of(pipeline: str, channel: str, number: int) -> str:
    """The note that a channel was told of the `number`-th look, in the data bucket."""
    return f"{told(pipeline, channel)}{_falling(number)}.told"


def parse_watch(name: str) -> int:
    """The look's number, from the name of what it found or of a note about it."""
    return _BEYOND_NUMBERS - int(name.rpartition("/")[2].partition(".")[0])


def launch(pipeline: str, commit: str, number: int = 1) -> str:
    """Which execution was the `number`-th launched at this commit of the head (data bucket)."""
    return numbered(f"{pipeline}/launches/{commit}", number)


def quarantined(pipeline: str, file: FileId) -> str:
    """Folder of a quarantined file, in the quarantine bucket."""
    return f"{pipeline}/{file.stem}/"


def quarantined_bytes(pipeline: str, file: FileId) -> str:
    """The quarantined file's original bytes."""
    return quarantined(pipeline, file) + "original"


def repaired_bytes(pipeline: str, sha256: str) -> str:
    """What somebody made of a quarantined file's bytes, in the data bucket, which keeps it."""
    return f"{pipeline}/repairs/{sha256}"


def bad_rows(pipeline: str, file: FileId, number: int = 1) -> str:
    """The rows that the `number`-th decision about an accepted file left out of it."""
    return numbered(quarantined(pipeline, file) + "bad-rows", number, ".csv")


def report(pipeline: str, file: FileId) -> str:
    """The diagnosis of a quarantined file."""
    return quarantined(pipeline, file) + "report.json"


def definition(pipeline: str, digest: str) -> str:
    """A definition's text, in the models bucket."""
    return f"{pipeline}/definitions/{digest}.yaml"


def serving_settings(pipeline: str, digest: str) -> str:
    """What a definition says to `predict`, in the models bucket."""
    return f"{pipeline}/definitions/{digest}.serving.json"


def versions(pipeline: str) -> str:
    """Prefix of a pipeline's model versions, in the models bucket."""
    return f"{pipeline}/versions/"


def version(pipeline: str, version: str, file: str) -> str:
    """One file of a model version, in the models bucket."""
    return f"{pipeline}/versions/{version}/{file}"


def version_name(number: int) -> str:
    """`v000001`, `v000002`, …"""
    return f"v{number:06d}"


def head(pipeline: str) -> str:
    """The registry's only mutable object, in the models bucket."""
    return f"{pipeline}/{HEAD}"


def commits(pipeline: str) -> str:
    """The folder of the registry's history, in the models bucket."""
    return f"{pipeline}/registry/commits/"


def commits_from(pipeline: str, number: int) -> str:
    """Where the entries of this number and later begin in a listing."""
    return f"{commits(pipeline)}{number:08d}"


def commit(pipeline: str, number: int, commit_id: str) -> str:
    """One entry of the registry's history, in the models bucket."""
    return f"{commits_from(pipeline, number)}-{commit_id}.json"
