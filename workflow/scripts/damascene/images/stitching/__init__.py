"""Overlapping frames: read their list, register them against each other, blend them."""
