"""Arithmetic on units, Earth and time. Knows nothing of ships."""
