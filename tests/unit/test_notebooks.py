"""The pages of the workshop as they are written: tidy, linked, and with something to do."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tools.tidy_notebooks import tidy

from damascene.config.study import Study
from damascene.workshop.book import read_rows
from damascene.workshop.markdown import headings, slug
from damascene.workshop.pages import ENDING, GLOSSARY, NOTEBOOKS, TOPICS, page_names

ROOT = Path(__file__).parents[2]
PAGES = page_names()
TERMS = [slug(term) for term in read_rows(GLOSSARY)["term"]]


def path_of(page):
    return NOTEBOOKS / f"{page}{ENDING}"


def cells_of(page, kind):
    cells = json.loads(path_of(page).read_text())["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == kind]


def text_of(page):
    return "\n\n".join(cells_of(page, "markdown"))


def links_of(page):
    return re.findall(r"\]\(([^)\s]+)\)", text_of(page))


def anchors_of(page):
    text = text_of(page)
    found = [anchor for level in (1, 2, 3) for anchor, _ in headings(text, level=level)]
    assert len(found) == len(set(found)), f"two headings of {page} have one anchor"
    return set(found)


def test_reading_the_rules_imports_nothing_that_makes_pages():
    """Every job reads them: it needs neither the time that this takes nor these packages."""
    rules = NOTEBOOKS.parent / "rules"
    text = "".join(path.read_text() for path in rules.rglob("*.smk"))
    modules = sorted(set(re.findall(r"from (damascene\.workshop[.\w]*) import", text)))
    assert "damascene.workshop.pages" in modules
    makers = ("nbformat", "latex2mathml", "ziamath", "mdit_py_plugins", "matplotlib", "keras")
    code = f"import sys, {', '.join(modules)}; print([n for n in {makers} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(NOTEBOOKS.parent / "scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_the_seven_pages_are_there():
    assert [page[0] for page in PAGES] == list("1234567")


@pytest.mark.parametrize("page", PAGES)
def test_a_notebook_holds_no_outputs_and_nothing_of_an_editor(page):
    text = path_of(page).read_text()
    assert tidy(text) == text, "run tools/tidy_notebooks.py"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_begins_with_its_title_and_ends_with_something_to_do(page):
    text = text_of(page)
    assert text.startswith("# ")
    assert [heading for _, heading in headings(text)][-2:] == ["Try it", "Question"]
    assert '<details class="answer"><summary>' in text.split("## Question")[1]


@pytest.mark.parametrize("page", PAGES)
def test_answers_are_closed(page):
    text = text_of(page)
    assert text.count("<details") == text.count("</details>") == text.count("<summary>")


@pytest.mark.parametrize("page", PAGES)
def test_things_to_try_name_keys_that_there_are(page):
    keys = Study().model_dump()
    part = text_of(page).split("## Try it")[1].split("## Question")[0]
    named = re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)(?::[^`]*)?`", part)
    assert len(named) >= 2, "name keys as `section.key` or `section.key: value`"
    for name in named:
        place = keys
        for step in name.split("."):
            assert step in place, name
            place = place[step]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_starts_and_ends_as_all_do(page):
    code = cells_of(page, "code")
    assert "page = start_page(snakemake)" in code[0]
    assert "page.write_numbers(" in code[-1]


@pytest.mark.parametrize("page", PAGES)
def test_cells_are_short(page):
    for cell in cells_of(page, "code"):
        assert len(cell.splitlines()) <= 25, cell


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for link in links_of(page):
        if link.startswith("https://"):
            continue
        target, _, anchor = link.partition("#")
        if target == "glossary.html":
            assert anchor in TERMS, link
        else:
            other = target.removesuffix(".html") or page
            assert other in PAGES, link
            assert not anchor or anchor in anchors_of(other), link


def test_the_glossary_is_in_order_and_each_term_is_linked():
    terms = list(read_rows(GLOSSARY)["term"])
    assert len(TERMS) == len(set(TERMS))
    assert terms == sorted(terms, key=str.lower)
    linked = {link.partition("#")[2] for page in PAGES for link in links_of(page)}
    assert not set(TERMS) - linked


def test_every_topic_has_a_place_or_a_reason():
    topics = read_rows(TOPICS)
    assert len(topics) > 60
    for row in topics.itertuples():
        assert row.topic
        if row.page:
            assert row.page in PAGES, row
            assert row.place in anchors_of(row.page), row
        else:
            assert row.note, row


@pytest.mark.parametrize("page", [*PAGES, "docs/workshop.md"])
def test_commands_are_whole_so_that_they_run_as_they_are_printed(page):
    text = text_of(page) if page in PAGES else (ROOT / page).read_text()
    commands = re.findall(r"[^`\s]*snakemake [^`\n]+", text)
    assert all(re.match(r"\.venv/bin/snakemake --cores (all|1) \S", each) for each in commands)
    for given in re.findall(r"--config '([^']+)'", text):
        section, value = given.split("=", 1)
        Study.model_validate({section: yaml.safe_load(value)})
