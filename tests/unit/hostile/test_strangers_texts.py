"""Names, headers, cells, categories, labels and keys that mean harm are shown and do nothing."""

from __future__ import annotations

import csv
import io
import json
import logging
import random
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pyarrow as pa
import pytest
import yaml

from functions.ingest import main as ingest_function
from functions.monitor import main as monitor_function
from perennial.cli import context
from perennial.cli.main import main
from perennial.cli.score import as_csv
from perennial.domain.definitions.serving_settings import ServingSettings
from perennial.domain.names import FileId
from perennial.domain.serving.csv_exchange import read_csv, write_csv
from perennial.domain.serving.prediction_log import Entry, Exchange, Refusal
from perennial.domain.serving.problems import Problem
from perennial.wiring.logs import JsonFormatter
from perennial.workflows.batch.answers import to_bytes
from perennial.workflows.judging import judge
from perennial.workflows.quarantine import Hospital
from perennial.workflows.verdicts import list_in_force, verdict_in_force
from tests.corpus.strangers import FORMULA, TEXTS
from tests.unit.console.conftest import Browser, browse  # noqa: F401 (a fixture)
from tests.unit.training.conftest import Taps, made_taps

CLASSES = [text for text in TEXTS if len(text) < 100]
NAMES = [text[:200] for text in TEXTS if not set(text) & {"\r", "\n"}]  # no object has these two
QUARANTINED = 2 * len(TEXTS) + len(NAMES)
DEFINITION = yaml.safe_dump(
    {
        "name": "taps",
        "task": "multiclass",
        "columns": {
            "at": {"type": "timestamp", "role": "event_time"},
            "tap": {"type": "category", "role": "key"},
            "heat": {"type": "number"},
            "room": {"type": "category"},
            "open": {"type": "category", "role": "label", "classes": CLASSES},
        },
        "training": {"model": "linear", "min_rows": 40},
        "promotion": {"slices": {"room": {}}},
    },
    sort_keys=False,
)
HEADER = ["at", "tap", "heat", "room", "open"]


def file(day: int, header: list[str] = HEADER, heat: str = "") -> bytes:
    """A file whose keys, categories and labels mean harm; `heat` in one of its rows."""
    chance, text = random.Random(day), io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for n in range(400):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day, minutes=n)
        key = f"{TEXTS[n % len(TEXTS)]}{day}.{n}"
        label = n % len(CLASSES)
        cells = [f"{at:%Y-%m-%dT%H:%M:%S}", key, f"{label + chance.gauss(0, 0.2):.3f}"]
        cells += [chance.choice(TEXTS[:7]), CLASSES[label]]
        writer.writerow(cells if n != 60 or not heat else [*cells[:2], heat, *cells[3:]])
    return text.getvalue().encode()


@pytest.fixture(scope="module")
def taps() -> Taps:
    """Two versions, and a file in quarantine for each text: in a cell, in a header, in a name."""
    taps = made_taps()
    taps.apply(DEFINITION)
    taps.text = DEFINITION
    for day in range(2):
        drop(taps, f"{TEXTS[day]}.csv", file(day))
        (run,) = taps.train()
        assert run.outcome == "promoted", run.reason
    for place, text in enumerate(TEXTS):
        drop(taps, f"cell-{place}.csv", file(10 + place, heat=text))
        drop(taps, f"header-{place}.csv", file(40 + place, [*HEADER[:-1], text]))
    for place, name in enumerate(NAMES):
        drop(taps, f"{name}-name.csv", file(70 + place, heat="x"))
    found = list_in_force(taps.trainer.buckets.data, "taps")
    decisions = [one.decision for one in found]
    assert decisions.count("quarantined") == QUARANTINED
    return taps


def drop(taps: Taps, name: str, data: bytes) -> None:
    trainer = taps.trainer
    info = trainer.buckets.landing.overwrite(f"taps/{name}", data)
    judge(trainer.buckets, taps.registry, trainer.clock, FileId(info.generation, info.name))


def assert_steers_nothing(text: str) -> None:
    wrong = {mark for mark in text if mark != "\n" and not mark.isprintable()}
    assert not wrong


class Harm(HTMLParser):
    """Finds elements and attributes that a text of ours does not make."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag in ("iframe", "img"):
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.found.append(f"{tag} {name}={value}")
            if tag == "script" and name == "src" and not (value or "").startswith("/assets/"):
                self.found.append(f"script {value}")

    def handle_data(self, data):
        if self.cdata_elem == "script" and "harm" in data:
            self.found.append(data)


def assert_harmless(page: str) -> None:
    parser = Harm()
    parser.feed(page)
    parser.close()
    assert parser.found == []
    wrong = {mark for mark in page if mark not in "\n\t" and ord(mark) < 32}
    assert not wrong
    assert not set(page) & set("\x7f\x9b\u202e\u2066\u2069\u200f\u2028\u2029")


def test_verdicts_and_reports_hold_the_texts_as_they_are(taps):
    """Nothing is lost on the way: it is who shows them that must see to it."""
    buckets = taps.trainer.buckets
    hospital = Hospital(buckets, taps.registry, taps.trainer.launcher, taps.trainer.clock, "taps")
    whole = 0
    for found in list_in_force(buckets.data, "taps"):
        if found.decision != "quarantined":
            continue
        verdict = verdict_in_force(buckets.data, "taps", found.file)
        document = json.loads(verdict.to_json())
        assert document["file"]["name"] == verdict.file.name
        report = hospital.show(found.file).report
        assert report["file"] == verdict.file.name
        for finding in report["findings"]:
            assert len(finding["message"]) < 2_000, "a finding is a sentence, whatever it is about"
        whole += 1
    assert whole == QUARANTINED


def test_pages_show_them_and_do_nothing(taps, browse):  # noqa: F811
    browser: Browser = browse(taps)
    pages = ["/", "/p/taps", "/p/taps/files", "/p/taps/versions", "/p/taps/quarantine"]
    pages += ["/p/taps/runs", "/p/taps/versions/v000002", "/p/taps/findings", "/p/taps/history"]
    for found in list_in_force(taps.trainer.buckets.data, "taps"):
        pages.append(f"/p/taps/files/{found.file.stem}")
        if found.decision == "quarantined":
            pages.append(f"/p/taps/do/release?subject={found.file.stem}")
    shown = 0
    for address in pages:
        answer = browser.get(address)
        assert answer.status_code == 200, (address, answer.get_data(as_text=True))
        page = answer.get_data(as_text=True)
        assert_harmless(page)
        shown += "harm" in page
    assert shown > QUARANTINED


@pytest.fixture
def run(taps, monkeypatch, capsys):
    for role in context.BUCKETS:
        monkeypatch.setenv(f"PERENNIAL_{role.upper()}_BUCKET", role)
    for name in ("PERENNIAL_LOCAL", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(context, "open_buckets", lambda _: taps.trainer.buckets)
    monkeypatch.setattr(context, "CloudRunJobs", lambda _: taps.trainer.launcher)
    monkeypatch.setattr(context, "SystemClock", lambda: taps.trainer.clock)

    def run(*words: str) -> tuple[str, str]:
        main(list(words))
        return capsys.readouterr()

    return run


def test_commands_print_them_and_steer_no_terminal(taps, run, tmp_path):
    commands = [["status", "taps"], ["status"], ["versions", "taps"], ["monitor", "taps"]]
    commands += [["versions", "taps", "--explain", "v000002"], ["quarantine", "list", "taps"]]
    for found in list_in_force(taps.trainer.buckets.data, "taps"):
        if found.decision == "quarantined":
            commands.append(["quarantine", "show", "taps", found.file.name])
    said = ""
    for words in commands:
        out, err = run(*words)
        assert_steers_nothing(out + err)
        said += out
        out, err = run(*words, "--json")
        assert_steers_nothing(out + err)
        json.loads(out)
    assert said.count("harm") > QUARANTINED
    run("report", "taps", "-o", str(tmp_path / "report.html"))
    assert_harmless((tmp_path / "report.html").read_text())


def test_cards_steer_nothing(taps):
    for version in ("v000001", "v000002"):
        name = f"taps/versions/{version}/card.md"
        assert_steers_nothing(taps.trainer.buckets.models.read(name).data.decode())


@pytest.fixture
def lines(monkeypatch):
    """What functions log, as it goes to standard output."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    for log in (monitor_function.log, ingest_function.log):
        monkeypatch.setattr(log, "handlers", [handler])
        monkeypatch.setattr(log, "propagate", False)
        log.setLevel(logging.INFO)
    return stream


def test_a_log_line_is_one_line_of_json_whatever_it_tells(taps, lines):
    data, count = taps.trainer.buckets.data, 0
    for found in list_in_force(data, "taps"):
        monitor_function._tell(verdict_in_force(data, "taps", found.file))
        count += 1
    for text in TEXTS:
        error = ZeroDivisionError(text)
        ingest_function.log.error("%s was not judged: %s", text, error, exc_info=error)
        count += 1
    assert_steers_nothing(lines.getvalue())
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert len(told) == count
    assert {one["severity"] for one in told} == {"INFO", "ERROR"}


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_line_of_the_prediction_log_is_one_line(text):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    exchange = Exchange(text, "taps", "v000001", {"room"}, [{"room": text}], [text], now, 1.0)
    line = Entry(exchange, ServingSettings(), True, [0]).line().decode()
    refused = Refusal(text, "taps", None, 400, text, now, 1.0).line().decode()
    for one in (line, refused):
        assert_steers_nothing(one)
        assert one.count("\n") == 1
        assert json.loads(one)["request"] == text


def test_predictions_as_csv_hold_no_formula(taps):
    manifest = taps.registry.manifest("taps", "v000002", head=taps.head)
    chances = {text: 1 / len(CLASSES) for text in CLASSES}
    data = write_csv(manifest, [{"label": one, "probabilities": chances} for one in CLASSES])
    rows = [*csv.reader(io.StringIO(data.decode(), newline=""))]
    assert len(rows) == 1 + len(CLASSES)
    assert not [cell for row in rows for cell in row if cell.startswith(FORMULA)]


def test_files_of_scores_as_csv_hold_no_formula():
    table = pa.table({TEXTS[9]: list(TEXTS), "prediction": list(reversed(TEXTS))})
    rows = [*csv.reader(io.StringIO(as_csv(to_bytes(table)).decode(), newline=""))]
    assert len(rows) == 1 + len(TEXTS)
    assert not [cell for row in rows for cell in row if cell.startswith(FORMULA)]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_problems_of_predict_stay_short(text):
    with pytest.raises(Problem) as refused:
        read_csv(f'"{text.replace(chr(34), "")}",b\n1\n'.encode(), 10, ())
    assert len(json.dumps(refused.value.document)) < 2_000
