"""Settings of the test process itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Real, drifting streams, beside the repository."""

# Boosting waits for its slowest thread, and tests share their cores with the processes that they
# start: with two threads on two busy cores a fit of a tenth of a second takes several. It must be
# set before scikit-learn is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No timing decides a test, on a busy machine either.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def real_files(stream: str) -> list[Path]:
    """The files of a real stream, in order; skips where the data is absent."""
    files = sorted((REAL_DATA / stream / "files").glob("*.csv"))
    if not files:
        pytest.skip(f"the real stream {stream} is not at {REAL_DATA}")
    return files


@pytest.fixture(scope="session")
def bike() -> list[Path]:
    return real_files("bike")


@pytest.fixture(scope="session")
def ytspam() -> list[Path]:
    return real_files("ytspam")
