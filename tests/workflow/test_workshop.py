"""The book of the workshop, made from whole studies and opened in a browser from disk."""

import re

import nbformat
import numpy as np
import pandas as pd
import pytest
import skimage.io

from damascene.workshop.pages import page_names
from tests.browser.conftest import address, browser, context  # noqa: F401
from tests.studies import SMALL, SMALL_ROWS, Study

PAGES = page_names()
EVERY = [*PAGES, "index", "glossary", "topics"]
#: Smaller than by default, so that the pages are quick.
QUICK = {"workshop": {"cut": 512, "epochs": 4}}
WIDTHS = (1500, 390)


@pytest.fixture(scope="module")
def taught(small_study, tmp_path_factory):
    """The book of a small simulated study with labels."""
    study = small_study.copied(tmp_path_factory.mktemp("taught") / "study").configure(
        SMALL | {"denoise": {"method": "gaussian"}} | QUICK, *SMALL_ROWS
    )
    return study.finish("workshop")


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The book of a study of one empty image, without labels or phases, on a picture in colour."""
    folder = tmp_path_factory.mktemp("bare")
    rng = np.random.default_rng(4)
    skimage.io.imsave(folder / "steel.png", rng.normal(150, 4, (400, 500)).astype(np.uint8))
    colour = rng.integers(0, 255, (20, 24, 3), dtype=np.uint8).repeat(10, 0).repeat(10, 1)
    skimage.io.imsave(folder / "holiday.jpg", colour, quality=95)
    study = Study(folder).configure(
        {
            "segmentation": {"method": "none"},
            "workshop": QUICK["workshop"] | {"image": "holiday.jpg"},
        },
        "a<b>\tsteel.png\t\t40\t0".replace("<b>", "b"),
    )
    return study.finish("workshop")


STUDIES = ("taught", "bare")


@pytest.fixture(params=STUDIES)
def book(request):
    return request.getfixturevalue(request.param)


def executed(study, page):
    return nbformat.read(study.path(f"workshop/notebooks/{page}.ipynb"), as_version=4)


def html(study, page):
    return study.path(f"workshop/{page}.html").read_text()


@pytest.mark.parametrize("page", PAGES)
def test_no_cell_complains(book, page):
    """A warning of a library is for us: a learner would take it for a mistake of theirs."""
    for cell in executed(book, page).cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_figures_with_captions_and_descriptions(book, page):
    text = html(book, page)
    figures = re.findall(r"<figure>(.*?)</figure>", text, flags=re.DOTALL)
    assert len(figures) >= 2
    for figure in figures:
        description = re.search(r'alt="([^"]*)"', figure)[1]
        caption = re.search(r"<figcaption>(.*?)</figcaption>", figure, flags=re.DOTALL)[1]
        assert len(description.split()) >= 5 and len(caption.split()) >= 5
        # A value that was not put into the text.
        assert not re.search(r"\bnan\b|\{|\}", caption + description), caption


@pytest.mark.parametrize("page", PAGES)
def test_a_page_tells_numbers(book, page):
    numbers = pd.read_csv(book.path(f"workshop/numbers/{page}.tsv"), sep="\t")
    assert len(numbers) and numbers["quantity"].is_unique


def test_the_numbers_worked_out_by_hand(taught):
    table = pd.read_csv(taught.path("workshop/numbers/3_convolution.tsv"), sep="\t")
    numbers = dict(zip(table["quantity"], table["value"], strict=True))
    by_hand = {"curve_on_its_curve": 6600, "curve_elsewhere": 0, "three_channels_and_bias": -25}
    by_hand |= {"edge_of_7_with_stride_1": 5, "edge_of_7_with_stride_2": 3, "nine_of_9": 2}
    for name, rows in (
        ("convolved", [[4, 3, 4], [2, 4, 3], [2, 3, 4]]),
        ("pooled", [[8, 9], [3, 2]]),
        ("loopy", [[-1 / 9, 1, -1 / 9], [-5 / 9, 1 / 9, -3 / 9]]),
        ("shifted_pooled", [[1, 0], [1 / 3, 0], [1 / 3, 0], [0, 0]]),
    ):
        for (row, column), value in np.ndenumerate(rows):
            by_hand[f"{name}_{row + 1}_{column + 1}"] = value
    assert {name: numbers[name] for name in by_hand} == pytest.approx(by_hand)


def test_links_and_pictures_are_in_the_book(book):
    anchors = {page: set(re.findall(r'\bid="([^"]+)"', html(book, page))) for page in EVERY}
    for page in EVERY:
        for link in re.findall(r'\b(?:href|src)="([^"]+)"', html(book, page)):
            if link.startswith(("data:", "https://")):
                continue
            target, _, anchor = link.partition("#")
            target = target.removesuffix(".html") or page
            assert target in EVERY, (page, link)
            assert not anchor or anchor in anchors[target], (page, link)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_opens_from_disk_and_fits_the_screen(taught, context, address, width):  # noqa: F811
    view = context.new_page()
    view.set_viewport_size({"width": width, "height": 900})
    for page in EVERY:
        view.goto(address(taught.path(f"workshop/{page}.html")))
        assert view.evaluate("document.documentElement.scrollWidth") <= width, page
        # Captions are whole, also of what is wider than the screen and scrolls.
        captions = "[...document.querySelectorAll('caption, figcaption')]"
        ends = f"{captions}.map(each => each.getBoundingClientRect().right)"
        assert max(view.evaluate(ends), default=0) <= width, page
        # Every picture is drawn.
        broken = "[...document.images].filter(each => !each.naturalWidth).length"
        assert view.evaluate(broken) == 0, page


def test_answers_unfold_and_links_lead_on(taught, context, address):  # noqa: F811
    view = context.new_page()
    view.goto(address(taught.path("workshop/index.html")))
    view.get_by_role("link", name=re.compile("^Skip")).wait_for(state="attached")
    for page in PAGES:
        view.goto(address(taught.path(f"workshop/{page}.html")))
        answer = view.locator("details.answer").last
        summary = answer.locator("summary")
        assert not answer.locator("p").first.is_visible()
        summary.focus()
        view.keyboard.press("Enter")
        assert answer.locator("p").first.is_visible()
    view.locator("a[href^='glossary.html#']").first.click()
    assert "glossary.html#" in view.url
    assert view.locator("dt:target").is_visible()


def test_sections_without_data_say_so(bare):
    said = html(bare, "5_with_labels") + html(bare, "7_steel")
    assert "label" in said and "docs/labelling.md" in said


def test_the_book_is_the_same_when_made_again(taught):
    before = {page: html(taught, page) for page in EVERY}
    numbers = {page: taught.path(f"workshop/numbers/{page}.tsv").read_bytes() for page in PAGES}
    executed = taught.path("workshop/numbers/1_learning.executed.txt").read_text()
    taught.finish("--forcerun", "run_workshop_page", "--", "workshop")
    assert taught.path("workshop/numbers/1_learning.executed.txt").read_text() != executed
    for page in PAGES:
        again = taught.path(f"workshop/numbers/{page}.tsv").read_bytes()
        assert again == numbers[page], page
    assert {page: html(taught, page) for page in EVERY} == before


def test_a_missing_picture_is_told_before_any_work(study):
    study.configure({"workshop": {"image": "none.png"}}, "a\tsimulated\t\t40\t0")
    done = study.run("workshop")
    assert done.returncode and "none.png does not exist" in done.stdout
    assert not study.path("panoramas").exists()
