"""The review gallery, used as a person uses it: by keyboard, with reloads, tabs and files."""

import io
import re

import numpy as np
import pandas as pd
import pytest
from pandera.dtypes import is_string
from PIL import Image

from damascene.clips.place_marks import is_same_place, mark_of_place
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.labels import ANSWER_LETTERS
from damascene.contracts.review_labels import REVIEW_LABELS
from damascene.contracts.sites import PREDICTIONS
from damascene.contracts.table import check_table
from damascene.images.store import TiledImage, write_all_valid, write_tiled
from damascene.review.clips import queue_for_page, review_sites, write_for_page
from damascene.viewer.page import write_page
from damascene.viewer.study import class_marks

NAME, HOSTILE = "Zoë <b>A</b>", "<script>document.title = 'caught'</script>"
PIXEL_NM, SHAPE = 40.0, (700, 1000)
#: Sites, more than one script of clips holds.
COUNT = 60
CONTRADICTED = (1, 5, 9)
#: Sites that the study has labels of.
LABELS = {"notch": 12, "inclusion": 3}


def made_sites():
    """Return black sites of 12 x 10 pixels in rows."""
    number = np.arange(COUNT)
    left, top = 40 + 90 * (number % 10), 40 + 100 * (number // 10)
    table = pd.DataFrame({name: 0 for name in PREDICTIONS.columns}, index=number)
    return table.assign(
        panorama="steel_a",
        site_id=number,
        left_px=left,
        top_px=top,
        width_px=12,
        height_px=10,
        x_px=left + 5.5,
        y_px=top + 4.5,
        fragments=1,
        area_px=120,
        area_um2=0.2,
        equivalent_diameter_um=0.5,
        aspect_ratio=1.2,
        orientation_deg=0.0,
        convexity=1.0,
        mean_grey=0.0,
        minimum_grey=0.0,
        touches_border=False,
        touches_mask=False,
        p_inclusion=0.1,
        p_notch=0.7,
        p_interface=0.3,
        p_shadowing=0.0,
        p_martensite=0.0,
        predicted_class="notch",
        confidence=np.nan,
        prediction_set="",
    )


def write_review(folder, *, count=COUNT, classified=True):
    """Write the page of a study of one panorama with its queue, and return its path."""
    sites = made_sites()
    pixels = np.random.default_rng(0).integers(120, 200, SHAPE, dtype=np.uint8)
    for site in sites.itertuples():
        rows, columns = slice(site.top_px, site.top_px + 10), slice(site.left_px, site.left_px + 12)
        pixels[rows, columns] = 0
    write_tiled(folder / "a.tif", [pixels], shape=SHAPE, name="steel_a", pixel_size_nm=PIXEL_NM)
    write_all_valid(folder / "v.tif", shape=SHAPE, name="steel_a", pixel_size_nm=PIXEL_NM)
    contract = PREDICTIONS if classified else CANDIDATES
    sites[list(contract.columns)].to_parquet(folder / "sites.parquet")
    drawn = np.array(["random", "set", "balance", "far"], object)[np.arange(count) % 4]
    drawn[[each for each in CONTRADICTED if each < count]] = "disagreement"
    order = pd.DataFrame(
        {
            "rank": np.arange(1, count + 1),
            "panorama": "steel_a",
            "site_id": np.arange(count),
            "drawn_by": drawn,
            "reason": f"for the reason {HOSTILE}",
        }
    )
    table, clips = review_sites(
        order,
        panoramas=["steel_a"],
        sites=[folder / "sites.parquet"],
        images=[folder / "a.tif"],
        imported=[folder / "a.tif"],
        masks=[folder / "v.tif"],
        classified=classified,
    )
    said = [("bob", "notch"), (HOSTILE, "inclusion")]
    answers = pd.DataFrame(
        [
            ("steel_a", each, *one, True, "2026-01-31T10:00:00Z")
            for each in CONTRADICTED
            for one in said
        ],
        columns=["panorama", "site_id", "annotator", "answer", "counts", "time"],
    )
    model = "0123456789ab" if classified else ""
    queue = queue_for_page(table, clips, answers, labels=LABELS, model=model)
    write_for_page(folder / "review", queue, clips)
    return write_index(folder)


def write_index(folder):
    """Write the page alone."""
    about = {"panorama": "steel_a", "width_px": SHAPE[1], "height_px": SHAPE[0]}
    study = {
        "study": f"steel {HOSTILE}",
        "version": "1",
        "classes": class_marks(),
        "letters": ANSWER_LETTERS,
        "panoramas": [about | {"pixel_size_nm": PIXEL_NM, "counts": {}, "warnings": []}],
    }
    path = folder / "index.html"
    path.write_text(write_page(study), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the page of a study whose networks have spoken."""
    return write_review(tmp_path_factory.mktemp("viewer"))


@pytest.fixture
def gallery(context, made, address):
    """Return a function that opens the gallery under a name."""

    def opened(name=NAME, path=made):
        page = context.new_page()
        page.goto(address(path, "review"))
        page.fill("#annotator", name)
        page.keyboard.press("Enter")
        page.wait_for_selector(".large img[src], .grid img[src]")
        return page

    return opened


def reloaded(page):
    """Load the page again, and wait for the gallery."""
    page.reload()
    page.wait_for_selector(".large img[src], .grid img[src]")


def place(page):
    """Return which site of the queue is looked at, from 1."""
    return int(page.inner_text(".about strong").split(" of ")[0])


def own(page):
    """Return the answer that the page shows for this site."""
    return page.inner_text(".own").removeprefix("Your answer: ").strip()


def downloaded(page):
    """Return the label file and its name, checked against the contract."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    name, text = waiting.value.suggested_filename, waiting.value.path().read_text("utf-8")
    table = pd.read_csv(io.StringIO(text), sep="\t", keep_default_na=False, dtype=str)
    assert list(table.columns) == list(REVIEW_LABELS.columns)
    numbers = [
        each for each, column in REVIEW_LABELS.columns.items() if not is_string(column.dtype)
    ]
    table[numbers] = table[numbers].apply(pd.to_numeric)
    return name, check_table(table, REVIEW_LABELS, source=name)


def test_sites_are_labelled_by_single_keys_and_a_reload_keeps_them(gallery):
    page = gallery()
    for letter in ANSWER_LETTERS:
        page.keyboard.press(letter)
    assert place(page) == 7
    reloaded(page)
    # It is known who answers.
    assert place(page) == 7
    for _ in ANSWER_LETTERS:
        page.keyboard.press("ArrowLeft")
    assert place(page) == 1
    for label in ANSWER_LETTERS.values():
        assert own(page) == label
        page.keyboard.press("ArrowRight")
    assert own(page) == "none yet"


def test_undo_takes_answers_back_one_after_the_other(gallery):
    page = gallery()
    for letter in "mnd":
        page.keyboard.press(letter)
    page.keyboard.press("z")
    assert place(page) == 3 and own(page) == "none yet"
    reloaded(page)
    page.keyboard.press("Backspace")
    assert place(page) == 2 and own(page) == "none yet"
    # An answer that was changed comes back as it was.
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("i")
    page.keyboard.press("z")
    assert place(page) == 1 and own(page) == "martensite"
    _, table = downloaded(page)
    assert table[["site_id", "label"]].to_numpy().tolist() == [[0, "martensite"]]


def test_the_file_says_all_that_the_project_wants_to_know(gallery, made):
    page = gallery()
    page.keyboard.press("m")
    page.keyboard.press("p")
    page.keyboard.press("u")
    name, table = downloaded(page)
    assert re.fullmatch(r"labels_Zoe_b_A_b_\d{8}T\d{6}Z\.tsv", name)
    sites = made_sites()
    assert table["annotator"].tolist() == [NAME] * 2 and table["label"].tolist() == [
        "martensite",
        "unclear",
    ]
    for column in ("site_id", "x_px", "y_px", "left_px", "top_px", "width_px", "height_px"):
        assert table[column].tolist() == sites[column].head(2).tolist(), column
    assert table["drawn_by"].tolist() == ["random", "disagreement"]
    # By its pixels an answer knows its image again.
    with TiledImage(made.parent / "a.tif") as image:
        at = sites[["x_px", "y_px"]].head(2).to_numpy()
        assert table["image"].tolist() == [mark_of_place(image, x, y) for x, y in at]
        assert all(is_same_place(image, x, y, mark=table["image"][0]) for x, y in at[:1])
    assert table["model"].tolist() == ["0123456789ab"] * 2
    # What the networks say was seen by the second answer alone.
    assert table["previous_label"].tolist() == ["", "notch"]
    assert table["decides"].tolist() == ["", ""]
    assert (
        table["time"].is_monotonic_increasing
        and table["time"].str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z").all()
    )
    assert table.loc[0, ["image_width_px", "image_height_px", "pixel_size_nm"]].tolist() == [
        1000,
        700,
        40,
    ]


def test_a_note_is_text_in_the_page_and_in_the_file(gallery):
    page = gallery()
    page.keyboard.press("c")
    # Letters of classes are letters here, and a tab or a line break would end the cell.
    page.locator("#note").fill(f"mdn {HOSTILE}\tand\ttabs")
    page.keyboard.press("Enter")
    assert own(page) == "none yet"
    page.keyboard.press("n")
    _, table = downloaded(page)
    assert table["note"].tolist() == [f"mdn {HOSTILE} and tabs"]
    reloaded(page)
    page.keyboard.press("ArrowLeft")
    assert page.input_value("#note") == f"mdn {HOSTILE} and tabs"
    page.keyboard.press("p")
    assert f"for the reason {HOSTILE}" in page.inner_text(".about")
    assert "caught" not in page.title().replace(HOSTILE, "")
    assert page.evaluate("document.querySelectorAll('#view script, #view b').length") == 0


def test_a_note_is_written_to_the_site_that_was_just_labelled(gallery):
    page = gallery()
    assert page.locator(".latest").count() == 0
    page.keyboard.press("m")
    assert "Answered just now: site 1," in page.inner_text(".latest")
    page.keyboard.press("x")
    page.keyboard.type("mdn to the first")
    page.keyboard.press("Enter")
    # The page stays where it was, and the next letter is an answer again.
    assert place(page) == 2
    page.keyboard.press("n")
    assert "Answered just now: site 2," in page.inner_text(".latest")
    _, table = downloaded(page)
    assert table[["label", "note"]].to_numpy().tolist() == [
        ["martensite", "mdn to the first"],
        ["notch", ""],
    ]
    # What is undone is the answer, and never a note.
    page.keyboard.press("x")
    page.keyboard.type("second")
    page.keyboard.press("Escape")
    page.locator(".latest").get_by_role("button", name="Undo").click()
    assert place(page) == 2 and own(page) == "none yet"
    assert page.input_value("#note") == "second" and page.locator(".latest").count() == 0
    page.keyboard.press("z")
    assert place(page) == 1 and page.input_value("#note") == "mdn to the first"


def test_the_counts_say_whose_labels_they_are(gallery):
    page = gallery()

    def counts(label):
        row = page.locator(".progress tr", has_text=label).first
        return row.locator("td.n").all_inner_texts()

    assert counts("notch") == ["0", "12 of 30"] and counts("martensite") == ["0", "0 of 30"]
    page.keyboard.press("n")
    assert counts("notch") == ["1", "13 of 30"]
    # Site 2 has answers in the study, so that one more is no further labelled site.
    page.keyboard.press("n")
    assert counts("notch") == ["2", "13 of 30"]
    assert "the 15 labelled sites that the study had" in page.inner_text(".progress")
    page.keyboard.press("u")
    assert counts("unclear") == ["1", ""]


def test_nothing_tells_what_the_networks_say_before_one_asks(gallery):
    page = gallery()
    page.evaluate("damascene.views.review.keys.find(([key]) => key === 'o')[2]()")
    for _ in range(8):
        text = page.inner_text("#view .work .about")
        assert "notch" not in text and "few" not in text and "70 %" not in text
        page.keyboard.press("j")
    page.keyboard.press("p")
    assert "The networks say notch" in page.inner_text(".about")


def test_one_panel_shows_the_keys_of_all_views_and_none_has_two_meanings(gallery):
    page = gallery()
    page.keyboard.press("?")
    groups = page.locator("#help section h3").all_inner_texts()
    assert groups[:2] == ["Review", "Everywhere"] and set(groups[2:]) == {"Panoramas", "Map"}
    assert "martensite" in page.inner_text("#help") and "phase map" in page.inner_text("#help")
    told = page.evaluate(
        "Object.values(damascene.views).map((v) => v.keys.map(([key, what]) => [key, what]))"
    )
    meanings = {}
    for view in told:
        for key, what in view:
            meanings.setdefault(key, set()).add(what)
    alike = {
        "j": {"next site of the filter", "next site"},
        "k": {"site before"},
        "w": {
            "save the sites of the filter as a table (TSV)",
            "download your answers as a label file (TSV)",
        },
        # Arrows move, and what "/" seeks stands in one view alone.
        "/": {"seek a panorama by its name", "type the number of a site"},
        **{
            f"Arrow{way}": {f"move {way.lower()}", there}
            for way, there in (
                ("Left", "site before"),
                ("Right", "next site"),
                ("Up", "row above, in the grid"),
                ("Down", "row below, in the grid"),
            )
        },
    }
    for key, said in meanings.items():
        assert len(said) == 1 or said == alike[key], (key, said)


def test_frames_of_sites_at_a_border_stay_within_their_clips(gallery):
    page = gallery()
    page.evaluate(
        "damascene.data.load('review/queue.js').then((queue) => {"
        " const [left, top, edge] = queue.window[0];"
        " queue.left_px[0] = left; queue.width_px[0] = edge;"
        " queue.top_px[0] = top + edge - 10; queue.height_px[0] = 10; })"
    )
    page.keyboard.press("j")
    page.keyboard.press("k")
    frame = page.locator(".large .outline").bounding_box()
    clip = page.locator(".large .clip").bounding_box()
    assert frame["x"] >= clip["x"] and frame["y"] > clip["y"]
    for start, length in (("x", "width"), ("y", "height")):
        assert frame[start] + frame[length] <= clip[start] + clip[length] + 0.01
    assert frame["width"] == pytest.approx(clip["width"])


def test_each_person_answers_for_themselves(gallery):
    page = gallery()
    page.keyboard.press("m")
    page.get_by_role("button", name="Somebody else").click()
    page.fill("#annotator", "eve")
    page.keyboard.press("Enter")
    assert place(page) == 1 and own(page) == "none yet"
    page.keyboard.press("n")
    assert downloaded(page)[1]["label"].tolist() == ["notch"]
    page.get_by_role("button", name="Somebody else").click()
    page.get_by_role("button", name=NAME).click()
    assert downloaded(page)[1]["label"].tolist() == ["martensite"]
    # Nothing of what others said sways an answer.
    page.keyboard.press("ArrowRight")
    assert "bob" not in page.inner_text("#view")


def test_contradictions_are_decided_by_one_who_sees_what_was_said(gallery):
    page = gallery()
    # An answer of one's own, given as one of many, decides nothing.
    page.keyboard.press("ArrowRight")
    page.keyboard.press("n")
    page.select_option("#queue", "contradictions")
    assert place(page) == 1 and own(page) == "none yet"
    assert page.inner_text(".about strong").endswith(f"of {len(CONTRADICTED)}")
    shown = page.inner_text(".about")
    assert "bob: notch (2026-01-31)" in shown and f"{HOSTILE}: inclusion" in shown
    assert "The networks say notch" in shown
    page.keyboard.press("i")
    _, table = downloaded(page)
    # The blind answer stays beside the one that decides, which says what was said before.
    assert table[["site_id", "label", "decides", "previous_label"]].to_numpy().tolist() == [
        [CONTRADICTED[0], "notch", "", ""],
        [CONTRADICTED[0], "inclusion", "yes", "notch"],
    ]
    page.keyboard.press("z")
    assert place(page) == 1 and own(page) == "none yet"
    _, table = downloaded(page)
    assert table[["label", "decides"]].to_numpy().tolist() == [["notch", ""]]


def test_answers_on_another_image_of_the_same_name_are_left_aside(gallery):
    page = gallery()
    page.keyboard.press("m")
    page.keyboard.press("n")
    page.evaluate(
        """() => {
          const key = Object.keys(localStorage)[0], held = JSON.parse(localStorage.getItem(key));
          held.rows["steel_a 45.5 44.5"].image_width_px = 999;
          localStorage.setItem(key, JSON.stringify(held));
        }"""
    )
    reloaded(page)
    assert downloaded(page)[1]["label"].tolist() == ["notch"]


def test_the_random_part_can_be_labelled_alone(gallery):
    page = gallery()
    page.select_option("#queue", "random")
    for _ in range(4):
        page.keyboard.press("s")
    _, table = downloaded(page)
    assert set(table["drawn_by"]) == {"random"} and table["site_id"].tolist() == [0, 4, 8, 12]


def test_two_tabs_of_one_person_lose_nothing(gallery, context):
    first, second = gallery(), gallery()
    first.keyboard.press("m")
    second.keyboard.press("ArrowRight")
    second.keyboard.press("n")
    first.keyboard.press("ArrowRight")
    first.keyboard.press("i")
    for page in (first, second):
        # Tabs hear of each other a little later.
        page.wait_for_function(
            "Object.values(JSON.parse(localStorage.getItem(Object.keys(localStorage)[0])).rows)"
            ".length === 3"
        )
        reloaded(page)
        table = downloaded(page)[1]
        assert table.sort_values("site_id")["label"].tolist() == [
            "martensite",
            "notch",
            "inclusion",
        ]


def test_a_browser_that_keeps_nothing_is_told_and_the_file_can_still_be_had(context, made, address):
    context.add_init_script(
        "Storage.prototype.setItem = () => { "
        "throw new DOMException('full', 'QuotaExceededError'); }"
    )
    page = context.new_page()
    page.goto(address(made, "review"))
    page.fill("#annotator", "ann")
    page.keyboard.press("Enter")
    assert not page.is_visible("[role=alert]")
    page.keyboard.press("m")
    assert "does not keep your answers (QuotaExceededError)" in page.inner_text("[role=alert]")
    assert downloaded(page)[1]["label"].tolist() == ["martensite"]
    said = []
    page.on("dialog", lambda dialog: (said.append(dialog.type), dialog.accept()))
    page.close(run_before_unload=True)
    page.wait_for_event("close") if not page.is_closed() else None
    assert said == ["beforeunload"]


def test_one_goes_on_from_a_file_of_ones_own(gallery, tmp_path, browser, made, address):
    page = gallery()
    for letter in "mnd":
        page.keyboard.press(letter)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download").click()
    file = tmp_path / "earlier.tsv"
    lines = waiting.value.path().read_text("utf-8").splitlines()
    file.write_text("\n".join([*lines, lines[-1].replace(NAME, "eve")]) + "\n", "utf-8")
    other = browser.new_context()
    page = other.new_page()
    page.goto(address(made, "review"))
    page.fill("#annotator", NAME)
    page.keyboard.press("Enter")
    page.set_input_files("#import", file)
    page.wait_for_function("document.querySelector('.status').textContent.includes('read')")
    assert "3 answers of " + NAME + " read, 3 of them new. 1 of other people" in page.inner_text(
        ".status"
    )
    assert place(page) == 4
    assert downloaded(page)[1]["label"].tolist() == ["martensite", "notch", "interface"]
    # What is wrong is told with its row, and nothing is taken over.
    for text, words in (
        ("a\tb\n1\t2\n", "it has no column panorama"),
        ("\n".join(lines).replace("\tnotch\t", "\tnotsch\t"), "Row 3, column label: unknown class"),
        ("\n".join([*lines, "cut off"]), "Row 5 has 1 cells"),
    ):
        file.write_text(text, "utf-8")
        page.set_input_files("#import", file)
        page.wait_for_function(
            "words => document.querySelector('.status').textContent.includes(words)", arg=words
        )
        assert len(downloaded(page)[1]) == 3
    other.close()


def test_a_time_without_a_zone_is_read_as_the_workflow_reads_it(browser, made, address):
    other = browser.new_context(timezone_id="Asia/Tokyo")
    page = other.new_page()
    page.goto(address(made, "review"))
    times = ["2026-05-01 10:00", "2026-05-01T10:00:00", "2026-05-01T19:00+09:00", "2026-05-01"]
    rows = "".join(f"a\t1\t{number}\tnotch\t{time}\n" for number, time in enumerate(times))
    found = page.evaluate(
        "text => damascene.reviewStore.parse(text, ['notch']).rows.map((row) => row.time)",
        f"panorama\tx_px\ty_px\tlabel\ttime\n{rows}",
    )
    assert found == ["2026-05-01T10:00:00.000Z"] * 3 + ["2026-05-01T00:00:00.000Z"]
    other.close()


def test_the_outline_lies_on_the_site(gallery):
    page = gallery()
    image = page.locator(".large .clip")
    page.wait_for_function("document.querySelector('.large img').naturalWidth > 0")
    shot = np.asarray(Image.open(io.BytesIO(image.screenshot())).convert("L"), int)
    frame, outer = page.locator(".large .outline").bounding_box(), image.bounding_box()
    left, top = round(frame["x"] - outer["x"]), round(frame["y"] - outer["y"])
    inside = shot[top + 1 : top + round(frame["height"]), left + 1 : left + round(frame["width"])]
    middle = inside[
        len(inside) // 3 : -len(inside) // 3, inside.shape[1] // 3 : -inside.shape[1] // 3
    ]
    assert middle.max() < 60
    # 12 x 10 pixels and a margin of 2 on each side, of 250 pixels.
    assert frame["width"] == pytest.approx(16 / 250 * outer["width"], abs=1.5)
    assert frame["height"] == pytest.approx(14 / 250 * outer["height"], abs=1.5)
    page.keyboard.press("b")
    assert page.locator(".large .outline").count() == 0
    # 2 um of 10.
    bar = page.locator(".bar-um").bounding_box()
    assert bar["width"] == pytest.approx(outer["width"] / 5, abs=1)


def test_the_grid_is_labelled_by_keys_and_by_pointer(gallery):
    page = gallery()
    page.keyboard.press("g")
    page.wait_for_selector(".grid img[src]")
    page.keyboard.press("ArrowDown")
    below = place(page)
    assert below > 2
    page.keyboard.press("ArrowUp")
    assert place(page) == 1
    page.locator(".grid .thumb").nth(2).click()
    assert place(page) == 3
    page.keyboard.press("d")
    assert place(page) == 4
    _, table = downloaded(page)
    assert table["site_id"].tolist() == [2] and table["label"].tolist() == ["interface"]
    # The last page of the grid holds clips of the second script.
    for _ in range(COUNT):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector(f".grid img[alt='Site {COUNT - 1} of steel_a'][src]")
    assert place(page) == COUNT


def test_before_any_training_candidates_are_labelled(gallery, tmp_path):
    page = gallery(path=write_review(tmp_path, count=8, classified=False))
    assert not page.get_by_role("button", name="What the networks say").is_visible()
    page.keyboard.press("p")
    page.keyboard.press("n")
    _, table = downloaded(page)
    assert table["model"].tolist() == [""] and table["previous_label"].tolist() == [""]


def test_without_a_queue_the_page_says_what_to_run(context, tmp_path, address):
    page = context.new_page()
    page.goto(address(write_index(tmp_path), "review"))
    page.wait_for_selector(".alert")
    assert "snakemake review" in page.inner_text("#view")
    # The script that is missing is told by the browser, too.
    assert len(context.errors) == 1 and "ERR_FILE_NOT_FOUND" in context.errors.pop()


def test_an_empty_queue_is_no_error(context, tmp_path, address):
    page = context.new_page()
    page.goto(address(write_review(tmp_path, count=0), "review"))
    page.wait_for_function("document.body.innerText.includes('No site is to be labelled')")


CONTRAST = """() => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map((part) => {
      const share = part / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    for (let each = one; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (!/rgba\\(.*, 0\\)/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const poor = [];
  for (const one of document.querySelectorAll("body *")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !one.checkVisibility() || one.closest(".clip, .unseen, script, style")) continue;
    const pair = [light(getComputedStyle(one).color), light(behind(one))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) poor.push(one.textContent + " " + ratio.toFixed(2));
  }
  return poor;
}"""


@pytest.mark.parametrize("width", [1400, 600])
def test_everything_can_be_read_and_reached(gallery, width):
    page = gallery()
    page.set_viewport_size({"width": width, "height": 900})
    page.keyboard.press("m")
    for key in ("p", "g", "?"):
        assert page.evaluate(CONTRAST) == []
        scrolls = "document.documentElement.scrollWidth > window.innerWidth"
        assert not page.evaluate(scrolls)
        assert page.evaluate("document.querySelector('main').scrollWidth") <= width
        page.keyboard.press(key)
    assert "undo the last answer" in page.inner_text("#help")
    page.keyboard.press("Escape")
    # By the tab key alone one comes to every button, and sees where one is.
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        told = page.evaluate(
            "(() => { const one = document.activeElement; return [one.textContent || one.id, "
            "getComputedStyle(one).outlineStyle, one.tagName]; })()"
        )
        if told[2] in ("BUTTON", "A", "SELECT", "INPUT"):
            assert told[1] != "none" or told[0] == "import", told
            seen.add(told[0].strip())
    assert {"Download w", "martensite m", "Somebody else"} <= seen
