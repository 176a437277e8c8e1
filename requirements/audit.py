"""`make audit`: are there known vulnerabilities in what functions ship with?

Asks the OSV database (https://osv.dev) about every pinned requirement; nothing is installed.

Exit codes: 0 nothing is known; 1 something is, by its identifier; 2 the audit itself failed;
3 the database cannot be reached, so that nothing is known about anything.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS = ("ingest", "train", "predict", "monitor", "console")
FOUND, FAILED, UNREACHABLE = 1, 2, 3

_UNREACHABLE = ("ConnectionError", "ConnectTimeout", "ReadTimeout", "ServiceError", "HTTPError")


def main(arguments: list[str] | None = None) -> int:
    """Audit every lock; the worst outcome is the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--osv-url", help="another address of the database")
    parser.add_argument("locks", nargs="*", type=Path, help="default: every function's")
    options = parser.parse_args(arguments)
    locks = options.locks or [ROOT / "functions" / one / "requirements.txt" for one in FUNCTIONS]
    codes = []
    for lock in locks:
        codes.append(audit(lock, options.osv_url))
        if codes[-1] == UNREACHABLE:
            break  # it is the same for all
    return max(codes)


def audit(lock: Path, osv_url: str | None) -> int:
    """Audit one lock, and say what was found; its exit code."""
    command = [str(ROOT / ".venv" / "audit" / "bin" / "pip-audit"), "--requirement", str(lock)]
    command += ["--disable-pip", "--require-hashes", "--vulnerability-service", "osv"]
    command += ["--format", "json", "--desc", "off", "--progress-spinner", "off", "--timeout", "10"]
    command += ["--osv-url", osv_url] if osv_url else []
    done = subprocess.run(  # noqa: S603 (the arguments are ours)
        command, capture_output=True, text=True, check=False
    )
    try:
        document = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        if any(word in done.stderr for word in _UNREACHABLE):
            _say(f"{lock}: NOT AUDITED: the database cannot be reached: {last}")
            return UNREACHABLE
        _say(f"{lock}: NOT AUDITED: {last}")
        return FAILED
    audited = document["dependencies"]
    known = [(one, found) for one in audited for found in one.get("vulns", ())]
    skipped = [one["name"] for one in audited if "skip_reason" in one]
    for one, found in known:
        fixed = ", ".join(found["fix_versions"]) or "no version yet"
        _say(f"{lock}: {one['name']} {one['version']}: {found['id']}, fixed in {fixed}")
    _say(f"{lock}: {len(audited)} pinned, {len(known)} vulnerabilities known")
    if skipped:
        _say(f"{lock}: not audited: {', '.join(skipped)}")
        return FAILED
    return FOUND if known else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
