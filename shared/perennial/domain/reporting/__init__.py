"""A pipeline's report: one page that can be mailed and printed."""
