"""Every scenario there is."""

from tests.crash_points.files import FILES
from tests.crash_points.operations import OPERATIONS
from tests.crash_points.versions import VERSIONS

SCENARIOS = [*FILES, *VERSIONS, *OPERATIONS]
