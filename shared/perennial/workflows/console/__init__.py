"""What the console's pages show, gathered for them; nothing here knows HTML."""
