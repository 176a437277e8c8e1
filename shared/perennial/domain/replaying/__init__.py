"""Replay: what other ways of training would have done on a history of accepted files."""
