"""One module per function: picks the adapters, once."""
