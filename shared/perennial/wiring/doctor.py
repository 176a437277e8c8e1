"""The parts of `perennial doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import requests

from perennial.adapters.clock import SystemClock
from perennial.adapters.cloud_storage import CloudStorageStore
from perennial.adapters.cloud_storage import connect as storage_client
from perennial.adapters.google_platform import (
    GOOGLE,
    LOCAL_TIMEOUT,
    LOGIN,
    GooglePlatform,
    google_session,
    local_session,
    plain_session,
)
from perennial.adapters.identity_token import identity_tokens
from perennial.adapters.storage_corruption import send_corrupted
from perennial.config import Config
from perennial.domain.descriptor import Descriptor, check_deployment, check_project
from perennial.domain.doctoring.findings import Finding, ok, problem, unknown
from perennial.errors import ConfigError
from perennial.ports import Platform
from perennial.wiring.storage import open_buckets
from perennial.workflows.doctoring import bucket as one_bucket
from perennial.workflows.doctoring.deployment import Predict, examine, find_descriptor
from perennial.workflows.doctoring.local import SWEEP_SECONDS, LocalCloud, examine_cloud
from perennial.workflows.doctoring.pipelines import examine_landing, examine_pipelines
from perennial.workflows.registry import Registry
from perennial.workflows.runs import new_run_id


def examine_project(
    project: str,
    deployment: str,
    *,
    connect: Callable[[], requests.Session] = google_session,
    addresses: Mapping[str, str] = GOOGLE,
) -> Iterator[Finding]:
    """Look at a deployment in a project.

    Args:
        project: its id.
        deployment: the deployment's name.
        connect: makes a session with Google's default credentials, or raises `ConfigError`.
        addresses: where Google's APIs are.

    Raises:
        ValueError: when no project has such an id, or no deployment can be called so.
    """
    check_project(project)
    check_deployment(deployment)
    try:
        session = connect()
    except ConfigError as error:
        yield problem("credentials", "Google credentials", str(error), LOGIN)
        return
    yield ok("credentials", "found")
    platform = GooglePlatform(session, addresses)
    findings, descriptor = find_descriptor(platform, project, deployment)
    yield from findings
    if descriptor is not None:
        yield from examine_descriptor(platform, descriptor, addresses)


def examine_descriptor(
    platform: Platform, descriptor: Descriptor, addresses: Mapping[str, str] = GOOGLE
) -> Iterator[Finding]:
    """Look at everything that a descriptor names.

    Args:
        platform: asks Google's APIs.
        descriptor: of the deployment.
        addresses: where these APIs are.
    """
    yield from examine(platform, _predict(descriptor), descriptor)
    config = Config(
        landing_bucket=descriptor.buckets["landing"],
        quarantine_bucket=descriptor.buckets["quarantine"],
        data_bucket=descriptor.buckets["data"],
        models_bucket=descriptor.buckets["models"],
        project=descriptor.project,
        region=descriptor.region,
        train_job=descriptor.train_job,
        storage_endpoint="" if addresses is GOOGLE else addresses["storage"],
    )
    yield from _contents(config, 60.0 * descriptor.table["sweep"]["every_minutes"])


def examine_local(
    cloud: LocalCloud, config: Config, addresses: Mapping[str, str]
) -> Iterator[Finding]:
    """Look at a local cloud.

    Args:
        cloud: what its folder says.
        config: its settings.
        addresses: where its processes listen.
    """
    platform = GooglePlatform(local_session(), addresses, timeout=LOCAL_TIMEOUT)
    findings = list(examine_cloud(platform, cloud))
    yield from findings
    if any(found.check == "storage" and found.state != "ok" for found in findings):
        yield unknown("pipelines", "a listing", "the storage does not answer", "mend it first")
        return
    yield from _contents(config, SWEEP_SECONDS)


def examine_bucket(
    bucket: str,
    role: str,
    config: Config,
    *,
    versioned: bool | None = None,
    connect: Callable[[], requests.Session] = google_session,
    addresses: Mapping[str, str] = GOOGLE,
) -> Iterator[Finding]:
    """Look at one bucket's settings, then try in it what the design relies on.

    Args:
        bucket: its name.
        role: the bucket's in its deployment; empty where it has none.
        config: the settings; their storage endpoint says whether it is local.
        versioned: what a bucket of the local cloud must be; None for one of Google's.
        connect: makes a session with Google's default credentials, or raises `ConfigError`.
        addresses: where Google's APIs are.

    Raises:
        ConfigError: when there are no Google credentials.
        RefusedError: where a function would be called for what is written.
    """
    if config.storage_endpoint and addresses is GOOGLE:
        session, addresses = local_session(), {"storage": config.storage_endpoint}
    else:
        session = connect()
    client = storage_client(config)
    yield from one_bucket.examine_bucket(
        GooglePlatform(session, addresses),
        CloudStorageStore(client, bucket),
        SystemClock(),
        new_run_id(SystemClock().now()),
        role=role,
        versioned=versioned,
        corrupt=partial(send_corrupted, client, bucket),
    )


def _contents(config: Config, sweep_seconds: float) -> Iterator[Finding]:
    """What lies in the buckets."""
    buckets, clock = open_buckets(config), SystemClock()
    yield from examine_landing(buckets, clock, sweep_seconds)
    yield from examine_pipelines(Registry(buckets.models, clock))


def _predict(descriptor: Descriptor) -> Predict:
    address = {"predict": descriptor.predict}
    stranger = GooglePlatform(plain_session(), address)
    return Predict(stranger, _callers(descriptor, address))


def _callers(descriptor: Descriptor, address: Mapping[str, str]) -> Iterator[Platform]:
    """Whoever may ask predict, as far as these credentials can be them."""
    if descriptor.predict_public:
        yield GooglePlatform(plain_session(), address)
        return
    if not descriptor.predict.startswith("https://"):
        raise ConfigError(f"a token is sent over https only, not to {descriptor.predict}")
    for token in identity_tokens(descriptor.predict.rstrip("/"), caller=descriptor.caller):
        yield GooglePlatform(plain_session(token.value), address)
