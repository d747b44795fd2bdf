"""Counts, densities and sizes of sites, with intervals, and their comparison with a known truth."""
