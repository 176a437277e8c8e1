"""Perennial: serverless continuous training for tabular data."""
