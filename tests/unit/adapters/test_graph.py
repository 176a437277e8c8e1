"""The graph's runtime keeps to itself."""

from __future__ import annotations

import subprocess
import sys


def test_loading_the_runtime_leaves_no_device_id(tmp_path):
    """Where it would report to its makers, it first makes one, when it is loaded."""
    done = subprocess.run(
        [sys.executable, "-c", "import perennial.adapters.graph"],
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert list(tmp_path.iterdir()) == []
