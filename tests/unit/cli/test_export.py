"""`perennial export`: which versions, where to, and what is refused."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from perennial.domain import names
from perennial.domain.modelling.text import TEXT_V1, normalise
from perennial.domain.versioning.exported import client
from perennial.domain.versioning.manifest import Input
from perennial.domain.versioning.registry import Head
from perennial.ports import Buckets
from tests.unit.predict.versions import (
    CLASSES,
    VISITS,
    classification_graph,
    crown,
    manifest_of,
    regression_graph,
    write_version,
)


@pytest.fixture
def shop(deployed: Callable, buckets: Buckets) -> Callable:
    """Runs commands on a pipeline of two approved versions, and one that was rejected."""
    for number, bias in enumerate((10, 20, 30), start=1):
        graph = regression_graph(bias)
        manifest = manifest_of(graph, f"v00000{number}")
        write_version(buckets.models, manifest, graph)
        if number < 3:
            crown(buckets.models, f"v00000{number}", stated=manifest.to_json())
    change(buckets, lambda head: replace(head, statuses={**head.statuses, "v000003": "rejected"}))
    return deployed


def change(buckets: Buckets, to: Callable[[Head], Head]) -> None:
    stored = buckets.models.read(names.head("shop"))
    head = to(Head.from_json(stored.data))
    buckets.models.replace(stored.info.name, head.to_json(), generation=stored.info.generation)


def test_the_champion_unless_another_is_named(shop) -> None:
    assert shop("export", "shop", "--json").json["version"] == "v000002"
    said = shop("export", "shop", "v000001", "-o", "out/there", "--json").json
    assert said["version"] == "v000001"
    assert said["directory"] == "out/there"
    assert said["files"] == ["README.md", "manifest.json", "model.onnx", "predict.py"]
    assert Path("out/there/model.onnx").read_bytes() == regression_graph(10)
    assert json.loads(Path("out/there/manifest.json").read_bytes())["version"] == "v000001"


def test_people_are_told_what_lies_where_and_how_to_try_it(shop) -> None:
    lines = shop("export", "shop").out.splitlines()
    assert lines[0] == "shop v000002 is in shop-v000002:"
    assert lines[-1] == "Try it: python shop-v000002/predict.py < rows.json"
    readme = Path("shop-v000002/README.md").read_text()
    assert readme.count("\n") == 3
    assert "It reads visits (number), age (integer)." in readme


def test_nothing_is_overwritten_unless_asked_to(shop) -> None:
    Path("out").mkdir()
    Path("out/README.md").write_text("mine")
    said = shop("export", "shop", "-o", "out").complaint
    assert said == "perennial: out holds README.md already: --force replaces them"
    assert [one.name for one in Path("out").iterdir()] == ["README.md"]
    assert shop("export", "shop", "-o", "out", "--force").code == 0
    assert Path("out/README.md").read_text().startswith("# shop v000002\n")


def test_only_what_may_serve(shop) -> None:
    assert shop("export", "shop", "v000003").complaint == (
        "perennial: shop v000003 may not serve: it is rejected; those that may: v000001, v000002"
    )
    assert "no version v000009; there are: v000001" in shop("export", "shop", "v000009").complaint
    assert "no pipeline 'other'" in shop("export", "other").complaint


def test_without_a_champion_there_is_nothing_to_take(flowers) -> None:
    assert flowers("export", "flowers").complaint == "perennial: flowers has no champion yet"


@pytest.mark.parametrize("file", ["model.onnx", "manifest.json"])
def test_what_the_registry_does_not_state_is_not_exported(shop, buckets, file) -> None:
    name = names.version("shop", "v000002", file)
    data = buckets.models.read(name).data
    buckets.models.overwrite(name, data.replace(b"\x00", b"\x01").replace(b'"seed"', b' "seed"'))
    assert "digest" in shop("export", "shop", "--json").complaint
    assert not Path("shop-v000002").exists()


@pytest.mark.parametrize("forged", [{"version": "v000001"}, {"pipeline": "other"}, {"version": 2}])
def test_a_manifest_of_another_version_is_not_exported(shop, buckets, forged) -> None:
    """Also where the registry, as of earlier releases, states no digest of it."""
    change(buckets, lambda head: replace(head, manifests={}))
    name = names.version("shop", "v000002", "manifest.json")
    document = json.loads(buckets.models.read(name).data) | forged
    buckets.models.overwrite(name, json.dumps(document).encode())
    said = shop("export", "shop").complaint
    assert said.startswith("perennial: shop v000002: the manifest is of ")
    assert not Path("shop-v000002").exists()


@pytest.mark.parametrize("quotes", ['"""', "'''", "'", '"', "\\", "\n", "{"])
def test_no_name_becomes_code_of_the_client(quotes: str) -> None:
    name = f"v1{quotes}\nraise SystemExit\n{quotes}"
    source = ast.parse(client(manifest_of(b"", name)))
    assert f"shop {name}: a JSON list" in (ast.get_docstring(source, clean=False) or "")
    assert not [one for one in source.body if isinstance(one, ast.Raise)]


def test_a_folder_that_cannot_be_written_is_named(shop) -> None:
    Path("out").write_text("a file")
    assert shop("export", "shop", "-o", "out/below").complaint.startswith(
        "perennial: cannot write into out/below: "
    )


def test_the_tokeniser_is_the_one_that_training_used(shop, buckets) -> None:
    graph = classification_graph(0, VISITS[:1])
    manifest = manifest_of(graph, "v000004", classes=CLASSES, text=TEXT_V1, inputs=VISITS[:1])
    write_version(buckets.models, manifest, graph)
    crown(buckets.models, "v000004", stated=manifest.to_json())
    assert "tokeniser.py" in shop("export", "shop", "--json").json["files"]
    copy: dict[str, Callable[[str], str]] = {}
    exec(Path("shop-v000004/tokeniser.py").read_text(), copy)  # noqa: S102 (our own source)
    for text in ("Check out my CHANNEL, é 42!!", "Ünder the séa", "日本語 テキスト", "İI_a b"):
        assert copy["normalise"](text) == normalise(text)


def test_a_client_has_the_readers_that_its_model_needs_and_no_more() -> None:
    numbers = client(manifest_of(b"", "v000001"))
    assert "tokeniser" not in numbers
    assert "datetime" not in numbers
    everything = (
        *VISITS,
        Input("a", "i2", "category"),
        Input("b", "i3", "text"),
        Input("c", "i4", "timestamp"),
    )
    whole = client(manifest_of(b"", "v000001", inputs=everything, text=TEXT_V1, classes=CLASSES))
    compile(whole, "predict.py", "exec")
    assert len(numbers.splitlines()) < 25
    assert len(whole.splitlines()) < 45
