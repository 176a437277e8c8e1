"""The local cloud: storage emulator, event delivery, job runner, function host, demo."""
