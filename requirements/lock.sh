#!/bin/sh
# Pins every dependency with hashes: one lock for developers, one for each function that takes the
# same versions from it, one for the policy checker alone, and one for each set of rivals that
# something is measured against. Run by `make lock`.
set -eu
cd "$(dirname "$0")/.."
export UV_CUSTOM_COMPILE_COMMAND="make lock"
compile="${UV:-.venv/bin/uv} pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url"
$compile requirements/dev.in -o requirements/dev.txt "$@"
$compile requirements/policy.in -o requirements/policy.txt "$@"
$compile requirements/audit.in -o requirements/audit.txt "$@"
for rivals in serving validation; do
    $compile "requirements/rivals-$rivals.in" -o "requirements/rivals-$rivals.txt" "$@"
done
$compile requirements/bootstrap.in -c requirements/dev.txt -o requirements/bootstrap.txt
for function in functions/*/; do
    $compile "${function}requirements.in" -c requirements/dev.txt -o "${function}requirements.txt"
done
