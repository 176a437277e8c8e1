"""A champion passes the five tests with its evidence, and a fault fails the test that is for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perennial.domain import names
from perennial.domain.checking.served import Answered, Served
from perennial.domain.evaluation.measuring import Measurement
from perennial.domain.evaluation.scoring import Score
from perennial.errors import ConfigError, NotFoundError, PerennialError
from perennial.wiring.check import graphs
from perennial.workflows import challenge as gate
from perennial.workflows.check import check
from perennial.workflows.ledger import Entry, record
from perennial.workflows.verdicts import list_in_force, verdict_in_force, write_verdict

from .conftest import SmokelessGraphs, results, said

PASSED, FAILED, NOT_POSSIBLE = "passed", "failed", "not possible"


class Stub:
    """Stands where the predict function does, and answers as it is told."""

    def __init__(self, taps, *, versions=("v000002",), answers=None, error=None):
        self._manifest = taps.registry.manifest("taps", "v000002")
        self._versions = list(versions)
        self._answers = answers
        self._error = error

    def served(self):
        if self._error:
            raise self._error
        version = self._versions[0] if len(self._versions) == 1 else self._versions.pop(0)
        return Served(version, self._manifest.files["model.onnx"].sha256, 0.5, "")

    def answered(self, instances):
        if self._error:
            raise self._error
        return Answered(self._versions[0], self._answers(instances) if self._answers else [])


class Sleeper:
    """A clock that counts how often somebody waited, and lets something happen meanwhile."""

    def __init__(self, clock, meanwhile=lambda: None):
        self.now, self.slept, self._meanwhile = clock.now, 0, meanwhile

    def sleep(self, seconds):
        self.slept += 1
        self._meanwhile()


def test_a_champion_passes_all_five_with_the_evidence_of_each(champion, tested, url):
    champion.drop()
    champion.train()  # v000003, which no file has been predicted by
    found = tested(url, graphs=graphs())
    assert results(found) == [PASSED] * 5, found.failures
    data, features, quality, serving, integration = map(said, found.tests)
    assert data["verdicts"] == (
        "3 learned files with 300 rows, all accepted; the last is taps/day2.csv"
    )
    assert data["rules"].startswith(
        "4 columns typed, 3 of them required; 0 rejecting and 0 warning"
    )
    assert data["quarantine"] == "0 files quarantined since the last that it learned"
    assert "3 of 3 files lie in it" in data["schema"]
    assert "on 50 rows and" in features["parity"]
    assert features["answers"] == "the answers to 50 recorded instances are the same"
    assert features["precision"] == "float32 carries the numbers of the recorded rows"
    assert "than v000002's" in quality["duel"]
    assert quality["gate"] == "it decides rightly about 5 challengers of known quality"
    assert quality["progressive score"] == "no labelled row came since it was made"
    assert serving["version"] == "serves v000003, the champion"
    assert serving["digest"].endswith("as its manifest states")
    assert serving["look-up"].endswith("s ago")
    assert serving["smoke"].startswith("a fresh process loads the graph")
    assert integration["X-Model-Version"] == "v000003 answered, the champion is v000003"
    assert integration["answers"].startswith("over HTTP 50 recorded rows get the answers of its")


def test_what_a_version_shows_on_later_rows_is_told(champion, tested):
    data, now = champion.trainer.buckets.data, champion.trainer.clock.now()
    scores = {"v000001": 90.0, "v000002": 30.0}
    for version, loss in scores.items():
        record(
            data, "taps", Entry("1-file", version, now, Measurement(Score(60, {"log_loss": loss})))
        )
    found = tested(serving=lambda: Stub(champion))
    [progressive] = [
        one for one in found.tests[2].looks if one.what == "progressive score"
    ]  # fmt: skip
    assert progressive.said == (
        "log_loss 0.5 on 60 rows of 1 file before anything learned from them"
    )
    assert progressive.evidence["metrics"] == {"log_loss": 0.5}


def test_a_learned_file_that_is_not_accepted_any_more_fails_the_first(champion, tested, url):
    data = champion.trainer.buckets.data
    first = list_in_force(data, "taps")[0]
    verdict = verdict_in_force(data, "taps", first.file)
    write_verdict(data, replace(verdict, number=2, decision="suspect", reason="labels shuffled"))
    found = tested(url)
    assert results(found) == [FAILED, PASSED, PASSED, PASSED, PASSED]
    assert "1 of them not accepted any more: taps/day0.csv (suspect)" in found.failures[0].said


def test_a_file_that_was_quarantined_since_is_named(champion, tested, url):
    data = champion.trainer.buckets.data
    last = verdict_in_force(data, "taps", list_in_force(data, "taps")[-1].file)
    file = replace(last.file, generation=last.file.generation + 1, name="taps/bad.csv")
    write_verdict(data, replace(last, file=file, decision="quarantined"))
    found = tested(url)
    [quarantine] = [one for one in found.tests[0].looks if one.what == "quarantine"]
    assert (quarantine.result, quarantine.evidence["since"]) == (PASSED, ["taps/bad.csv"])


def test_a_graph_that_is_not_the_one_in_the_manifest_fails(champion, tested):
    models = champion.trainer.buckets.models
    other = models.read(names.version("taps", "v000001", "model.onnx")).data
    models.overwrite(names.version("taps", "v000002", "model.onnx"), other)
    found = tested(serving=lambda: Stub(champion))
    assert results(found)[1:4] == [FAILED, PASSED, FAILED]
    assert "does not match the digest in its manifest" in said(found.tests[1])["graph"]
    assert "does not match the digest in its manifest" in said(found.tests[3])["smoke"]


def test_a_graph_that_answers_otherwise_than_when_it_was_made_fails_the_second(
    champion, tested, url
):
    class Drifting(SmokelessGraphs):
        def load(self, graph, manifest):
            scorer = super().load(graph, manifest)
            honest = scorer.predict
            scorer.predict = lambda columns: honest(columns) + 1e-4
            return scorer

    found = tested(url, graphs=Drifting())
    assert results(found) == [PASSED, FAILED, PASSED, PASSED, PASSED]
    assert "the answers to 50 of 50 recorded instances differ" in found.failures[0].said


def test_a_gate_that_cannot_be_trusted_fails_the_third(champion, tested, url, monkeypatch):
    honest = gate.duel
    monkeypatch.setattr(gate, "duel", lambda _, mine, **options: honest(mine, mine, **options))
    found = tested(url)
    assert results(found) == [PASSED, PASSED, FAILED, PASSED, PASSED]
    assert found.failures[0].said.startswith("worse: expected that it does not pass")


def test_without_onnxruntime_only_what_needs_it_is_not_possible(champion, tested, url):
    found = tested(url, graphs=None)
    assert results(found) == [PASSED, NOT_POSSIBLE, PASSED, NOT_POSSIBLE, PASSED]
    assert found.failures == []
    assert said(found.tests[1])["answers"] == (
        "onnxruntime is not installed here: pip install 'perennial[check]'"
    )


def test_without_the_recorded_rows_what_needs_them_is_not_possible(champion, tested, url):
    data = champion.trainer.buckets.data
    for info in [*data.list("taps/rows/")]:
        data.delete(info.name)
    found = tested(url)
    assert results(found) == [PASSED, NOT_POSSIBLE, PASSED, NOT_POSSIBLE, NOT_POSSIBLE]
    assert "the rows whose answers are on record cannot be had" in said(found.tests[4])["request"]


def test_of_a_version_that_was_not_trained_here_only_what_is_known_is_judged(champion, tested, url):
    models, manifest = (
        champion.trainer.buckets.models,
        champion.registry.manifest("taps", "v000002"),
    )
    bare = replace(manifest, files={"model.onnx": manifest.files["model.onnx"]}, environment={})
    models.overwrite(names.version("taps", "v000002", "manifest.json"), bare.to_json())
    # As a head says nothing of a version that an earlier release brought in.
    champion.registry.commit("taps", lambda head: replace(head, manifests={}), action="t", by="t")
    found = tested(url)
    assert results(found) == [NOT_POSSIBLE] * 5
    assert found.failures == []
    assert said(found.tests[2])["duel"] == "it met no champion: no duel is on record"
    assert said(found.tests[3])["version"] == "serves v000002, the champion"
    assert said(found.tests[4])["request"] == "no answers were put on record when it was made"


def test_a_function_that_is_late_is_asked_again(champion, tested):
    clock = Sleeper(champion.trainer.clock)
    late = Stub(champion, versions=["v000001", "v000002"])
    found = tested(serving=lambda: late, clock=clock)
    assert (results(found)[3], clock.slept) == (PASSED, 1)


def test_a_function_that_goes_on_serving_another_version_fails(champion, tested):
    found = tested(serving=lambda: Stub(champion, versions=["v000001"]))
    assert results(found)[3:] == [FAILED, FAILED]
    assert said(found.tests[3])["version"] == "serves v000001, and the champion is v000002"


def test_a_champion_that_came_meanwhile_is_no_failure(champion, tested):
    def promote():
        champion.drop()
        champion.train()

    clock = Sleeper(champion.trainer.clock, promote)
    found = tested(serving=lambda: Stub(champion, versions=["v000003"]), clock=clock)
    assert results(found)[3] == NOT_POSSIBLE
    assert "v000003 became the champion meanwhile" in said(found.tests[3])["predict function"]


@pytest.mark.parametrize(
    ("error", "result"),
    [(ConfigError("no URL is known"), NOT_POSSIBLE), (PerennialError("no answer"), FAILED)],
)
def test_nobody_to_ask_is_not_possible_and_no_answer_is_a_failure(champion, tested, error, result):
    found = tested(serving=lambda: Stub(champion, error=error))
    assert results(found)[3:] == [result, result]
    assert said(found.tests[4]) == {"request": str(error)}


@pytest.mark.parametrize(
    "answers",
    [
        lambda given: [{"label": 1, "probabilities": {"0": 0.5, "1": 0.5}} for _ in given],
        lambda given: [{"label": 1, "probabilities": {"0": 0.5, "1": 0.5}} for _ in given[1:]],
        lambda given: [{"label": 1} for _ in given],
        lambda given: [0.5 for _ in given],
        lambda given: [],
    ],
)
def test_other_answers_than_the_graphs_fail_the_fifth(champion, tested, answers):
    found = tested(serving=lambda: Stub(champion, answers=answers))
    assert results(found)[4] == FAILED
    assert [one.what for one in found.failures] == ["answers"]


def test_a_pipeline_without_a_champion_has_nothing_to_check(taps):
    trainer = taps.trainer
    with pytest.raises(NotFoundError, match="taps has no champion yet"):
        check(
            trainer.buckets.data, trainer.registry, trainer.clock, "taps", SmokelessGraphs(), Stub
        )


def test_nothing_is_written(champion, tested, url):
    buckets = champion.trainer.buckets
    stores = (buckets.landing, buckets.quarantine, buckets.data, buckets.models)

    def contents():
        return [(i.bucket, i.name, i.generation) for s in stores for i in s.list(versions=True)]

    before = contents()
    tested(url)
    assert contents() == before
