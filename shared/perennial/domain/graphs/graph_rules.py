"""What a graph may consist of: operators, their versions, and how much of each.

The first list is what the models of ours become; a test exports every kind of them and holds it to
be exactly that. The second is what estimators of one's own and graphs from elsewhere need besides:
functions of their inputs alone, whose results are no larger than those or than the weights in the
file. What repeats, branches, draws random numbers, decodes images, or makes tensors of a size that
a number in the file names, is on neither; nor is what makes strings longer (`StringConcat`), since
only their number is bounded when a graph runs, not their length.

Standard library only, because `predict` ships with it.
"""

from __future__ import annotations

from collections.abc import Mapping

ML = "ai.onnx.ml"
"""Domain of ONNX's operators for classical machine learning; the standard one has no name."""


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


EXPORTED: Mapping[str, frozenset[str]] = {
    "": _names("""
        Add Cast Clip Concat Div Equal Exp Flatten Gather Identity IsNaN MatMul Mod Mul Reshape
        StringSplit Sub TfIdfVectorizer Unsqueeze Where
    """),
    ML: _names("""
        LabelEncoder LinearClassifier LinearRegressor Normalizer OneHotEncoder
        TreeEnsembleClassifier TreeEnsembleRegressor
    """),
}  # fmt: skip
"""Operators of the models of ours, by domain."""

FOREIGN: Mapping[str, frozenset[str]] = {
    "": _names("""
        Abs Acos Acosh And ArgMax ArgMin Asin Asinh Atan Atanh BatchNormalization Ceil Celu
        Compress Constant Cos Cosh CumSum Dropout Elu Erf Floor GatherElements GatherND Gelu Gemm
        Greater GreaterOrEqual HardSigmoid HardSwish Hardmax IsInf LayerNormalization LeakyRelu
        Less LessOrEqual Log LogSoftmax Max Mean MeanVarianceNormalization Min Mish Neg NonZero Not
        Or PRelu Pow Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean
        ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Round Scan Selu Shape Sigmoid Sign Sin
        Sinh Size Slice Softmax Softplus Softsign Split Sqrt Squeeze StringNormalizer Sum
        Tan Tanh ThresholdedRelu TopK Transpose Unique Xor
    """),
    ML: _names("""
        ArrayFeatureExtractor Binarizer CategoryMapper FeatureVectorizer Imputer SVMClassifier
        SVMRegressor Scaler
    """),
}  # fmt: skip
"""Further operators, by domain. `Scan` is how neighbours are found; it may hold no other."""

OPSETS: Mapping[str, int] = {"": 26, ML: 5}
"""The newest version of each domain's operators."""

DOMAINS: Mapping[str, str] = {"": "", "ai.onnx": "", ML: ML}
"""Every name of a domain, and its name above."""

BYTES = 64 * 1024 * 1024
"""Of a graph: `predict` holds several beside each other in half a GiB."""

NODES = 10_000
"""In a graph, bodies of `Scan` included."""

CONSTANTS = 10_000
"""In a graph: weights, each a tensor."""

TREE_NODES = 2_000_000
"""In all trees of a graph."""


def allowed(domain: str, operator: str) -> bool:
    """Whether a node may be of this operator."""
    name = DOMAINS.get(domain)
    return name is not None and (operator in EXPORTED[name] or operator in FOREIGN[name])
