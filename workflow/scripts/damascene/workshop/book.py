"""The book of the workshop: executed notebooks as pages that open from disk."""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import jinja2
import nbformat
import pandas as pd
from nbformat.v4 import new_output
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from damascene import InputError
from damascene.workshop.markdown import formula_font, headings, slug, text_html
from damascene.workshop.pages import FOLDER, GLOSSARY, NOTEBOOKS, STYLE, TEMPLATE, TOPICS

# Cells that the workflow engine put in.
_PREAMBLE = "snakemake-job-properties"
_FIRST_PICTURE = re.compile(r"<img [^>]*>")


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A page of the book.

    Attributes
    ----------
    name : str
        File name without ending; begins with the number of the page.
    title : str
    teaser : str
        Its first paragraph, as HTML.
    sections : list of (anchor, heading)
    body : str
        HTML.
    picture : str
        Its first picture as an element of HTML, empty if it has none.
    """

    name: str
    title: str
    teaser: str
    sections: list[tuple[str, str]]
    body: str
    picture: str


def chapter(path: str | Path, *, name: str) -> Chapter:
    """Return an executed notebook as a page.

    Parameters
    ----------
    path : path
        Notebook with its outputs.
    name : str
        Of the page.

    Raises
    ------
    InputError
        If the notebook is missing or cannot be read, has an error among its outputs or no title.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.validator.NotebookValidationError) as error:
        raise InputError(
            f"The executed notebook {path} is missing or cannot be read: {error}. Run again with "
            "'--forcerun run_workshop_page'."
        ) from error
    cells = [cell for cell in notebook.cells if _PREAMBLE not in cell.metadata.get("tags", [])]
    texts = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    titles = headings(texts, level=1)
    if not titles:
        raise InputError(f"The notebook {path} has no title: begin its first cell with '# '.")
    body = "\n".join(_cell_html(cell, path) for cell in cells)
    paragraph = re.search(r"<p>.*?</p>", body, flags=re.DOTALL)
    picture = _FIRST_PICTURE.search(body)
    return Chapter(
        name=name,
        title=titles[0][1],
        teaser=paragraph[0] if paragraph else "",
        sections=headings(texts),
        body=body,
        picture=picture[0] if picture else "",
    )


def _cell_html(cell, path):
    if cell.cell_type == "markdown":
        return text_html(cell.source)
    if not cell.source.strip():
        return ""
    code = highlight(cell.source, PythonLexer(), HtmlFormatter(nowrap=True))
    code = f'<pre class="code" tabindex="0"><code>{code}</code></pre>'
    if "folded" in cell.metadata.get("tags", []):
        code = f"<details><summary>Code</summary>{code}</details>"
    return code + "".join(_output_html(output, path) for output in _joined(cell.outputs))


def _joined(outputs):
    """Return outputs with printed text in one piece, which the kernel sends in several at times."""
    joined = []
    for output in outputs:
        before = joined[-1] if joined else None
        streams = before is not None and before.output_type == output.output_type == "stream"
        if streams and before.name == output.name:
            joined[-1] = new_output("stream", name=output.name, text=before.text + output.text)
        else:
            joined.append(output)
    return joined


def _output_html(output, path):
    if output.output_type == "error":
        raise InputError(f"The notebook {path} ended with {output.ename}: {output.evalue}.")
    if output.output_type == "stream":
        # What libraries remark is no part of the lesson; tests look at it.
        return _printed(output.text) if output.name == "stdout" else ""
    if "text/html" in output.data:
        return output.data["text/html"]
    return _printed(output.data.get("text/plain", ""))


def _printed(text):
    return f'<pre class="out" tabindex="0">{html.escape(text)}</pre>' if text.strip() else ""


def read_rows(name: str, *, folder: Path = NOTEBOOKS) -> pd.DataFrame:
    """Return the glossary or the table of topics; all its cells are text."""
    lines = [line.split("\t") for line in _text(folder / name).splitlines() if line.strip()]
    return pd.DataFrame(lines[1:], columns=lines[0])


def book(chapters: Iterable[Chapter], *, study: str, origin: str) -> dict[str, str]:
    """Return all files of the book: name -> HTML.

    Parameters
    ----------
    chapters : iterable of Chapter
        In their order.
    study : str
        Name of the study.
    origin : str
        What the pages look at.
    """
    chapters = list(chapters)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, undefined=jinja2.StrictUndefined
    )
    template = environment.get_template(TEMPLATE)
    colours = HtmlFormatter(style="friendly").get_style_defs(".code")
    style = "\n".join([formula_font(), _text(FOLDER / STYLE), colours])
    names = [each.name for each in chapters]

    def page(name, title, **content):
        at = names.index(name) if name in names else None
        return template.render(
            name=name,
            title=title,
            chapters=chapters,
            study=study,
            origin=origin,
            style=style,
            before=chapters[at - 1] if at else None,
            after=chapters[at + 1] if at is not None and at + 1 < len(names) else None,
            **({"body": "", "index": False, "glossary": None, "topics": None} | content),
        )

    glossary = [(slug(row.term), row.term, text_html(row.meaning)) for row in _rows(GLOSSARY)]
    titles = {each.name: each.title for each in chapters}
    topics = [(row, titles.get(row.page, "")) for row in _rows(TOPICS)]
    return {
        "index.html": page("index", "Learning micrograph analysis", index=True),
        **{f"{each.name}.html": page(each.name, each.title, body=each.body) for each in chapters},
        "glossary.html": page("glossary", "Glossary", glossary=glossary),
        "topics.html": page("topics", "Where each topic is", topics=topics),
    }


def _rows(name):
    return read_rows(name).itertuples()


def _text(path):
    return path.read_text(encoding="utf-8")
