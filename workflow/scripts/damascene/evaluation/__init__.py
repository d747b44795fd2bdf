"""Scores on labels and on the truth, and a closer look at mistakes; no later stage reads it."""
