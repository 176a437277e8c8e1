"""A pytest plugin: put the first test on record that an assertion failed, and stop there.

A test that fails because names are missing or a fixture breaks is no witness: that any edit does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from perennial.errors import PerennialError

FILE = "PERENNIAL_MUTATION_WITNESS"
"""The variable that says where to put it."""

_ASSERTED = (AssertionError, pytest.fail.Exception, PerennialError)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.excinfo is None or not report.failed:
        return report
    error = call.excinfo.value
    lines = str(error).splitlines() or [""]
    told = {
        "test": item.nodeid,
        "asserted": call.when == "call" and isinstance(error, _ASSERTED),
        "said": f"{type(error).__name__}: {lines[0]}",
    }
    with Path(os.environ[FILE]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(told) + "\n")
    if told["asserted"]:
        item.session.shouldfail = "a witness is enough"
    return report
