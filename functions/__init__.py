"""One folder per deployable unit."""
