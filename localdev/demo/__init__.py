"""The built-in flower shop, and the main job told on it week by week."""
