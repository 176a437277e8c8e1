"""What no graph may hold is refused before onnxruntime sees it, whoever vouches for the bytes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from perennial.adapters import graph
from perennial.adapters.graph import Graph
from perennial.domain.graphs import graph_rules
from perennial.domain.graphs.graph_file import check_graph
from perennial.domain.modelling.text import TEXT_V1
from perennial.domain.versioning.manifest import Input
from perennial.errors import ModelError

from .hostile import HOSTILE, INPUTS, body, bomb, helper, scan, sound, words

TEXT = (Input("text", "x0", "text", nullable=True),)


@dataclass(frozen=True)
class Signed:
    """What the hand-made graphs read and answer."""

    inputs: tuple[Input, ...] = INPUTS
    classes: tuple[str, ...] = ()
    text: str = ""


def test_a_sound_graph_answers() -> None:
    graph = Graph(sound().SerializeToString(), Signed())
    found = graph.predict({"heat": [1.0, 2.0], "room": ["hall", None]})
    np.testing.assert_array_equal(found, [2.0, 3.0])


def test_one_scan_of_plain_nodes_is_how_neighbours_are_found() -> None:
    proto = sound()
    proto.graph.node.append(scan(body(helper.make_node("Identity", ["i"], ["o"]))))
    check_graph(proto.SerializeToString(), INPUTS, "prediction", 1)


@pytest.mark.parametrize("what", HOSTILE)
def test_what_no_graph_may_hold_is_refused_in_a_sentence(what: str) -> None:
    change, said = HOSTILE[what]
    proto = sound()
    change(proto)
    with pytest.raises(ModelError, match=said) as caught:
        Graph(proto.SerializeToString(), Signed())
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("data", [b"", b"\0" * 64, b"<html></html>", b"\x80" * 40, b"\x3a\xff\xff"])
def test_what_is_no_graph_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match="not a graph"):
        Graph(data, Signed())


def test_a_graph_that_broke_off_anywhere_is_refused() -> None:
    whole = sound().SerializeToString()
    refused = 0
    for stop in range(len(whole)):
        try:
            check_graph(whole[:stop], INPUTS, "prediction", 1)
        except ModelError:
            refused += 1
    # At its end lie the versions of the operators, of which one is enough to be a graph.
    assert refused >= len(whole) - 1


def test_what_is_too_large_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_rules, "BYTES", 100)
    with pytest.raises(ModelError, match="expected a graph of at most 100 bytes, found"):
        Graph(sound().SerializeToString(), Signed())


def test_a_field_that_comes_twice_is_refused_because_readers_differ_on_which_counts() -> None:
    whole = sound().SerializeToString()
    other = sound()
    other.ClearField("opset_import")
    other.ClearField("ir_version")
    with pytest.raises(ModelError, match="field 7 again"):
        check_graph(whole + other.SerializeToString(), INPUTS, "prediction", 1)


def test_a_graph_that_would_take_all_memory_fails_alone() -> None:
    """In a process of its own, whose memory tells: each node doubles what the one before made."""
    program = (
        "import resource, sys\n"
        "from perennial.adapters.graph import Graph\n"
        "from perennial.errors import ModelError\n"
        "from tests.unit.adapters.hostile import bomb, sound\n"
        "from tests.unit.adapters.test_graph_file import Signed\n"
        "rows = {'heat': [1.0], 'room': [None]}\n"
        "before = Graph(sound().SerializeToString(), Signed())\n"
        "before.predict(rows)\n"
        "def most(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "began = most()\n"
        "try:\n"
        "    Graph(bomb().SerializeToString(), Signed()).predict(rows)\n"
        "except ModelError as error:\n"
        "    print(before.predict(rows)[0], most() - began)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    answer, kib = done.stdout.split()
    assert float(answer) == 2.0
    assert int(kib) < 800 * 1024  # its arena has 384 MiB; the graph would take a million
    assert bomb().ByteSize() < 2_000


@pytest.fixture
def reader() -> Graph:
    """Of one text; counts its `sea`."""
    return Graph(words().SerializeToString(), Signed(TEXT, text=TEXT_V1))


@pytest.mark.parametrize("rows", [1, 128, 300])
@pytest.mark.parametrize("tokens", [3, 5_000, 120_000])
def test_one_long_text_does_not_keep_the_rows_beside_it_from_their_answers(
    reader: Graph, rows: int, tokens: int
) -> None:
    """128 rows as long as 120,000 tokens would take half a GiB."""
    texts = ["the sea " * (row % 3) for row in range(rows)]
    texts[rows // 2] = "sea " * tokens
    expected = [row % 3 for row in range(rows)]
    expected[rows // 2] = tokens
    np.testing.assert_array_equal(reader.predict({"text": texts}), expected)


def test_rows_that_do_not_fit_together_are_answered_one_by_one(
    reader: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a graph makes much of few tokens, which nobody can tell beforehand."""
    monkeypatch.setattr(graph, "_TOKENS", 10**9)
    texts = ["sea " * 120_000] + ["sea"] * 127
    np.testing.assert_array_equal(reader.predict({"text": texts}), [120_000] + [1] * 127)


def test_what_a_batch_took_is_given_back() -> None:
    """In a process of its own, whose memory tells: 100 rows of 90,000 tokens take 275 MiB."""
    program = (
        "from pathlib import Path\n"
        "from perennial.adapters import graph\n"
        "from tests.unit.adapters.test_graph_file import TEXT, Signed, words\n"
        "def mib(): return int(Path('/proc/self/statm').read_text().split()[1]) // 256\n"
        "graph._TOKENS = 10**9\n"
        "reader = graph.Graph(words().SerializeToString(), Signed(TEXT, text='tokens-v1'))\n"
        "before = mib()\n"
        "reader.predict({'text': ['sea ' * 90_000] + ['sea'] * 99})\n"
        "print(mib() - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) < 100


def test_a_row_that_does_not_fit_alone_is_told() -> None:
    greedy = Graph(bomb().SerializeToString(), Signed())
    with pytest.raises(ModelError, match=r"within 384 MiB, which .* found one that takes more"):
        greedy.predict({"heat": [1.0], "room": [None]})


def test_no_operator_is_on_both_lists() -> None:
    for domain, operators in graph_rules.EXPORTED.items():
        assert not operators & graph_rules.FOREIGN[domain]
