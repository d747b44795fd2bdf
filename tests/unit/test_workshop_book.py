"""Notebooks as pages: text, formulas, figures, tables, and what may not get into them."""

import re

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from damascene import InputError
from damascene.workshop import book as book_module
from damascene.workshop.book import book, chapter
from damascene.workshop.markdown import formula, formula_font, headings, slug, text_html
from damascene.workshop.show import figure_html, table_html


def write_notebook(folder, *cells):
    nbformat.write(new_notebook(cells=list(cells)), folder / "a.ipynb")
    return folder / "a.ipynb"


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Padding and stride", "padding-and-stride"),
        ("y = f(x, w)", "y-f-x-w"),
        ("k-means", "k-means"),
        ("  3 x 3?", "3-x-3"),
    ],
)
def test_anchors_are_plain(heading, anchor):
    assert slug(heading) == anchor
    assert f'id="{anchor}"' in text_html(f"## {heading}")


def test_formulas_become_mathml():
    page = text_html("A $y = f(x, w)$ and\n\n$$\\sum_{i=1}^n x_i$$\n")
    assert page.count("<math ") == 2 and 'display="block"' in page and "$" not in page
    assert 'alttext="y = f(x, w)"' in page
    # What stands in a formula is text.
    assert "<b>" not in formula('a < "b"', block=False).replace("<mo>", "")


def test_dollars_that_are_no_formula_stay():
    assert text_html("It costs 5 $ or 6 $ more.").count("$") == 2


def test_the_font_of_formulas_draws_large_brackets():
    rule = formula_font()
    assert rule.startswith("@font-face") and 50_000 < len(rule) < 500_000


def test_headings_are_found_with_their_anchors():
    text = "# Title\n\n## One *two*\n\ntext\n\n```\n## no heading\n```\n\n### deep\n\n## Three"
    assert headings(text) == [("one-two", "One two"), ("three", "Three")]
    assert headings(text, level=1) == [("title", "Title")]


def test_answers_unfold_and_hold_markdown():
    page = text_html(
        '<details class="answer"><summary>Why?</summary>\n\nBecause *so* it is.\n\n</details>'
    )
    assert "<details" in page and "<em>so</em>" in page and "</details>" in page


def test_a_figure_has_a_caption_and_a_description_as_text():
    figure, axes = plt.subplots()
    axes.plot([0, 1])
    page = figure_html(figure, caption="<b>1 & 2", description='a "line"')
    plt.close(figure)
    assert "&lt;b&gt;1 &amp; 2" in page and 'alt="a &quot;line&quot;"' in page
    assert "data:image/png;base64," in page


@pytest.mark.parametrize(("caption", "description"), [("", "a"), ("a", " ")])
def test_a_figure_without_words_is_refused(caption, description):
    figure = plt.figure()
    with pytest.raises(ValueError, match="needs a caption"):
        figure_html(figure, caption=caption, description=description)
    plt.close(figure)


def test_numbers_of_tables_are_short_and_text_is_text():
    table = pd.DataFrame(
        {
            "name": ["<script>", "b"],
            "count": [61_470, 2],
            "score": [0.123456, np.nan],
            "huge": [2.4e13, 1.5],
            "right": [True, False],
        }
    )
    page = table_html(table, caption="A & B")
    assert "<script>" not in page and "&lt;script&gt;" in page and "A &amp; B" in page
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", page)
    assert cells[:5] == ["&lt;script&gt;", "61,470", "0.123", "24,000,000,000,000", "True"]
    assert cells[5:] == ["b", "2", "–", "1.5", "False"]


def test_a_page_holds_text_code_and_what_came_out(tmp_path):
    path = write_notebook(
        tmp_path,
        new_markdown_cell("# A <title>\n\nFirst *paragraph*.\n\n## Part\n\nMore."),
        new_code_cell(
            "1 < 2",
            outputs=[
                new_output("stream", name="stdout", text="a < b\n"),
                new_output("stream", name="stderr", text="a warning"),
                new_output(
                    "display_data",
                    {"text/html": '<figure><img alt="x" src="data:,"></figure>', "text/plain": "y"},
                ),
            ],
        ),
        new_code_cell("secret = 1", metadata={"tags": ["snakemake-job-properties"]}),
        new_code_cell("long = 2", metadata={"tags": ["folded"]}),
    )
    page = chapter(path, name="1_a")
    assert page.sections == [("part", "Part")]
    assert page.teaser == "<p>First <em>paragraph</em>.</p>"
    assert page.picture == '<img alt="x" src="data:,">'
    assert "a &lt; b" in page.body and "warning" not in page.body and "secret" not in page.body
    assert "<summary>Code</summary>" in page.body


def test_text_that_came_in_pieces_is_printed_in_one(tmp_path):
    pieces = [new_output("stream", name="stdout", text=text) for text in ("958", " to learn", "\n")]
    path = write_notebook(tmp_path, new_markdown_cell("# A"), new_code_cell("f()", outputs=pieces))
    body = chapter(path, name="1_a").body
    assert body.count('class="out"') == 1 and "958 to learn\n</pre>" in body


def test_a_notebook_that_failed_is_no_page(tmp_path):
    failed = new_output("error", ename="ValueError", evalue="no sites", traceback=[])
    path = write_notebook(
        tmp_path, new_markdown_cell("# A"), new_code_cell("f()", outputs=[failed])
    )
    with pytest.raises(InputError, match="ended with ValueError: no sites"):
        chapter(path, name="1_a")


def test_a_missing_or_damaged_notebook_is_told(tmp_path):
    with pytest.raises(InputError, match="--forcerun run_workshop_page"):
        chapter(tmp_path / "none.ipynb", name="1_a")
    (tmp_path / "a.ipynb").write_text("{")
    with pytest.raises(InputError, match="--forcerun run_workshop_page"):
        chapter(tmp_path / "a.ipynb", name="1_a")


def test_a_notebook_without_a_title_is_told(tmp_path):
    with pytest.raises(InputError, match="no title"):
        chapter(write_notebook(tmp_path, new_markdown_cell("text")), name="1_a")


def test_the_book_joins_pages_and_names_of_users_are_text(tmp_path, monkeypatch):
    (tmp_path / "glossary.tsv").write_text("term\tmeaning\nfilter\tA *small* table.\n")
    (tmp_path / "topics.tsv").write_text(
        "topic\tpage\tplace\tnote\nStride\t2_b\tpart\t\nSpam\t\t\tno image\n"
    )
    monkeypatch.setattr(book_module, "read_rows", lambda name: READ(name, folder=tmp_path))
    path = write_notebook(tmp_path, new_markdown_cell("# A\n\nText.\n\n## Part"))
    pages = book(
        [chapter(path, name="1_a"), chapter(path, name="2_b")], study="<i>s</i>", origin="<u>p</u>"
    )
    assert set(pages) == {"index.html", "1_a.html", "2_b.html", "glossary.html", "topics.html"}
    assert "&lt;i&gt;s&lt;/i&gt;" in pages["index.html"] and "<u>p" not in pages["index.html"]
    assert 'rel="next" href="2_b.html"' in pages["1_a.html"]
    assert 'rel="prev"' not in pages["1_a.html"] and 'rel="prev"' in pages["2_b.html"]
    assert 'id="filter"' in pages["glossary.html"] and "<em>small</em>" in pages["glossary.html"]
    assert 'href="2_b.html#part"' in pages["topics.html"] and "left out" in pages["topics.html"]
    assert all("<script" not in page for page in pages.values())


READ = book_module.read_rows
