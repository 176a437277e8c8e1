"""`perennial check`: its document, what people read, and its exit codes."""

from __future__ import annotations

import json
import sys

import pytest

from perennial.cli import context
from perennial.cli.main import main
from perennial.domain.checking.looks import TESTS


@pytest.fixture
def run(champion, url, monkeypatch, capsys):
    """Runs commands on the champion's deployment: exit code, standard output, standard error."""
    for role in context.BUCKETS:
        monkeypatch.setenv(f"PERENNIAL_{role.upper()}_BUCKET", role)
    monkeypatch.setenv("PERENNIAL_PREDICT_URL", url)
    monkeypatch.delenv("PERENNIAL_LOCAL", raising=False)
    monkeypatch.setattr(context, "open_buckets", lambda _: champion.trainer.buckets)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(words)
        return code, *capsys.readouterr()

    return run


def test_it_tells_every_test_with_its_evidence(run):
    code, out, err = run("check", "taps", "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert (document["pipeline"], document["version"], document["passed"]) == (
        "taps", "v000002", True,
    )  # fmt: skip
    assert [test["test"] for test in document["tests"]] == list(TESTS)
    assert {test["result"] for test in document["tests"]} == {"passed"}
    looks = [look for test in document["tests"] for look in test["looks"]]
    assert all(look.keys() == {"what", "result", "said", "evidence"} for look in looks)
    [duel] = [look for look in looks if look["what"] == "duel"]
    assert duel["evidence"]["challenger_loss"] > 0
    _, out, _ = run("check", "taps")
    assert out.startswith("taps v000002\n\n1. input data: passed\n   passed        verdicts")
    assert "5. integration of the parts: passed" in out


def test_a_failure_is_code_3_and_one_line(run, monkeypatch):
    monkeypatch.setenv("PERENNIAL_PREDICT_URL", "http://127.0.0.1:9")
    code, out, err = run("check", "taps", "--json")
    document = json.loads(out)
    assert code == 3
    assert document["passed"] is False
    assert [test["result"] for test in document["tests"]] == ["passed"] * 3 + ["failed"] * 2
    (line,) = err.splitlines()
    assert line.startswith("perennial: taps v000002 fails: predict function: the predict function")


def test_without_onnxruntime_it_says_so_and_does_not_fail(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "perennial.wiring.check", None)
    code, out, _ = run("check", "taps")
    assert code == 0
    assert "2. feature engineering: not possible" in out
    assert "onnxruntime is not installed here: pip install 'perennial[check]'" in out


def test_a_slip_in_the_name_is_one_line(run):
    code, out, err = run("check", "tap")
    assert (code, out) == (1, "")
    assert err.startswith("perennial: no pipeline 'tap'")
