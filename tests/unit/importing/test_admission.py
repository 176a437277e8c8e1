"""Which graphs fit a definition, what is made of those that nearly do, and what refusals say."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from onnx import TensorProto, helper

from perennial.adapters import onnx_import
from perennial.adapters.graph import Graph
from perennial.adapters.onnx_codec import OnnxCodec
from perennial.adapters.onnx_import import admit
from perennial.domain.definitions.definition import parse
from perennial.domain.modelling.training import fit
from perennial.domain.versioning.manifest import Input
from perennial.errors import ModelError

from .conftest import GUESTS, TAPS, classifier, heats, regressor


def data(proto) -> bytes:
    return proto.SerializeToString()


class TestWhatFits:
    @pytest.mark.parametrize("zipmap", [True, False])
    def test_a_classifier_of_skl2onnx_as_it_comes(self, taps_definition, zipmap):
        artefact = admit(data(classifier(zipmap=zipmap)), taps_definition)
        assert artefact.inputs == (Input("heat", "heat", "number"),)
        assert artefact.classes == (0, 1)
        found = Graph(artefact.graph, artefact).predict({"heat": [-3.0, 0.0, 3.0]})
        assert found.shape == (3, 2)
        assert found[0, 0] > 0.9
        assert found[2, 1] > 0.9
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)

    def test_a_regression_answers_the_same_under_its_new_name(self, guests_definition):
        artefact = admit(data(regressor()), guests_definition)
        assert [one.name for one in artefact.inputs] == ["heat", "seats"]
        found = Graph(artefact.graph, artefact).predict({"heat": [1.0, 0.0], "seats": [0, 2]})
        np.testing.assert_allclose(found, [3.0, -2.0], atol=1e-4)

    @pytest.mark.parametrize("text", [TAPS, GUESTS])
    def test_a_graph_of_ours_keeps_its_bytes(self, text):
        import pandas as pd

        definition = parse(text)
        x, y = heats(200)
        frame = pd.DataFrame({"heat": x[:, 0].astype(float), "seats": range(200), "room": "a"})
        frame["at"] = pd.Timestamp("2026-01-01", tz="UTC")
        frame[definition.label] = y
        exported = OnnxCodec().export(fit(definition, frame))
        artefact = admit(exported.graph, definition)
        assert artefact.graph == exported.graph
        assert (artefact.inputs, artefact.classes) == (exported.inputs, exported.classes)

    def test_tensors_may_be_numbered_as_ours_are(self, taps_definition):
        artefact = admit(data(classifier(tensor="x1")), taps_definition)
        assert artefact.inputs == (Input("heat", "x1", "number"),)

    def test_names_of_columns_come_before_numbers(self):
        definition = parse(TAPS.replace("  room:", "  x1: {type: number}\n  room:"))
        artefact = admit(data(classifier(tensor="x1")), definition)
        assert artefact.inputs == (Input("x1", "x1", "number"),)

    def test_a_double_answer_becomes_a_float(self, guests_definition):
        proto = regressor()
        proto.graph.node[-1].output[0] = "single"
        proto.graph.node.append(
            helper.make_node("Cast", ["single"], ["prediction"], to=TensorProto.DOUBLE)
        )
        del proto.graph.output[:]
        proto.graph.output.append(
            helper.make_tensor_value_info("prediction", TensorProto.DOUBLE, [None])
        )
        artefact = admit(data(proto), guests_definition)
        found = Graph(artefact.graph, artefact).predict({"heat": [1.0], "seats": [0]})
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, [3.0], atol=1e-4)


def refusal(graph: bytes, definition) -> str:
    with pytest.raises(ModelError) as caught:
        admit(graph, definition)
    return str(caught.value)


class TestWhatDoesNotFit:
    @pytest.mark.parametrize("graph", [b"", b"\0" * 100, b"at,heat\n1,2\n", pickle.dumps({"a": 1})])
    def test_what_is_no_graph(self, guests_definition, graph):
        assert "expected an ONNX graph, found" in refusal(graph, guests_definition)

    @pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
    def test_what_broke_off(self, taps_definition, kept):
        whole = data(classifier())
        assert refusal(whole[: int(len(whole) * kept)], taps_definition)

    def test_bytes_that_were_damaged_never_do_more_than_fail(self, taps_definition):
        whole, chance = data(classifier()), np.random.default_rng(0)
        refused = 0
        for place in chance.integers(0, len(whole), 150):
            damaged = bytearray(whole)
            damaged[place] ^= int(chance.integers(1, 256))
            try:
                admit(bytes(damaged), taps_definition)
            except ModelError:
                refused += 1
        assert refused > 50

    def test_what_is_too_large(self, guests_definition, monkeypatch):
        monkeypatch.setattr(onnx_import, "LARGEST", 100)
        said = refusal(data(regressor()), guests_definition)
        assert said.startswith("expected a graph of at most 100 bytes, found ")

    def test_inputs_of_other_names(self, taps_definition):
        assert refusal(data(classifier(tensor="temperature")), taps_definition) == (
            "expected inputs of the names at, heat, room (or x0 to x2, in that order), each a "
            "tensor of shape [rows, 1], found temperature"
        )

    def test_one_matrix_of_all_columns(self, guests_definition):
        x = helper.make_tensor_value_info("heat", TensorProto.FLOAT, [None, 2])
        out = helper.make_tensor_value_info("prediction", TensorProto.FLOAT, [None, 1])
        node = helper.make_node("ReduceSum", ["heat"], ["prediction"])
        graph = helper.make_graph([node], "g", [x], [out])
        proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        assert refusal(data(proto), guests_definition) == (
            "expected heat as float [rows, 1] for a column of type number, found float [rows, 2]"
        )

    @pytest.mark.parametrize(
        ("element", "shape", "found"),
        [
            (TensorProto.DOUBLE, [None, 1], "double [rows, 1]"),
            (TensorProto.STRING, [None, 1], "string [rows, 1]"),
            (TensorProto.FLOAT, [None], "float [rows]"),
            (TensorProto.FLOAT, [1, 1], "float [1, 1]"),
        ],
    )
    def test_inputs_of_another_type_or_shape(self, guests_definition, element, shape, found):
        proto = regressor()
        proto.graph.input[0].CopyFrom(helper.make_tensor_value_info("heat", element, shape))
        said = refusal(data(proto), guests_definition)
        # A type that its operators do not take is found by the check of the graph before.
        assert said.endswith(f"found {found}") or said.startswith("expected a well-formed graph")

    def test_an_output_of_another_name(self, taps_definition):
        proto = classifier(zipmap=False)
        del proto.graph.output[1:]
        assert refusal(data(proto), taps_definition) == (
            "expected an output probabilities ([rows, classes]), found label"
        )

    def test_another_number_of_classes(self):
        definition = parse(TAPS.replace("[0, 1]", "[0, 1, 2]").replace("binary", "multiclass"))
        assert refusal(data(classifier(zipmap=False)), definition) == (
            "expected the classes 0, 1, 2, in the definition's order, found 0, 1"
        )

    def test_classes_in_another_order(self):
        definition = parse(TAPS.replace("[0, 1]", "[1, 0]"))
        assert refusal(data(classifier()), definition) == (
            "expected the classes 1, 0, in the definition's order, found 0, 1"
        )

    def test_classes_that_nobody_declared(self):
        definition = parse(TAPS.replace(", classes: [0, 1]", ""))
        assert refusal(data(classifier()), definition).startswith(
            "expected columns.open.classes in the definition"
        )

    def test_a_class_where_a_number_is_expected(self):
        definition = parse(GUESTS)
        proto = regressor()
        proto.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
        assert refusal(data(proto), definition) == (
            "expected variable as float [rows, 1], found int64 [rows, 1]"
        )


class TestWhatCouldDoMoreThanCompute:
    def test_operators_of_somebodys_own(self, guests_definition):
        proto = regressor()
        proto.graph.node[0].domain = "com.example"
        proto.opset_import.append(helper.make_opsetid("com.example", 1))
        assert refusal(data(proto), guests_definition) == (
            "expected operators of ai.onnx and ai.onnx.ml only, found com.example"
        )

    def test_weights_outside_of_the_file(self, guests_definition, tmp_path):
        proto = regressor()
        weights = proto.graph.initializer[0]
        weights.data_location = TensorProto.EXTERNAL
        entry = weights.external_data.add()
        entry.key, entry.value = "location", str(tmp_path / "passwd")
        assert refusal(data(proto), guests_definition) == (
            "expected all weights in the file, found some that lie outside of it"
        )

    def test_weights_outside_of_the_file_in_a_constant(self, guests_definition):
        proto = regressor()
        value = helper.make_tensor("v", TensorProto.FLOAT, [1], [1.0])
        value.data_location = TensorProto.EXTERNAL
        proto.graph.node.append(helper.make_node("Constant", [], ["c"], value=value))
        assert "outside of it" in refusal(data(proto), guests_definition)

    def test_loops(self, guests_definition):
        proto = regressor()
        body = helper.make_graph(
            [helper.make_node("Identity", ["c"], ["d"])], "body",
            [helper.make_tensor_value_info("i", TensorProto.INT64, []),
             helper.make_tensor_value_info("c", TensorProto.BOOL, [])],
            [helper.make_tensor_value_info("d", TensorProto.BOOL, [])],
        )  # fmt: skip
        proto.graph.node.append(helper.make_node("Loop", ["", ""], [], body=body))
        assert refusal(data(proto), guests_definition) == (
            "expected no loops and branches, found Loop"
        )

    def test_functions(self, guests_definition):
        proto = regressor()
        node = helper.make_node("Identity", ["a"], ["b"])
        opset = [helper.make_opsetid("", 18)]
        proto.functions.append(helper.make_function("", "F", ["a"], ["b"], [node], opset))
        assert "functions" in refusal(data(proto), guests_definition)
