"""A small Cloud Storage emulator: the JSON API as ``google-cloud-storage`` calls it."""
