"""Pure rules and computations: no I/O, no clock, no environment."""
