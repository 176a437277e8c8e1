"""The smoke gate: a fresh process loads a version as `predict` does, and answers rows.

As a program, `python -m perennial.adapters.smoke DIR` reads `manifest.json`, `model.onnx` and
`instances.json` (a JSON list of instances, as in a request) and writes the answers to stdout as
JSON. It loads neither pandas nor scikit-learn, as `predict` must not.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from perennial.adapters.graph import Graph
from perennial.domain.serving.instances import read_instances
from perennial.domain.versioning.manifest import Manifest
from perennial.errors import DigestMismatch, GateFailed, ModelError

GRAPH = "model.onnx"
MANIFEST = "manifest.json"
INSTANCES = "instances.json"
TOLERANCE = 1e-4
"""Of the largest expected answer."""
SECONDS = 120.0
"""After which the process counts as hung."""


def smoke_test(
    graph: bytes,
    manifest: Manifest,
    instances: Sequence[Mapping[str, object]],
    expected: NDArray[np.float64],
) -> None:
    """Let a fresh process answer.

    Args:
        graph: bytes of `model.onnx`.
        manifest: the version's manifest, whole.
        instances: N rows as a request would carry them.
        expected: what the model answers: shape [N], or [N, classes].

    Raises:
        GateFailed: when it cannot load the version, or answers something else.
    """
    with TemporaryDirectory(prefix="perennial-smoke-") as name:
        folder = Path(name)
        (folder / GRAPH).write_bytes(graph)
        (folder / MANIFEST).write_bytes(manifest.to_json())
        (folder / INSTANCES).write_text(json.dumps(list(instances)), "utf-8")
        found = np.array(json.loads(_answers(folder)), dtype=np.float64)
    # Wide, because the parity gate has compared to the last digit; this one finds another model.
    if found.shape != expected.shape or not np.allclose(
        found, expected, rtol=0, atol=TOLERANCE * np.abs(expected).max()
    ):
        raise GateFailed(f"a fresh process answers {found.tolist()}, the model {expected.tolist()}")


def _answers(folder: Path) -> str:
    command = [sys.executable, "-m", "perennial.adapters.smoke", str(folder)]
    # `-m` looks into the working directory first, so the very code that trained is what answers.
    root = Path(__file__).parents[2]
    try:
        done = subprocess.run(  # noqa: S603 - the command is our own
            command, cwd=root, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise GateFailed(f"a fresh process gave no answer within {SECONDS:.0f} s") from None
    if done.returncode:
        raise GateFailed(f"a fresh process cannot serve the version: {done.stderr.strip()[-2000:]}")
    return done.stdout


def answer(folder: Path) -> str:
    """Load the version in a folder, digest and all, and answer its instances; JSON.

    Raises:
        ModelError: when the version cannot be loaded, or an instance cannot be read.
    """
    manifest = Manifest.from_json((folder / MANIFEST).read_bytes())
    graph = (folder / GRAPH).read_bytes()
    if hashlib.sha256(graph).hexdigest() != manifest.files[GRAPH].sha256:
        raise DigestMismatch(f"{GRAPH} is not the file that the manifest states")
    reading = read_instances(manifest.inputs, json.loads((folder / INSTANCES).read_text("utf-8")))
    if reading.errors:
        raise ModelError(f"an instance cannot be read: {reading.errors[0]}")
    return json.dumps(Graph(graph, manifest).predict(reading.columns).tolist())


if __name__ == "__main__":
    sys.stdout.write(answer(Path(sys.argv[1])))
