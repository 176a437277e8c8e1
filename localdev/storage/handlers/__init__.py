"""One module per family of operations: from a request to its answer."""
