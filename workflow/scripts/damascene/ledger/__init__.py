"""Ledger: published numbers beside those that this workflow gets from the same data."""
