"""Take out of notebooks what an editor leaves there: outputs, numbers of executions, its own notes.

Run it after a notebook was changed: `.venv/bin/python tools/tidy_notebooks.py`.
"""

import sys
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).parents[1] / "workflow/notebooks"
#: What the workflow engine and a kernel need to know.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def tidy(text: str) -> str:
    """Return a notebook without anything that running it, or an editor, adds."""
    notebook = nbformat.reads(text, as_version=4)
    notebook.metadata = METADATA
    for number, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags", [])
        cell.metadata = {"tags": tags} if tags else {}
        # Ids that count change no more than the cells do.
        cell.id = f"cell-{number}"
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return nbformat.writes(notebook).rstrip("\n") + "\n"


if __name__ == "__main__":
    for path in [Path(name) for name in sys.argv[1:]] or sorted(NOTEBOOKS.glob("*.ipynb")):
        path.write_text(tidy(path.read_text(encoding="utf-8")), encoding="utf-8")
