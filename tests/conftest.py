"""Settings of the test process itself."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Boosting waits for its slowest thread, and tests share their cores with the processes that they
# start: with two threads on two busy cores a fit of a tenth of a second takes several. It must be
# set before scikit-learn is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No timing decides a test, on a busy machine either.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
