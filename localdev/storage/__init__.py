"""A small Cloud Storage emulator: the JSON API as ``google-cloud-storage`` calls it.

A request goes through ``server`` (uvicorn), ``app`` and ``routing`` to one of the ``handlers``.
Those read through ``engine``, or change things by ``commits``: conditions, generation, row, event
and bytes in one SQLite transaction. ``process`` runs the whole as a child process.

Not emulated: access control, encryption keys, retention and holds, soft delete, lifecycle,
notifications to Pub/Sub, the XML and gRPC interfaces. What a bucket says of these, and its IAM
policy, is kept and has no effect.
"""
