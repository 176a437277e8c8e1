"""Delivers the emulator's events to the ingest function as Eventarc does."""
