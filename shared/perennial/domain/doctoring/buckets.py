"""Buckets as the Cloud Storage JSON API describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from perennial.domain.descriptor import Descriptor
from perennial.domain.doctoring.findings import Finding, Look, compared, dig, ok, unseen
from perennial.domain.doctoring.keeping import check_keeping
from perennial.domain.doctoring.values import whole

_DAY = 86_400
_CLOSED: Mapping[str, object] = {"uniform access": True, "public access prevention": "enforced"}


def check_bucket(descriptor: Descriptor, role: str, look: Look) -> list[Finding]:
    """A bucket is where and as the table says, and closed to the world.

    Args:
        descriptor: the deployment.
        role: the bucket's.
        look: its metadata.
    """
    check = f"{role} bucket"
    if findings := unseen(check, look, role="roles/storage.legacyBucketReader"):
        return findings
    expected = {"region": descriptor.region, **_CLOSED}
    found = {"region": str(look.document.get("location", "")).lower(), **_access(look.document)}
    versioned = dig(descriptor.table, "buckets", role, "versioned")
    if versioned is not None:
        expected["versioning"] = versioned
        found["versioning"] = bool(dig(look.document, "versioning", "enabled"))
    findings = compared(check, expected, found, noted=_kept(look.document))
    return findings + check_keeping(check, role, look.document)


def check_any_bucket(role: str, look: Look) -> list[Finding]:
    """A bucket that no deployment need have yet.

    Args:
        role: the bucket's; empty where it has none.
        look: its metadata.
    """
    check = f"{role or 'the'} bucket"
    if findings := unseen(check, look, role="roles/storage.legacyBucketReader"):
        return findings
    expected = {**_CLOSED, "requester pays": False}
    found = {
        **_access(look.document),
        "requester pays": bool(dig(look.document, "billing", "requesterPays")),
    }
    versioned = "on" if dig(look.document, "versioning", "enabled") else "off"
    noted = (
        f"{look.document.get('locationType', 'location')} "
        f"{str(look.document.get('location', '')).lower()}, versioning {versioned}, "
        f"{_kept(look.document)}"
    )
    fix = "set it in the bucket's configuration"
    findings = compared(check, expected, found, fix=fix, noted=noted)
    return findings + check_keeping(check, role, look.document)


def check_reading(role: str, look: Look) -> list[Finding]:
    """The caller may read what is in a bucket.

    Args:
        role: the bucket's.
        look: a listing of it.
    """
    check = f"{role} bucket: reading"
    if findings := unseen(check, look, role="roles/storage.objectViewer"):
        return findings
    return [ok(check, "can be listed" if look.document.get("items") else "can be listed, is empty")]


def check_versioning(role: str, look: Look, *, versioned: bool) -> list[Finding]:
    """A bucket of the local cloud, which knows no regions and no access.

    Args:
        role: the bucket's.
        look: its metadata.
        versioned: what it must be.
    """
    check = f"{role} bucket"
    fix = "run `perennial down`, then `perennial up`, which makes it"
    if findings := unseen(check, look, role="none", absent=fix):
        return findings
    found = bool(dig(look.document, "versioning", "enabled"))
    fix = "move the folder away and run `perennial up`: versioning is set when a bucket is made"
    return compared(check, {"versioning": versioned}, {"versioning": found}, fix=fix)


def _access(bucket: Any) -> dict[str, object]:
    access = dig(bucket, "iamConfiguration")
    return {
        "uniform access": bool(dig(access, "uniformBucketLevelAccess", "enabled")),
        "public access prevention": dig(access, "publicAccessPrevention"),
    }


def _kept(bucket: Any) -> str:
    """How long what is deleted can be had back, and how long nothing can be deleted."""
    soft = whole(dig(bucket, "softDeletePolicy", "retentionDurationSeconds"))
    noted = f"soft delete {soft / _DAY:g} days" if soft else "soft delete off"
    retention = whole(dig(bucket, "retentionPolicy", "retentionPeriod"))
    return noted + (f", retention {retention / _DAY:g} days" if retention else "")
