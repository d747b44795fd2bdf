"""Where the pages of the workshop are written, and what the book is made from beside them.

Every job reads the rules, and with them this module: it imports nothing that makes pages.
"""

from pathlib import Path

#: Where the pages are written.
NOTEBOOKS = Path(__file__).parents[3] / "notebooks"
ENDING = ".py.ipynb"
#: How their kernel is started: its remarks are no part of a lesson.
KERNELS = NOTEBOOKS / "jupyter"
GLOSSARY, TOPICS = "glossary.tsv", "topics.tsv"
#: Folder of the template and the style.
FOLDER = Path(__file__).parent
TEMPLATE, STYLE = "page.html.j2", "style.css"


def page_names(folder: Path = NOTEBOOKS) -> list[str]:
    """Return the names of the pages in their order."""
    return sorted(path.name.removesuffix(ENDING) for path in folder.glob(f"*{ENDING}"))


def book_sources(folder: Path = NOTEBOOKS) -> list[Path]:
    """Return the files beside the notebooks from which the book is made."""
    return [folder / GLOSSARY, folder / TOPICS, FOLDER / TEMPLATE, FOLDER / STYLE]
