"""Counts corrected for what the detector misses and for what the networks confuse."""
