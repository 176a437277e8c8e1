"""Whether a gate tells worse models from better ones, where it is known which is which."""
