"""A console behind a proxy that vouches for somebody who is no operator.

Everything is as it is deployed but the key: the proxy's assertion is signed by one of the test's
own, whose public half is where the console looks for Google's.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.auth import jwt
from google.auth.crypt import es256
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from perennial.adapters.clock import SystemClock
from perennial.adapters.iap import ISSUER, IapVerifier
from perennial.adapters.predict_client import PredictClient
from perennial.cli.context import Deployment
from perennial.console.app import App
from perennial.console.rendering import Renderer
from perennial.wiring.console import Console
from perennial.workflows.console.callers import ASSERTION, Gate
from tests.e2e.conftest import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import LocalCloud

READER = "reader@example.com"
OPERATOR = "operator@example.com"
AUDIENCE = "/projects/1/locations/europe-west1/services/console"


@contextmanager
def reading(cloud: LocalCloud) -> Iterator[tuple[str, dict[str, str]]]:
    """The address of the console, and the header that the proxy adds for the reader."""
    key = ec.generate_private_key(ec.SECP256R1())
    with _serving(_certificates(key)) as certificates:
        verifier = IapVerifier(AUDIENCE, f"{certificates}/keys")
        gate = Gate(verifier, frozenset({OPERATOR}))
        app = App(_console(cloud, gate), Renderer(REPOSITORY / "functions" / "console"))
        with _serving(app) as console:
            yield console, {ASSERTION: _assertion(key)}


def _console(cloud: LocalCloud, gate: Gate) -> Console:
    found = Deployment.find({"PERENNIAL_LOCAL": str(cloud.folder)})
    clock = SystemClock()
    predict = PredictClient(cloud.endpoints["predict"])
    return Console(found.buckets, found.registry, found.launcher, clock, gate, predict)


def _certificates(key: ec.EllipticCurvePrivateKey) -> Callable[[Request], Response]:
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return lambda _: Response(json.dumps({"test": public.decode()}), mimetype="application/json")


def _assertion(key: ec.EllipticCurvePrivateKey) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "email": READER, "iat": now, "exp": now + 600}
    return jwt.encode(es256.ES256Signer(key, key_id="test"), claims).decode()


@contextmanager
def _serving(answer: Callable[[Request], Response]) -> Iterator[str]:
    """Serve on a free port of this machine."""
    server = make_server("127.0.0.1", 0, Request.application(answer), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
