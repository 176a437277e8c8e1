"""Ablation: what a pipeline's models would lose without one column, or without one source."""
