"""Where every object lies. Names that come from users are hashed, never nested inside ours."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

PIPELINE_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
UNKNOWN_PIPELINE = "_unknown"
RESERVED_SEGMENTS = ("labels", "score")
HEAD = "registry/head.json"


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


def content(pipeline: str, sha256: str, number: int = 1) -> str:
    """The `number`-th owner of these bytes, in the data bucket."""
    return numbered(f"{pipeline}/contents/{sha256}", number)


def rows(pipeline: str, sha256: str, schema_digest: str) -> str:
    """The typed rows of an accepted file, in the data bucket."""
    return f"{pipeline}/rows/{sha256}-{schema_digest}.parquet"


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


def rebuild(pipeline: str, version: str, execution: str) -> str:
    """What an execution found when it trained a version again, in the data bucket."""
    return f"{pipeline}/rebuilds/{version}/{execution}.json"


def upgrade(pipeline: str, version: str, environment: str) -> str:
    """What came of training a version again in another environment (data bucket)."""
    return f"{pipeline}/rebuilds/{version}/environment-{environment}.json"


def import_graph(pipeline: str, sha256: str) -> str:
    """A graph that somebody handed in, in the models bucket."""
    return f"{pipeline}/imports/{sha256}.onnx"


def import_request(pipeline: str, digest: str) -> str:
    """What somebody said of a graph that they handed in, in the models bucket."""
    return f"{pipeline}/imports/{digest}.json"


def import_result(pipeline: str, digest: str, execution: str) -> str:
    """What an execution made of such a request, in the data bucket."""
    return f"{pipeline}/imports/{digest}/{execution}.json"


def launch(pipeline: str, commit: str, number: int = 1) -> str:
    """Which execution was the `number`-th launched at this commit of the head (data bucket)."""
    return numbered(f"{pipeline}/launches/{commit}", number)


def quarantined(pipeline: str, file: FileId) -> str:
    """Folder of a quarantined file, in the quarantine bucket."""
    return f"{pipeline}/{file.stem}/"


def quarantined_bytes(pipeline: str, file: FileId) -> str:
    """The quarantined file's original bytes."""
    return quarantined(pipeline, file) + "original"


def report(pipeline: str, file: FileId) -> str:
    """The diagnosis of a quarantined file."""
    return quarantined(pipeline, file) + "report.json"


def definition(pipeline: str, digest: str) -> str:
    """A definition's text, in the models bucket."""
    return f"{pipeline}/definitions/{digest}.yaml"


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


def commit(pipeline: str, number: int, commit_id: str) -> str:
    """One entry of the registry's history, in the models bucket."""
    return f"{pipeline}/registry/commits/{number:08d}-{commit_id}.json"
