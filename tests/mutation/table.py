"""Every guard of the design that one edit can take away."""

from __future__ import annotations

from tests.mutation.guards import access, reading, registry, running, sizes, writing

MUTATIONS = (
    *writing.MUTATIONS,
    *registry.MUTATIONS,
    *running.MUTATIONS,
    *reading.MUTATIONS,
    *sizes.MUTATIONS,
    *access.MUTATIONS,
)
