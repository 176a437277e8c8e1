"""The one transform that stays outside the graph: how a text becomes tokens.

onnxruntime lowercases only where an `en_US.UTF-8` locale exists and its regular expressions know
no words beyond ASCII, so training and `predict` share this function and the graph splits on spaces.
A change here needs a new name, because stored models were trained on what the old one gave.
"""

from __future__ import annotations

import re

TEXT_V1 = "tokens-v1"
"""Name of the normalisation below, as manifests state it."""

# Two or more letters, digits or underscores of any script, as in scikit-learn's TfidfVectorizer.
_TOKEN = re.compile(r"\b\w\w+\b")


def normalise(text: str) -> str:
    """The text's lowercase tokens, joined by single spaces.

    >>> normalise("Check out my CHANNEL, é 42!!")
    'check out my channel 42'
    """
    return " ".join(_TOKEN.findall(text.lower()))
