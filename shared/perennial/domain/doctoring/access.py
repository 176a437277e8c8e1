"""Who may do what: IAM policies as Google's APIs answer them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from perennial.domain.descriptor import Descriptor
from perennial.domain.doctoring.findings import DEPLOY, Finding, Look, dig, ok, problem, unseen

EVERYBODY = ("allUsers", "allAuthenticatedUsers")
READING = (
    "roles/storage.objectViewer",
    "roles/storage.bucketViewer",
    "roles/storage.legacyBucketReader",
    "roles/storage.legacyObjectReader",
)
"""The roles of a bucket that change nothing in it; any other may."""

INVOKER = "roles/run.invoker"
LAUNCHER = "roles/run.jobsExecutorWithOverrides"
REVIEWER = "roles/iam.securityReviewer"
"""The role that sees policies and changes none."""

_PUBSUB_AGENT = "@gcp-sa-pubsub.iam.gserviceaccount.com"
_PUBLISHING = ("roles/pubsub.publisher", "roles/pubsub.editor", "roles/pubsub.admin")
_SUBSCRIBING = ("roles/pubsub.subscriber", "roles/pubsub.editor", "roles/pubsub.admin")


def account(descriptor: Descriptor, part: str) -> str:
    """The e-mail of the service account of one part of a deployment."""
    return f"{descriptor.deployment}-{part}@{descriptor.project}.iam.gserviceaccount.com"


def check_bucket_policy(descriptor: Descriptor, role: str, look: Look) -> list[Finding]:
    """Nobody unknown gets in; nothing of the deployment writes into landing.

    Args:
        descriptor: the deployment.
        role: the bucket's.
        look: its policy.
    """
    check = f"{role} bucket: access"
    if findings := unseen(check, look, role=REVIEWER):
        return findings
    findings = [
        problem(
            check,
            "no access for everybody",
            f"{member} has {given}",
            f"remove it, then {DEPLOY.replace('sets it', 'prevents it')}",
        )
        for given, member in _grants(look)
        if member in EVERYBODY
    ]
    if role == "landing":
        findings += [
            problem(
                check,
                "to be written by users only",
                f"{member.partition(':')[2]} has {given}",
                "remove that role: a function that writes where its events come from loops",
            )
            for given, member in _grants(look)
            if _is_ours(descriptor, member) and given not in READING
        ]
    good = "written by users only" if role == "landing" else "not for everybody"
    return findings or [ok(check, good)]


def check_callers(
    check: str, expected: Iterable[str], look: Look, *, role: str = INVOKER, public: bool = False
) -> list[Finding]:
    """Those who must call something may, and everybody only where that is meant.

    Args:
        check: what is called.
        expected: e-mails of the service accounts that must have the role.
        look: the policy.
        role: what lets them call it.
        public: whether everybody is meant to call it.
    """
    check = f"{check}: callers"
    if findings := unseen(check, look, role=REVIEWER):
        return findings
    having = {member for given, member in _grants(look) if given == role}
    findings = [
        problem(check, f"{email} to have {role}", "it does not", DEPLOY)
        for email in expected
        if f"serviceAccount:{email}" not in having
    ]
    everybody = sorted({m for _, m in _grants(look) if m in EVERYBODY})
    if public and "allUsers" not in everybody:
        findings.append(problem(check, "open to everybody", "restricted", DEPLOY))
    if everybody and not public:
        found = f"open to {' and '.join(everybody)}"
        fix = "remove that grant, or deploy with predict_public = true if it is meant"
        findings.append(problem(check, "restricted", found, fix))
    return findings or [ok(check, "open to everybody" if public else "restricted")]


def check_dead_letter_access(topic: Look, subscription: Look) -> list[Finding]:
    """Pub/Sub itself must publish to the topic and acknowledge on the subscription.

    Without either, an event that ingest cannot handle is never given up, and nobody hears of it.

    Args:
        topic: the dead-letter topic's policy.
        subscription: the policy of the subscription that events come through.
    """
    return [
        *_agent("dead letters: publishing", topic, _PUBLISHING),
        *_agent("dead letters: forwarding", subscription, _SUBSCRIBING),
    ]


def _agent(check: str, look: Look, roles: tuple[str, ...]) -> list[Finding]:
    if findings := unseen(check, look, role=REVIEWER):
        return findings
    if any(given in roles and member.endswith(_PUBSUB_AGENT) for given, member in _grants(look)):
        return [ok(check, f"the Pub/Sub service agent has {roles[0]}")]
    expected = f"the Pub/Sub service agent to have {roles[0]}"
    return [problem(check, expected, "it does not", DEPLOY)]


def _grants(look: Look) -> Iterator[tuple[str, str]]:
    """Every pair of role and member."""
    for binding in dig(look.document, "bindings") or []:
        for member in binding.get("members", []):
            yield str(binding.get("role", "")), str(member)


def _is_ours(descriptor: Descriptor, member: str) -> bool:
    """Whether a member is a service account of the deployment."""
    kind, _, email = member.partition(":")
    domain = f"@{descriptor.project}.iam.gserviceaccount.com"
    ours = email.startswith(f"{descriptor.deployment}-") and email.endswith(domain)
    return kind == "serviceAccount" and ours
