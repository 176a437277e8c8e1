"""The five deployment tests of a champion, as verdicts on facts that others have gathered."""
