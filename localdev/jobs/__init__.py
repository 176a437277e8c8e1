"""Runs jobs, behind the part of the Cloud Run Admin API v2 that Perennial uses."""
