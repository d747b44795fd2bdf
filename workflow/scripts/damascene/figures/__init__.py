"""Figures from tables and images. Every function returns a matplotlib figure and writes nothing."""
