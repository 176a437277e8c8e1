"""Does what its overrides say: ends with a code, or sleeps."""

import os
import sys
import time

from perennial.notebook import note

note("train", arguments=sys.argv[1:], variables=dict(os.environ))
time.sleep(float(os.environ.get("SLEEP", "0")))
sys.exit(int(os.environ.get("EXIT_CODE", "0")))
