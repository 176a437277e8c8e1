"""From the bytes of a file, whatever its format, to a table of text cells."""
