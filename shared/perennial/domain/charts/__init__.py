"""Charts as inline SVG that needs no script: pure functions from data to a picture and its table.

A chart is as wide as its place: what lies across is in percent, what lies up in pixels, so that
text keeps its size and lines keep their width on a phone as on a desk. Colours come from the
classes of `style.py`, and nothing is styled inline, which a strict content security policy forbids.
"""
