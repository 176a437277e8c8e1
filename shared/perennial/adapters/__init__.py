"""Implementations of the ports: Cloud Storage, memory, Cloud Run jobs, model codec."""
