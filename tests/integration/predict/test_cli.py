"""`perennial predict` and the function as it ships, one speaking to the other."""

from __future__ import annotations

import json

import pytest

from localdev.settings import BUCKETS
from localdev.storage.process import StorageServer
from perennial.cli.main import main
from perennial.ports import ObjectStore
from tests.bench.hosting import FunctionProcess
from tests.unit.predict.versions import crown, write_regression


@pytest.fixture(autouse=True)
def _deployment(
    models: ObjectStore,
    emulator: StorageServer,
    function: FunctionProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pipeline `shop` that answers `visits + age + 10`, and one that never had a champion."""
    write_regression(models, "v000001", 10)
    crown(models, "v000001")
    crown(models, None, pipeline="bikes")
    monkeypatch.delenv("PERENNIAL_LOCAL", raising=False)
    for role, bucket in BUCKETS.items():
        monkeypatch.setenv(f"PERENNIAL_{role.upper()}_BUCKET", bucket)
    monkeypatch.setenv("PERENNIAL_STORAGE_ENDPOINT", emulator.url)
    function.connect().close()
    monkeypatch.setenv("PERENNIAL_PREDICT_URL", f"http://127.0.0.1:{function.port}")


def test_what_people_read_of_answers_and_mistakes(
    tmp_path, monkeypatch, capsys: pytest.CaptureFixture[str]
):
    """One process for all, since it takes a second to start."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, instances: object, *words: str) -> tuple[str, str]:
        main(["predict", name, "--instances", json.dumps(instances), *words])
        return capsys.readouterr()

    out, err = run("shop", [{"visits": 1, "Agee": 4, "bought": 1}])
    assert (out, err) == (
        "v000001 predicts\n11\n",
        "perennial: v000001 does not read Agee (did you mean age?)\n",
    )

    out, err = run("shop", [{"visits": 1, "x": 1}, {"visits": 2, "y": 1}], "--json")
    assert json.loads(out) == {
        "predictions": [11.0, 12.0],
        "model_version": "v000001",
        "ignored": ["x", "y"],
    }

    assert run("shop", [{"visits": 1}, {"visit": 1}]) == (
        "",
        "perennial: instance 2, field visits: expected a number, found nothing; ignored: visit\n",
    )
    assert run("shop", {"visits": 1}, "--version", "v000009") == (
        "",
        "perennial: shop has no approved version 'v000009'\n",
    )
    assert run("bike", {}) == (
        "",
        "perennial: no pipeline 'bike'; pipelines are bikes, shop\n",
    )
    assert run("bikes", {}) == (
        "",
        "perennial: no version of bikes is approved yet; `perennial status bikes` says more\n",
    )

    (tmp_path / "rows.csv").write_text('visits,age\n1,"\n2"\n3,x\n')
    assert main(["predict", "shop", "--file", "rows.csv"]) == 1
    assert capsys.readouterr().err == (
        'perennial: rows.csv, line 2, field age: expected a number, found "\\n2", '
        "and 1 more such value\n"
    )
