"""Events of Cloud Storage."""
