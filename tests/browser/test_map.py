"""One flies over panoramas in a browser, filters sites, looks at one, and takes them along."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.made_viewer import COUNTS, HOSTILE, PLACES, SITES, WITHHELD, made_sites, make_viewer

CONTRASTS = Path(__file__).parent / "contrasts.js"
MAP = "damascene.views.map.maps()[{}]"


@pytest.fixture
def flown(opened, viewer_page):
    """The page with a map of strain_00, its first picture and its sites loaded."""
    return ready(opened(viewer_page, "map/strain_00"))


def until(page, expression):
    """Wait until an expression holds; the page forbids what playwright would wait with."""
    for _ in range(300):
        if page.evaluate(f"Boolean({expression})"):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{expression} did not come true")


def ready(page):
    page.wait_for_selector(".frame[data-loaded]")
    until(page, f"{MAP.format(0)}.sites")
    return page


def text_left(page):
    return page.inner_text(".filters .left")


def saved(page, key):
    with page.expect_download() as download:
        page.keyboard.press(key)
    return download.value


def test_the_index_lists_panoramas_and_says_what_is_withheld(opened, viewer_page):
    page = opened(viewer_page)
    rows = page.locator("table.index tbody tr")
    assert rows.count() == 3
    cells = rows.nth(0).locator("td, th").all_inner_texts()
    assert cells[1] == "strain_00" and str(COUNTS["notch"]) in cells
    warned = rows.nth(2).locator("button.warned")
    assert warned.inner_text().startswith("withheld")
    # Its classes are not counted.
    assert rows.nth(2).locator("td.n.pale").count() == len(COUNTS) + 1
    assert warned.get_attribute("aria-expanded") == "false"
    warned.click()
    assert WITHHELD in rows.nth(3).inner_text()
    # What is read has the width of the table, and stays open when it is sorted.
    widths = [each.bounding_box()["width"] for each in (rows.nth(3), rows.nth(2))]
    assert widths[0] == pytest.approx(widths[1], abs=2)
    page.click("th[data-column=candidates] button")
    assert page.locator("tr.said").count() == 1 and warned.is_visible()
    warned.click()
    assert page.locator("tr.said").count() == 0
    loaded = "[...document.images].map(i => i.complete && i.naturalWidth > 0)"
    until(page, f"{loaded}.every(Boolean)")


def test_the_index_is_sorted_and_searched(opened, viewer_page):
    page = opened(viewer_page)
    names = "[...document.querySelectorAll('table.index tbody th')].map(e => e.textContent)"
    page.click("th[data-column=candidates] button")
    assert page.evaluate(names) == ["strain_00", "strain_12", "empty"]
    page.click("th[data-column=candidates] button")
    assert page.evaluate(names)[0] == "empty"
    page.keyboard.press("/")
    page.keyboard.type("_12")
    assert page.evaluate(names) == ["strain_12"]


@pytest.mark.parametrize("width", [600, 390])
def test_nothing_of_the_index_lies_beside_a_narrow_screen(opened, viewer_page, width):
    page = opened(viewer_page)
    page.set_viewport_size({"width": width, "height": 800})
    page.locator("button.warned").click()
    outside = page.evaluate(
        "[...document.querySelectorAll('main *')].filter((e) => !e.closest('.unseen')"
        " && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML)"
    )
    assert outside == []
    words = page.locator("table.index tbody tr").nth(0).inner_text()
    assert "strain_00" in words
    # The heading stands before the number.
    said = "getComputedStyle(document.querySelector('td[data-word=notch]'), '::before').content"
    assert "notch" in page.evaluate(said)
    page.click("th[data-column=candidates] button")
    page.click("th[data-column=candidates] button")
    assert page.locator("table.index tbody th").nth(0).inner_text() == "empty"


def test_a_thousand_panoramas_are_listed(opened, viewer_page):
    page = opened(viewer_page)
    page.evaluate(
        "damascene.study.panoramas = Array.from({length: 1000}, (_, i) =>"
        " ({...damascene.study.panoramas[i % 3], candidates: i, withheld: ''}))"
    )
    took = page.evaluate(
        "(() => { const t = performance.now(); const root = document.getElementById('view');"
        " root.replaceChildren(); damascene.views.index.open(root);"
        " root.offsetHeight; return performance.now() - t; })()"
    )
    rows = page.locator("table.index tbody tr")
    assert rows.count() == 200 and took < 3000
    # All are sorted and searched, and all are shown when one asks.
    page.click("th[data-column=candidates] button")
    largest = rows.nth(0).locator("td[data-word=sites]").inner_text()
    assert largest == "999"
    page.fill("#search", "strain_12")
    more = page.get_by_role("button", name="Show the other 133 of 333")
    more.click()
    assert rows.count() == 333 and more.is_hidden()
    page.fill("#search", "")
    assert rows.count() == 1000


def test_the_first_picture_is_that_of_the_panorama(flown, viewer_page):
    shot = Image.open(io.BytesIO(flown.locator(".frame").screenshot())).convert("L")
    middle = np.asarray(shot)[200:400, 400:700].astype(float)
    assert 90 < middle.mean() < 150 and middle.std() > 5
    assert text_left(flown) == f"{SITES} of {SITES} sites"


def test_the_centre_of_a_pixel_is_where_the_map_says(flown):
    """A site of 12 x 12 px covers exactly 12 x 12 pixels of the panorama on the screen."""
    one = made_sites("strain_00").iloc[7]
    flown.keyboard.press("2")
    flown.evaluate(f"{MAP.format(0)}.map.setView([{one.y_px}, {one.x_px}], 4, {{animate: false}})")
    flown.wait_for_timeout(600)
    frame = np.asarray(Image.open(io.BytesIO(flown.locator(".frame").screenshot())).convert("L"))
    middle = np.array(frame.shape) // 2
    window = frame[middle[0] - 200 : middle[0] + 200, middle[1] - 200 : middle[1] + 200] < 70
    rows, columns = (
        np.flatnonzero(window.mean(axis=1) > 0.3),
        np.flatnonzero(window.mean(axis=0) > 0.3),
    )
    # 12 px of 16 screen pixels each, round the middle.
    for edge in (rows, columns):
        assert abs(edge[0] - (200 - 96)) <= 2 and abs(edge[-1] - (200 + 95)) <= 2
    assert flown.inner_text(".place").startswith(
        f"x {one.x_px * 0.04:.2f} µm, y {one.y_px * 0.04:.2f} µm"
    )


def test_the_scale_bar_has_its_length(flown):
    for zoom, nm in ((0, 40), (2, 10), (-1.25, 40 * 2**1.25)):
        flown.evaluate(f"{MAP.format(0)}.map.setZoom({zoom}, {{animate: false}})")
        said = flown.inner_text(".scale-bar")
        number, unit = said.split()
        length_nm = float(number) * {"nm": 1, "µm": 1e3, "mm": 1e6}[unit]
        width = flown.evaluate("document.querySelector('.scale-bar').getBoundingClientRect().width")
        assert width * nm == pytest.approx(length_nm, rel=0.01)


def test_classes_are_hidden_and_shown(flown):
    flown.uncheck("[data-class=notch]")
    assert text_left(flown) == f"{SITES - COUNTS['notch']} of {SITES} sites"
    flown.check("[data-class=notch]")
    assert text_left(flown) == f"{SITES} of {SITES} sites"


@pytest.mark.parametrize(
    ("field", "value", "left"),
    [
        ("least_probability", "0.9", lambda t: (t.confidence >= 0.9).sum()),
        ("most_um2", "0.5", lambda t: (t.area_um2 <= 0.5).sum()),
        ("set", "several", lambda t: t.prediction_set.str.contains("|", regex=False).sum()),
        ("set", "none", lambda t: (t.prediction_set == "").sum()),
        ("labels", "labelled", lambda t: 3),
        ("labels", "disagree", lambda t: 1),
        (
            "labels",
            "differs",
            lambda t: ((t.label != "") & (t.label != t.predicted_class)).sum(),
        ),
    ],
)
def test_filters_leave_what_they_say(flown, field, value, left):
    place = flown.locator(f"[data-filter={field}]")
    if place.evaluate("e => e.tagName") == "SELECT":
        place.select_option(value)
    else:
        place.fill(value)
        place.press("Tab")
    expected = left(made_sites("strain_00"))
    assert 0 < expected < SITES
    assert text_left(flown) == f"{expected} of {SITES} sites"


def test_a_click_on_a_mark_tells_of_its_site(flown):
    one = made_sites("strain_00").iloc[5]
    place = flown.evaluate(
        f"(() => {{ const m = {MAP.format(0)}.map;"
        f" const p = m.latLngToContainerPoint([{one.y_px}, {one.x_px}]); return [p.x, p.y]; }})()"
    )
    flown.locator(".frame").click(position={"x": place[0], "y": place[1]})
    panel = flown.locator(".panel")
    flown.wait_for_selector("canvas.clip[data-drawn]")
    said = panel.inner_text()
    assert f"Site 5: {one['class']}" in said and "How its class came about" in said
    assert f"{one.area_um2:.3f} µm²" in said and "Nobody labelled it." in said
    # The clip is 10 um wide and has the dark square, outlined, in its middle.
    pixels = flown.evaluate(
        "(() => { const c = document.querySelector('canvas.clip');"
        " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " return [c.width, Array.from(d)]; })()"
    )
    edge = pixels[0]
    rgb = np.array(pixels[1], float).reshape(edge, edge, 4)[..., :3]
    half = 12 * 0.04 / 10 * edge / 2
    inner, outer = int(half - 3), int(half + 6)
    middle = edge // 2
    assert rgb[middle - inner : middle + inner, middle - inner : middle + inner].mean() < 60
    ring = rgb[middle - outer : middle + outer, middle - outer : middle + outer]
    assert ((ring[..., 0] > 180) & (ring[..., 2] < 120)).sum() > 4 * half
    flown.keyboard.press("Escape")
    assert panel.is_hidden()


def test_a_labelled_site_shows_where_the_networks_look(opened, viewer_page):
    one = made_sites("strain_00").iloc[7]
    page = ready(opened(viewer_page, "map/strain_00/7"))
    heats = page.locator("canvas.heat")
    until(page, "document.querySelectorAll('canvas.heat[data-drawn]').length === 4")
    said = page.inner_text(".panel")
    assert f"First network, for {one.predicted_class} (p = 0.50)" in said
    # 100 px of 40 nm and their centre, and 4 um and its centre.
    widths = page.locator(".heats figcaption").all_inner_texts()
    assert widths == ["4.0 µm wide", "2.0 µm wide"] * 2
    for number in range(4):
        shot = Image.open(io.BytesIO(heats.nth(number).screenshot())).convert("RGB")
        rgb = np.asarray(shot, float)
        half = len(rgb) // 2
        # The support is yellow over the grey, the rest is dark; the site is black in the middle.
        warm = (rgb[..., 0] - rgb[..., 2])[4:-4, 4:-4]
        assert warm[: half - 12, : half - 12].mean() > 40
        assert abs(warm[half + 4 :, half + 4 :].mean()) < 10
        dark = rgb[half + 2 : half + 6, half + 2 : half + 6].mean()
        around = rgb[-20:-4, -20:-4].mean()
        assert dark < around - 20
    page.keyboard.press("j")
    assert "Where the networks look" not in page.inner_text(".panel")


def test_what_people_wrote_stays_text(flown):
    flown.keyboard.press("/")
    flown.keyboard.type("0")
    flown.keyboard.press("Enter")
    answers = flown.locator("ul.answers").inner_text()
    assert "<img src=x onerror" in answers and "2026-11-29 10:00:00Z" in answers
    assert flown.evaluate("window.harmed") is None
    assert flown.locator("header img, .panel img, h1 img").count() == 0


def test_the_sites_of_the_filter_are_saved_as_a_table(flown):
    flown.select_option("[data-filter=labels]", "labelled")
    download = saved(flown, "w")
    assert download.suggested_filename == "sites_strain_00.tsv"
    text = Path(download.path()).read_bytes().decode()
    # A tab or a line break in a name makes no other cell.
    assert len(text.splitlines()) == 4 and "\r" not in text
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [row["site_id"] for row in rows] == ["0", "1", "2"]
    expected = made_sites("strain_00").iloc[0]
    assert float(rows[0]["x_px"]) == pytest.approx(expected.x_px)
    assert rows[0]["answers"] == "notch|interface" and rows[0]["class"] == expected["class"]
    assert rows[0]["notes"].startswith("</script>") and rows[1]["notes"] == "'=1+1"
    assert "it's" in rows[0]["annotators"] and set(rows[0]) >= {"p_notch", "confidence", "panorama"}


def test_only_sites_in_view_are_saved(flown):
    one = made_sites("strain_00").iloc[9]
    flown.evaluate(f"{MAP.format(0)}.map.setView([{one.y_px}, {one.x_px}], 5, {{animate: false}})")
    with Path(saved(flown, "e").path()).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [row["site_id"] for row in rows] == ["9"]


def test_the_view_is_saved_as_a_picture(flown):
    flown.keyboard.press("3")
    flown.wait_for_timeout(500)
    with Image.open(saved(flown, "t").path()) as opened:
        assert opened.format == "PNG"
        picture = np.asarray(opened.convert("RGB")).astype(int)
    shot = flown.locator(".frame").screenshot()
    seen = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)
    assert picture.shape[1] == seen.shape[1] and picture.shape[0] > seen.shape[0]
    # The same but for the buttons, which the picture leaves out.
    difference = np.abs(picture[: seen.shape[0]] - seen)[100:, 100:].mean(axis=2)
    assert (difference > 40).mean() < 0.02
    # Below it is the scale bar.
    assert (picture[seen.shape[0] :] < 60).any()


def test_layers_are_switched_by_keys(flown):
    flown.keyboard.press("3")
    until(flown, "document.querySelectorAll('.frame canvas').length > 2")
    flown.keyboard.press("5")
    flown.wait_for_selector(".legend .ramp")
    assert "sites per mm²" in flown.inner_text(".legend")
    flown.keyboard.press("4")
    flown.wait_for_selector(".frame canvas.overlay")
    assert "not valid: 10.0 %" in flown.inner_text(".legend")
    for layer in ("phases", "density", "valid"):
        assert flown.is_checked(f"[data-layer={layer}]")


def test_densities_are_counts_over_valid_area(flown):
    flown.keyboard.press("5")
    flown.wait_for_selector(".legend .ramp")
    found = flown.evaluate(
        f"(() => {{ const f = {MAP.format(0)}.found;"
        " return [f.edge_um, f.wide, f.high, Array.from(f.values, v => v)]; })()"
    )
    edge = found[0] / 0.04
    sites = made_sites("strain_00")
    counts = np.zeros((found[2], found[1]))
    np.add.at(counts, ((sites.y_px // edge).astype(int), (sites.x_px // edge).astype(int)), 1)
    # The right tenth is not valid.
    wide = np.clip(2100 - 210 - np.arange(found[1]) * edge, 0, edge)
    high = np.clip(1500 - np.arange(found[2]) * edge, 0, edge)
    areas = np.outer(high, wide) * 0.04**2 * 1e-6
    with np.errstate(invalid="ignore"):
        expected = counts / areas
    values = np.array([np.nan if v is None else v for v in found[3]], float).reshape(counts.shape)
    told = ~np.isnan(values)
    assert told.sum() >= 8
    assert np.allclose(values[told], expected[told], rtol=0.02)


def test_linked_views_show_the_same_place_in_um(flown):
    flown.select_option("#beside", "strain_12")
    until(flown, f"{MAP.format(1)} && {MAP.format(1)}.sites")
    flown.evaluate(f"{MAP.format(0)}.map.setView([500, 700], 1, {{animate: false}})")
    views = [flown.evaluate(f"{MAP.format(n)}.view()") for n in (0, 1)]
    for key in ("x_um", "y_um", "scale"):
        assert views[0][key] == pytest.approx(views[1][key], rel=0.002)
    bars = flown.locator(".scale-bar").all_inner_texts()
    assert bars[0] == bars[1]
    # Each has its own numbers.
    assert text_left(flown) == (
        f"{SITES} of {SITES} sites in strain_00, "
        f"{SITES} of {SITES} sites and 2 places without one in strain_12"
    )
    assert flown.inner_text(".filters .of") == "strain_00 · strain_12"
    notches = flown.locator(".filters label", has=flown.locator("[data-class=notch]"))
    assert notches.inner_text().endswith(f"{COUNTS['notch']} · {COUNTS['notch']}")
    flown.evaluate(f"{MAP.format(1)}.map.panBy([100, 50], {{animate: false}})")
    views = [flown.evaluate(f"{MAP.format(n)}.view()") for n in (0, 1)]
    assert views[0]["x_um"] == pytest.approx(views[1]["x_um"], rel=0.01)


def test_places_without_a_site_have_marks_and_a_filter(opened, viewer_page):
    page = ready(opened(viewer_page, "map/strain_12"))
    places = f"{MAP.format(0)}.sites.places"
    told = page.evaluate(f"{places}.map((p) => [p.id, p.x, p.y, p.name])")
    # Positions of both people, and their class where they agree.
    assert told == [
        [-1, PLACES[-1][0] + 2, PLACES[-1][1] + 2, "notch"],
        [-2, PLACES[-2][0] + 2, PLACES[-2][1] + 2, "unclear"],
    ]
    at = page.evaluate(
        f"(() => {{ const m = {MAP.format(0)}; const p = m.map.latLngToContainerPoint("
        f"[{told[0][2]}, {told[0][1]}]); return [p.x, p.y]; }})()"
    )
    page.locator(".frame").click(position={"x": at[0], "y": at[1]})
    page.wait_for_selector("canvas.clip[data-drawn]")
    said = page.inner_text(".panel")
    assert "Place -1: notch" in said and "The detection finds no site here." in said
    assert HOSTILE.split("\t")[0].strip() in said and page.evaluate("window.harmed") is None
    page.keyboard.press("j")
    assert "Place -2: unclear" in page.inner_text(".panel h2")
    assert "outside the valid area" in page.inner_text(".panel")
    page.keyboard.press("j")
    assert "Site 0" in page.inner_text(".panel h2")
    page.keyboard.press("k")
    assert "Place -2" in page.inner_text(".panel h2")
    shown = f"{MAP.format(0)}.shownPlaces.length"
    for field, value, left in (
        ("labels", "disagree", 1),
        ("labels", "unlabelled", 0),
        ("labels", "labelled", 2),
        ("set", "several", 0),
        ("set", "any", 2),
    ):
        page.select_option(f"[data-filter={field}]", value)
        assert page.evaluate(shown) == left, (field, value)
    page.uncheck("[data-class=notch]")
    assert page.evaluate(shown) == 1
    page.uncheck("[data-filter=places]")
    assert page.evaluate(shown) == 0 and "without" not in text_left(page)


def test_an_address_leads_to_a_place_without_a_site(opened, viewer_page):
    page = ready(opened(viewer_page, "map/strain_12/-2"))
    page.wait_for_selector("canvas.clip[data-drawn]")
    assert "Place -2" in page.inner_text(".panel h2")


def test_the_map_is_flown_by_keys_alone(flown):
    zoom = f"{MAP.format(0)}.map.getZoom()"
    before = flown.evaluate(zoom)
    flown.keyboard.press("+")
    until(flown, f"{zoom} >= {before} + 0.9")
    left = flown.evaluate(f"{MAP.format(0)}.view().x_um")
    flown.keyboard.press("ArrowRight")
    until(flown, f"{MAP.format(0)}.view().x_um > {left}")
    flown.keyboard.press("j")
    assert "Site 0" in flown.inner_text(".panel h2")
    flown.keyboard.press("j")
    flown.keyboard.press("j")
    flown.keyboard.press("k")
    assert "Site 1" in flown.inner_text(".panel h2")
    flown.keyboard.press("?")
    keys = flown.inner_text("#help")
    assert "next site of the filter" in keys
    assert flown.evaluate("document.activeElement.textContent") == "Close"
    flown.keyboard.press("Escape")
    assert flown.locator("#help").is_hidden()
    flown.keyboard.press("]")
    until(flown, "location.hash === '#/map/strain_12'")
    flown.keyboard.press("a")
    flown.wait_for_selector("table.index")


def test_focus_can_be_seen(flown):
    flown.keyboard.press("Tab")
    flown.keyboard.press("Tab")
    style = flown.evaluate(
        "(() => { const s = getComputedStyle(document.activeElement);"
        " return [document.activeElement.tagName, s.outlineStyle, parseFloat(s.outlineWidth)]; })()"
    )
    assert style[0] in ("A", "BUTTON", "SELECT") and style[1] == "solid" and style[2] >= 2


def test_text_has_contrast(flown):
    flown.keyboard.press("j")
    ratios = flown.evaluate(CONTRASTS.read_text())
    assert len(ratios) > 50
    assert [each for each in ratios if each[0] < 4.5] == []


def test_a_panorama_without_sites_and_withheld_is_shown(opened, viewer_page):
    page = ready(opened(viewer_page, "map/empty"))
    alerts = page.inner_text(".alerts")
    assert "classes are withheld" in alerts and WITHHELD in alerts and "no site was found" in alerts
    for key in "nbdsv":
        page.keyboard.press(key)
    assert text_left(page) == "0 of 0 sites"


def test_candidates_are_shown_where_nothing_was_classified(opened, tmp_path):
    page = ready(opened(make_viewer(tmp_path, classified=False), "map/strain_12"))
    assert (
        page.locator("[data-class]").count() == 1 and page.locator("[data-filter=set]").count() == 0
    )
    page.keyboard.press("j")
    said = page.inner_text(".panel")
    assert "Site 0: candidate" in said and "Probabilities" not in said


def test_missing_tiles_are_told(opened, tmp_path, browser):
    folder = tmp_path / "viewer"
    folder.mkdir()
    path = make_viewer(folder)
    for tiles in (folder / "tiles/strain_00").glob("*/*.js"):
        tiles.unlink()
    context = browser.new_context()
    page = context.new_page()
    page.goto(path.as_uri() + "#/map/strain_00")
    page.wait_for_selector(".one .alert")
    assert "Copy the whole folder viewer/" in page.inner_text(".one .alert")
    context.close()


def test_an_unknown_panorama_is_told(opened, viewer_page):
    page = opened(viewer_page, "map/a%20%23%25%3Cb%3E")
    assert "The study has no panorama 'a #%<b>'" in page.inner_text("main")


def test_it_works_on_a_narrow_screen(opened, viewer_page):
    page = ready(opened(viewer_page, "map/strain_00"))
    page.set_viewport_size({"width": 600, "height": 900})
    page.keyboard.press("j")
    page.wait_for_selector("canvas.clip[data-drawn]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 600
    frame = page.locator(".frame").bounding_box()
    assert frame["width"] > 500 and frame["height"] > 300


def test_the_name_of_the_study_is_text(opened, viewer_page):
    page = opened(viewer_page)
    assert page.text_content("#study-name") == HOSTILE
    assert page.evaluate("window.harmed") is None
