from tests.crash_points.files import FILES
from tests.crash_points.versions import VERSIONS
SCENARIOS = [*FILES, *VERSIONS]
