"""What the design relies on a bucket for, each promise with the check that tries to break it."""
