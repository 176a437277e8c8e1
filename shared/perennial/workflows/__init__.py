"""The use cases, one file per verb; they speak to ports only."""
