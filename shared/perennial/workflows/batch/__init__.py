"""Static inference: files that are scored once, and their predictions kept."""
