"""`perennial predict`: what is asked, what people read, and who asks."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.oauth2.credentials import Credentials
from pytest_mock import MockerFixture

from perennial.adapters import identity_token
from perennial.domain.descriptor import OBJECT
from perennial.ports import Buckets
from tests.unit.adapters.local_google import LocalGoogle, claims, key_file, local_google

from .conftest import Ran, Run
from .deployments import CALLER, descriptor

ROBOT = "robot@garden-1.iam.gserviceaccount.com"


@dataclass
class Function:
    """Stands for the predict function and the platform before it; remembers requests.

    Attributes:
        url: where it listens.
        answers: to questions, in order: status and document.
        model: the document of its model.
        invokers: who may ask; None for everybody.
        requests: path and instances of each question.
        askers: whose token came with each request; None where none came.
    """

    url: str = ""
    answers: list[tuple[int, Any]] = field(default_factory=list)
    model: tuple[int, Any] = (404, {})
    invokers: tuple[str, ...] | None = None
    requests: list[tuple[str, Any]] = field(default_factory=list)
    askers: list[str | None] = field(default_factory=list)

    def admits(self, header: str) -> int:
        """What the platform makes of an Authorization header: 200, 401 or 403."""
        token = header.removeprefix("Bearer ")
        said = claims(token) if token else {}
        self.askers.append(said.get("email"))
        if self.invokers is None:
            return 200
        if said and said["aud"] != self.url:
            return 401
        return 200 if said.get("email") in self.invokers else 403


def serve(function: Function, certificate: Path | None = None) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = function.admits(self.headers.get("authorization", ""))
            self._answer(*(function.model if status == 200 else (status, b"<html>")))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status = function.admits(self.headers.get("authorization", ""))
            if status == 200:
                function.requests.append((self.path, body["instances"]))
                self._answer(*function.answers.pop(0))
            else:
                self._answer(status, b"<html><title>403 Forbidden</title></html>")

        def _answer(self, status: int, document: Any) -> None:
            answer = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    function.url = f"{scheme}://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    """A function without a platform before it, as the local cloud has it."""
    function = Function()
    with serve(function) as server:
        monkeypatch.setenv("PERENNIAL_PREDICT_URL", f"{function.url}/")
        yield function
        server.shutdown()


def write(name: str, data: bytes) -> None:
    Path(name).write_bytes(data)


def ask(run: Run, *words: str) -> Ran:
    return run("predict", "flowers", "--instances", '{"a": 1}', *words)


ANSWER = {"predictions": [1.5], "model_version": "v000003"}
FIELD = {"instance": 1, "field": "a", "expected": "a number", "found": '"x"'}


def refused(*errors: dict[str, Any], count: int = 1, **members: Any) -> tuple[int, Any]:
    """What the function answers to values that it cannot read."""
    detail = "instance 1, field 'a': expected a number, found \"x\""
    return 422, {"detail": detail, "errors": errors, "error_count": count, **members}


class TestAnswers:
    def test_the_answer_is_passed_on(self, deployed: Run, function: Function) -> None:
        answer = {"predictions": [1.5, 2.25], "model_version": "v000003"}
        function.answers = [(200, answer), (200, answer)]
        words = ["predict", "flowers", "--instances", '[{"a": 1}, {"a": null}]']

        assert deployed(*words, "--json").json == answer
        assert function.requests == [("/v1/models/flowers:predict", [{"a": 1}, {"a": None}])]
        assert deployed(*words).out == "v000003 predicts\n1.5\n2.25\n"

    def test_labels_are_shown_with_their_probabilities(
        self, deployed: Run, function: Function
    ) -> None:
        prediction = {"label": True, "probabilities": {"false": 0.25, "true": 0.75}}
        function.answers = [(200, {"predictions": [prediction], "model_version": "v000003"})]
        out = ask(deployed, "--version", "v000003").out

        assert function.requests[0][0] == "/v1/models/flowers:predict?version=v000003"
        assert "0.7500" in out

    def test_a_long_file_is_asked_about_in_batches_of_one_version(
        self, deployed: Run, function: Function
    ) -> None:
        write("rows.csv", b"a\n" + b"".join(b"%d\n" % n for n in range(1500)))
        function.answers = [
            (200, {"predictions": [1.0] * 1000, "model_version": "v000003"}),
            (200, {"predictions": [2.0] * 500, "model_version": "v000003"}),
        ]
        document = deployed("predict", "flowers", "--file", "rows.csv", "--json").json

        assert document["predictions"] == [1.0] * 1000 + [2.0] * 500
        first, second = function.requests
        assert first[0] == "/v1/models/flowers:predict"
        assert second[0] == "/v1/models/flowers:predict?version=v000003"
        assert (first[1][0], second[1][-1]) == ({"a": "0"}, {"a": "1499"})

    @pytest.mark.parametrize(
        "words", [[], ["--instances", "{}", "--file", "rows.csv"]], ids=["none", "both"]
    )
    def test_rows_come_from_one_place(self, deployed: Run, words: list[str]) -> None:
        write("rows.csv", b"a\n1\n")

        assert "either --file or --instances" in deployed("predict", "f", *words).complaint


class TestIgnoredFields:
    def test_they_are_told_with_the_nearest_input(self, deployed: Run, function: Function) -> None:
        function.answers = [(200, {**ANSWER, "ignored": ["Weekdy", "bouquet"]})]
        function.model = 200, {"inputs": [{"name": "price"}, {"name": "weekday"}]}
        ran = ask(deployed)

        assert ran.code == 0
        assert ran.out == "v000003 predicts\n1.5\n"
        assert ran.err == (
            "perennial: v000003 does not read Weekdy (did you mean weekday?), bouquet\n"
        )

    def test_json_has_those_of_all_batches(self, deployed: Run, function: Function) -> None:
        write("rows.csv", b"a\n" + b"1\n" * 1500)
        function.answers = [
            (200, {"predictions": [1.0] * 1000, "model_version": "v000003", "ignored": ["b"]}),
            (200, {"predictions": [1.0] * 500, "model_version": "v000003", "ignored": ["c", "b"]}),
        ]
        ran = deployed("predict", "flowers", "--file", "rows.csv", "--json")

        assert json.loads(ran.out)["ignored"] == ["b", "c"]
        assert ran.err == "perennial: v000003 does not read b, c\n"

    def test_without_any_nothing_is_said(self, deployed: Run, function: Function) -> None:
        function.answers = [(200, ANSWER)]

        assert ask(deployed, "--json").json == ANSWER


class TestMistakes:
    def test_a_value_is_named_once_by_the_line_of_the_file(
        self, deployed: Run, function: Function
    ) -> None:
        write("rows.csv", b"a\n" + b"1\n" * 1002)
        function.answers = [
            (200, {"predictions": [1.0] * 1000, "model_version": "v000003"}),
            refused(FIELD),
        ]
        complaint = deployed("predict", "flowers", "--file", "rows.csv").complaint

        assert complaint == (
            'perennial: rows.csv, line 1003, field a: expected a number, found "x"'
        )

    def test_a_value_that_was_typed_is_named_by_its_instance(
        self, deployed: Run, function: Function
    ) -> None:
        function.answers = [refused(FIELD, count=3)]
        words = ["predict", "flowers", "--instances", '[{"a": 1}, {"a": "x"}]']

        assert deployed(*words).complaint == (
            'perennial: instance 2, field a: expected a number, found "x", and 2 more such values'
        )

    def test_a_missing_field_is_told_beside_the_ignored_ones(
        self, deployed: Run, function: Function
    ) -> None:
        missing = {**FIELD, "instance": 0, "found": "nothing"}
        function.answers = [refused(missing, ignored=["A"])]

        assert ask(deployed).complaint == (
            "perennial: instance 1, field a: expected a number, found nothing; ignored: A"
        )

    def test_where_nothing_is_approved_it_says_where_to_look(
        self, deployed: Run, function: Function
    ) -> None:
        function.answers = [(503, {"detail": "no version of flowers is approved yet"})]

        assert ask(deployed).complaint == (
            "perennial: no version of flowers is approved yet; `perennial status flowers` says more"
        )

    def test_other_problems_are_told_in_the_functions_words(
        self, deployed: Run, function: Function
    ) -> None:
        detail = "no pipeline 'flowers'; pipelines are flower, shop"
        function.answers = [(404, {"title": "There is no such pipeline", "detail": detail})]

        assert ask(deployed).complaint == f"perennial: {detail}"

    def test_an_answer_that_is_no_json_is_one_line(self, deployed: Run, function: Function) -> None:
        function.answers = [(502, b"<html>")]

        assert "answers 502" in ask(deployed).complaint

    def test_a_function_that_is_not_there_is_one_line(
        self, deployed: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        complaint = ask(deployed).complaint
        assert "looked for gs://models/deployment.json and found none" in complaint
        assert complaint.endswith("or set PERENNIAL_PREDICT_URL")
        monkeypatch.setenv("PERENNIAL_PREDICT_URL", "http://127.0.0.1:1")
        assert "does not answer" in ask(deployed).complaint


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine's own, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalGoogle]:
    with local_google() as google:
        monkeypatch.setattr(identity_token, "IAM_CREDENTIALS", google.url)
        yield google


@pytest.fixture
def rosa(google: LocalGoogle, mocker: MockerFixture) -> LocalGoogle:
    """A person's credentials."""
    person = Credentials("rosa's")
    mocker.patch("google.auth.default", return_value=(person, None))
    return google


@pytest.fixture
def robot(google: LocalGoogle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalGoogle:
    """A service account's key file."""
    path = key_file(tmp_path / "key.json", ROBOT, google)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    return google


@pytest.fixture
def guarded(
    buckets: Buckets, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Function]:
    """A deployed function that only the deployment's caller may ask."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    function = Function(answers=[(200, ANSWER)], invokers=(CALLER,))
    with serve(function, certificate) as server:
        describe(buckets, function)
        yield function
        server.shutdown()


def describe(buckets: Buckets, function: Function, **changes: Any) -> None:
    document = descriptor(predict=function.url, **changes).to_json()
    buckets.models.overwrite(OBJECT, document)


class TestWhoAsks:
    @pytest.mark.usefixtures("rosa")
    def test_a_person_asks_as_the_caller_without_another_word(
        self, deployed: Run, guarded: Function
    ) -> None:
        guarded.answers *= 2

        assert ask(deployed, "--json").json == ANSWER
        assert guarded.askers == [CALLER]
        assert deployed("--project", "garden-1", *WORDS, "--json").json == ANSWER

    @pytest.mark.usefixtures("rosa")
    def test_the_hint_about_ignored_fields_is_asked_for_as_the_same(
        self, deployed: Run, guarded: Function
    ) -> None:
        guarded.answers = [(200, {**ANSWER, "ignored": ["pric"]})]
        guarded.model = 200, {"inputs": [{"name": "price"}]}

        assert "did you mean price?" in ask(deployed).err
        assert guarded.askers == [CALLER, CALLER]

    @pytest.mark.usefixtures("robot")
    def test_a_service_account_that_may_asks_as_itself(
        self, deployed: Run, guarded: Function, google: LocalGoogle
    ) -> None:
        guarded.invokers = (ROBOT,)

        assert ask(deployed, "--json").json == ANSWER
        assert google.accounts == []

    @pytest.mark.usefixtures("robot")
    def test_a_service_account_that_may_not_tries_as_the_caller(
        self, deployed: Run, guarded: Function
    ) -> None:
        assert ask(deployed, "--json").json == ANSWER
        assert guarded.askers == [ROBOT, CALLER]

    @pytest.mark.usefixtures("rosa")
    def test_another_account_may_be_named(self, deployed: Run, guarded: Function) -> None:
        guarded.invokers = (ROBOT,)

        assert ask(deployed, "--impersonate", ROBOT, "--json").json == ANSWER
        assert guarded.askers == [ROBOT]

    def test_a_public_function_needs_no_credentials(
        self, deployed: Run, guarded: Function, buckets: Buckets
    ) -> None:
        guarded.invokers = None
        describe(buckets, guarded, predict_public=True)

        assert ask(deployed, "--json").json == ANSWER
        assert guarded.askers == [None]

    @pytest.mark.usefixtures("robot")
    def test_of_a_function_that_nothing_describes_a_token_is_kept_until_it_is_wanted(
        self, deployed: Run, guarded: Function, buckets: Buckets, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        buckets.models.delete(OBJECT)
        monkeypatch.setenv("PERENNIAL_PREDICT_URL", guarded.url)
        guarded.invokers = (ROBOT,)

        assert ask(deployed, "--json").json == ANSWER
        assert guarded.askers == [None, ROBOT]

    @pytest.mark.usefixtures("rosa")
    def test_no_token_leaves_this_machine_unencrypted(
        self, deployed: Run, function: Function, buckets: Buckets
    ) -> None:
        describe(buckets, function)
        function.invokers = (CALLER,)
        complaint = ask(deployed, "--impersonate", CALLER).complaint

        assert function.askers == [None]
        assert "without an identity token (403 Forbidden), which is sent over https" in complaint


WORDS = ("predict", "flowers", "--instances", '{"a": 1}')


class TestRefusals:
    def test_without_the_token_role_it_names_it_and_the_variable(
        self, deployed: Run, guarded: Function, rosa: LocalGoogle
    ) -> None:
        rosa.refusal = 403, {"message": "denied"}
        complaint = ask(deployed).complaint

        assert f"you lack roles/iam.serviceAccountOpenIdTokenCreator on {CALLER}" in complaint
        assert "`callers`" in complaint
        assert guarded.askers == []

    @pytest.mark.usefixtures("rosa")
    def test_without_the_invoker_role_it_names_it_and_the_account(
        self, deployed: Run, guarded: Function
    ) -> None:
        guarded.invokers = ()

        assert ask(deployed).complaint == (
            f"perennial: {guarded.url} refuses {CALLER} (403 Forbidden): that account needs "
            "roles/run.invoker on the predict service, which `make deploy` gives it"
        )

    @pytest.mark.usefixtures("rosa")
    def test_for_another_account_it_points_to_the_caller(
        self, deployed: Run, guarded: Function
    ) -> None:
        complaint = ask(deployed, "--impersonate", ROBOT).complaint

        assert f"refuses {ROBOT} (403 Forbidden): that account needs roles/run.inv" in complaint
        assert complaint.endswith(f"{CALLER} has it, and --impersonate acts as that account")

    def test_a_service_account_that_may_do_neither_learns_both(
        self, deployed: Run, guarded: Function, robot: LocalGoogle
    ) -> None:
        robot.refusal = 403, {"message": "denied"}
        complaint = ask(deployed).complaint

        assert f"refuses {ROBOT} (403 Forbidden)" in complaint
        assert f"you lack roles/iam.serviceAccountOpenIdTokenCreator on {CALLER}" in complaint

    @pytest.mark.usefixtures("rosa")
    def test_a_function_that_is_public_no_longer_is_asked_with_a_token(
        self, deployed: Run, guarded: Function, buckets: Buckets
    ) -> None:
        describe(buckets, guarded, predict_public=True)

        assert ask(deployed, "--json").json == ANSWER
        assert guarded.askers == [None, CALLER]
