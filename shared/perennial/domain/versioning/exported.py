"""What goes with a version's graph where Perennial is not: a client of a few lines, and a README.

The client reads what `predict` reads over HTTP, and answers the same; what `predict` refuses, it
may misread. It needs Python 3.11, numpy and onnxruntime.
"""

from __future__ import annotations

from perennial.domain.modelling.inputs import LARGEST, NUMERIC
from perennial.domain.modelling.predictions import TIE
from perennial.domain.versioning.manifest import Manifest

CLIENT, TOKENISER, README = "predict.py", "tokeniser.py", "README.md"

_HEAD = """\
{told}
import json, os, sys
from pathlib import Path
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # must be set before the next line
import numpy as np, onnxruntime
"""
_NUMBER = f"""\
def number(value, form):
    value = {{"true": 1, "false": 0}}.get(str(value).lower(), value)
    return np.clip(np.float64("nan" if value in (None, "") else value), -{LARGEST}, {LARGEST})
"""
_CATEGORY = """\
def category(value, form):
    return ("" if value is None else value).encode("utf-8", "replace").decode().replace("\\0", "?")
"""
_TEXT = """\
from tokeniser import normalise
def text(value, form):
    return normalise(value or "")
"""
_TIMESTAMP = """\
from datetime import datetime, timedelta, timezone
def timestamp(value, form):
    if value in (None, ""):
        return np.iinfo(np.int64).min
    try:
        time = datetime.strptime(value, form or "")
    except ValueError:
        time = datetime.fromisoformat(value)
    time = time if time.tzinfo else time.replace(tzinfo=timezone.utc)
    return (time - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(seconds=1)
"""
_BODY = """\
HERE = Path(__file__).parent
MANIFEST = json.loads((HERE / "manifest.json").read_bytes())
SESSION = onnxruntime.InferenceSession(str(HERE / "model.onnx"), providers=["CPUExecutionProvider"])
READ = {{{read}}}
def predict(rows):
    feed = {{}}
    for one in MANIFEST["inputs"]:
        read, kind = READ[one["type"]]
        values = [read(row.get(one["name"]), one["format"]) for row in rows]
        feed[one["tensor"]] = np.array(values, kind).reshape(-1, 1)
    return [answer(row) for row in SESSION.run(None, feed)[0].tolist()]
if __name__ == "__main__":
    print(json.dumps(predict(json.load(sys.stdin))))
"""
_ANSWER_NUMBER = """\
def answer(row):
    return row[0]
"""
_ANSWER_CLASS = f"""\
def answer(row):
    names = [one if isinstance(one, str) else json.dumps(one) for one in MANIFEST["classes"]]
    likeliest = [one >= max(row) - {TIE} for one in row].index(True)
    return {{"label": MANIFEST["classes"][likeliest], "probabilities": dict(zip(names, row))}}
"""

_READERS = {
    "category": (_CATEGORY, "(category, object)"),
    "text": (_TEXT, "(text, object)"),
    "timestamp": (_TIMESTAMP, "(timestamp, np.int64)"),
} | dict.fromkeys(NUMERIC, (_NUMBER, "(number, np.float32)"))


def client(manifest: Manifest) -> str:
    """The source of a program that answers as the version does; of readers, those that it needs."""
    types = list(dict.fromkeys(one.type for one in manifest.inputs))
    readers = dict.fromkeys(_READERS[one][0] for one in types)
    read = ", ".join(f'"{one}": {_READERS[one][1]}' for one in types)
    answer = _ANSWER_CLASS if manifest.classes else _ANSWER_NUMBER
    told = f"{_name(manifest)}: a JSON list of rows on standard input becomes one of predictions."
    head, body = _HEAD.format(told=repr(told)), _BODY.format(read=read)  # text stays text
    return "".join([head, *readers, answer, body])


def readme(manifest: Manifest) -> str:
    """Three lines on how to use what was exported."""
    text = f", and `{TOKENISER}` as it is: the model knows no other words" if manifest.text else ""
    inputs = ", ".join(f"{one.name} ({one.type})" for one in manifest.inputs)
    return (
        f"# {_name(manifest)}\n"
        f"`pip install numpy 'onnxruntime>=1.17'`, then `python {CLIENT} < rows.json`, where "
        f"rows.json is a list of objects such as the HTTP function takes. It reads {inputs}.\n"
        f"Elsewhere take `model.onnx` with the inputs that `manifest.json` describes{text}.\n"
    )


def _name(manifest: Manifest) -> str:
    return f"{manifest.pipeline} {manifest.version}"
