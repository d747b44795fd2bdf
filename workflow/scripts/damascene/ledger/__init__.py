"""Ledger: published numbers beside those that this workflow gets from the same data."""

from pathlib import Path

#: The files of published numbers that come with the workflow.
SHIPPED = Path(__file__).parents[4] / "resources/publications"
