"""Versions and which one serves: the registry's state, manifests, lineage, what can befall them."""
