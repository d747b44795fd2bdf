"""Review: which sites people should label next, and what they are shown of them."""

from pathlib import Path

#: What label sheets are made from, which no fingerprint of code holds.
SHEET_TEMPLATE = Path(__file__).with_name("sheet.html.j2")
