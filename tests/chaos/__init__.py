"""Real faults against the processes of a local cloud."""
