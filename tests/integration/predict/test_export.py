"""An exported folder, where there is no Perennial, answers as the HTTP function does."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from localdev.settings import BUCKETS, ROOT
from localdev.storage.process import StorageServer
from perennial.adapters.onnx_export import export
from perennial.cli.main import main
from perennial.ports import ObjectStore
from tests.integration.predict.test_equality import rows, train
from tests.unit.predict.versions import crown, manifest_of, write_version

PYTHON = ROOT / ".venv" / "functions" / "predict" / "bin" / "python"
"""Of an environment that has numpy, onnxruntime, and no Perennial."""

STRANGE = [
    {
        "amount": None,
        "visits": 3,
        "member": False,
        "channel": "never seen",
        "note": "",
        "at": "2025-06-01",
    },
    {
        "visits": "7",
        "member": "true",
        "note": "Ünder the SÉA, 日本語!",
        "at": "1969-12-31T23:59:59.9+02:00",
    },
    {
        "amount": 3e38,
        "visits": 0,
        "member": 1,
        "channel": "",
        "note": "a",
        "at": "2024-02-29T23:59:59Z",
    },
    {
        "amount": "-3.5",
        "visits": 1,
        "member": "0",
        "channel": "x\0y",
        "note": "42",
        "at": "0001-01-01",
    },
]


@pytest.fixture(autouse=True)
def _deployment(emulator: StorageServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERENNIAL_LOCAL", raising=False)
    for role, bucket in BUCKETS.items():
        monkeypatch.setenv(f"PERENNIAL_{role.upper()}_BUCKET", bucket)
    monkeypatch.setenv("PERENNIAL_STORAGE_ENDPOINT", emulator.url)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("task", "kind"),
    [
        ("regression", "hist_gradient_boosting"),
        ("binary", "linear"),
    ],
)
def test_the_client_answers_as_the_function(
    models: ObjectStore, call, task, kind, tmp_path: Path, capsys
) -> None:
    frame = rows()
    artefact = export(train(frame, task, kind))
    manifest = manifest_of(
        artefact.graph,
        "v000001",
        classes=artefact.classes,
        inputs=artefact.inputs,
        text=artefact.text,
    )
    write_version(models, manifest, artefact.graph)
    crown(models, "v000001", stated=manifest.to_json())
    assert main(["export", "shop", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    folder = tmp_path / said["directory"]
    assert said["digest"] == hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    assert {one.name for one in folder.iterdir()} == set(said["files"])
    assert ("tokeniser.py" in said["files"]) is (kind == "linear")

    document = frame.astype({"visits": int}).astype(object).where(frame.notna(), None)
    instances = [
        {**instance, "at": instance["at"].isoformat()}
        for instance in document.to_dict(orient="records")
    ]
    instances += STRANGE
    status, _, answer = call.predict(*instances)
    assert status == 200, answer
    done = subprocess.run(
        [PYTHON, "-P", "-s", "-X", "importtime", folder / "predict.py"],
        input=json.dumps(instances),
        env={"PYTHONPATH": str(folder)},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    if task == "regression":
        # Trees are added up in another order on more cores: the last digits of float32.
        assert found == pytest.approx(answer["predictions"], rel=1e-5, abs=1e-5)
    else:
        for mine, theirs in zip(found, answer["predictions"], strict=True):
            assert mine["label"] == theirs["label"]
            assert mine["probabilities"] == pytest.approx(theirs["probabilities"], abs=1e-6)
    imported = {
        line.rsplit("|", 1)[1].strip().split(".")[0]
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    }
    assert {"numpy", "onnxruntime"} <= imported
    assert not imported & {"perennial", "orjson", "google", "functions_framework", "requests"}
