"""Gather what a look at a pipeline needs, keep what it found, and tell of what changed."""
