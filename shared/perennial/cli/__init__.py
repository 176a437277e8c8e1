"""The command line: `perennial`."""
