"""Proof on rows that no model has learned: scores, duels, the gate, surprise, probation."""
