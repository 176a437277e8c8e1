"""What answers over HTTP: predict in a project, and every process of the local cloud."""

from __future__ import annotations

from http import HTTPStatus

from perennial.domain.descriptor import Descriptor
from perennial.domain.doctoring.findings import DEPLOY, Finding, Look, dig, ok, problem, unknown

_LOGS = "look at predict's logs in Google's console"


def check_closed(descriptor: Descriptor, look: Look) -> list[Finding]:
    """A caller without a name is let in only where that is meant.

    Args:
        descriptor: the deployment.
        look: what came of asking predict without a token.
    """
    check, meant = "predict: strangers", descriptor.predict_public
    let_in = look.kind == "found"
    if look.kind == "forbidden":
        said = "are refused"
    elif let_in:
        said = "are answered"
    else:
        return [unknown(check, "an answer or a refusal", look.said, _LOGS)]
    if let_in == meant:
        return [ok(check, said)]
    return [problem(check, "are answered" if meant else "are refused", said, DEPLOY)]


def check_answers(descriptor: Descriptor, look: Look | None, why: str = "") -> list[Finding]:
    """Predict answers those who may ask.

    Args:
        descriptor: the deployment.
        look: what came of asking it by name; None when no token was to be had.
        why: no token was to be had.
    """
    check, expected = "predict: answers", f"an answer at {descriptor.predict}"
    role = f"ask for roles/iam.serviceAccountOpenIdTokenCreator on {descriptor.caller}"
    if look is None:
        return [unknown(check, expected, why, role)]
    match look.kind:
        case "found":
            return [ok(check, _pipelines(look))]
        case "forbidden":
            return [unknown(check, expected, look.said, role)]
    return [problem(check, expected, look.said, _LOGS)]


def check_process(name: str, look: Look, log: str) -> list[Finding]:
    """A process of the local cloud answers, if only that it has nothing under this address.

    Args:
        name: what it is.
        look: what came of asking it.
        log: the file that tells why it does not.
    """
    if 0 < look.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return [ok(name, "answers")]
    return [problem(name, "an answer", look.said, f"look at {log}")]


def check_runner(train_job: str, look: Look, log: str) -> list[Finding]:
    """The local cloud's job runner has the training job.

    Args:
        train_job: the job's name.
        look: what the runner says of itself.
        log: the file that tells more.
    """
    findings = check_process("run", look, log)
    known = dig(look.document, "jobs") or []
    if findings[0].state == "ok" and train_job not in known:
        found = ", ".join(known) or "no job"
        return [problem("run", f"the job {train_job}", found, f"look at {log}")]
    return findings


def _pipelines(look: Look) -> str:
    names = [each if isinstance(each, str) else dig(each, "name") for each in _listed(look)]
    return f"pipelines: {', '.join(map(str, names)) or 'none yet'}"


def _listed(look: Look) -> list[object]:
    found = look.document.get("pipelines")
    return list(found) if isinstance(found, list | dict) else []
