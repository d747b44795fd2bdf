"""The workshop: what its notebooks call, and how they become a book.

The pages themselves are `workflow/notebooks/*.py.ipynb`. A module here holds what a topic needs
beyond the rooms that do the research.
"""
