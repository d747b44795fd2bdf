"""What the review gallery and the label sheet show of the sites of a queue."""

import base64
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.unit.test_review_pool import PREDICTED, SITE

from damascene.classes import SITE_CLASSES
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.labels import ANSWERS
from damascene.contracts.review_order import LABEL_SHEET, REVIEW_REASONS
from damascene.contracts.sites import PREDICTIONS
from damascene.contracts.table import check_table, empty_table, read_tsv, write_tsv
from damascene.images.store import open_pair, write_all_valid, write_tiled
from damascene.review.clips import (
    CHUNK_SITES,
    cut_site,
    networks_name,
    queue_for_page,
    review_sites,
    scripts_for_page,
    write_for_page,
)
from damascene.review.sheet import MOST, sheet_page, sheet_rows

PIXEL_NM = 40.0
SHAPE = (600, 900)


@pytest.fixture
def panorama(tmp_path):
    """Return image and mask of a panorama in which every pixel tells its place."""
    rows, columns = np.indices(SHAPE)
    pixels = ((rows // 4) % 16 * 16 + (columns // 4) % 16).astype(np.uint8)
    image, mask = tmp_path / "a.ome.tif", tmp_path / "a.valid.ome.tif"
    write_tiled(image, [pixels], shape=SHAPE, name="a", pixel_size_nm=PIXEL_NM)
    write_all_valid(mask, shape=SHAPE, name="a", pixel_size_nm=PIXEL_NM)
    return pixels, image, mask


BOX = ("left_px", "top_px", "width_px", "height_px")


def box(left, top, width, height):
    return dict(zip(BOX, (left, top, width, height), strict=True))


@pytest.mark.parametrize("at", [(400, 300, 9, 7), (3, 2, 9, 7), (890, 590, 9, 9)])
def test_a_clip_shows_the_site_with_what_is_round_it(panorama, at):
    pixels, image, mask = panorama
    with open_pair(image, mask) as (opened, valid):
        clip = cut_site(opened, valid, box(*at))
    # 10 um of 40 nm a pixel.
    assert clip.edge_px == 250 and clip.edge_um == pytest.approx(10)
    assert clip.picture.shape == (240, 240)
    left, top, width, height = at
    assert clip.left_px <= left and left + width <= clip.left_px + clip.edge_px
    assert clip.top_px <= top and top + height <= clip.top_px + clip.edge_px
    window = pixels[clip.top_px : clip.top_px + 250, clip.left_px : clip.left_px + 250]
    assert abs(window.mean() - clip.picture.mean()) < 0.5


def test_a_large_site_gets_a_larger_window_and_a_small_panorama_a_smaller_one(panorama):
    _, image, mask = panorama
    with open_pair(image, mask) as (opened, valid):
        large = cut_site(opened, valid, box(200, 100, 300, 80))
        too_large = cut_site(opened, valid, box(0, 0, 900, 600))
    assert large.edge_px == 480 and large.picture.shape == (240, 240)
    assert too_large.edge_px == 600


@pytest.fixture
def queue(panorama, tmp_path):
    """Return a function that gives a queue of so many sites, its table and clips."""
    _, image, mask = panorama

    def make(count, *, classified=False):
        contract = PREDICTIONS if classified else CANDIDATES
        row = SITE | (PREDICTED if classified else {})
        sites = pd.DataFrame(row, index=range(count)).assign(
            panorama="a", site_id=np.arange(count), left_px=np.arange(count) * 5, top_px=100
        )
        path = tmp_path / "sites.parquet"
        sites[list(contract.columns)].to_parquet(path)
        order = pd.DataFrame(
            {
                "rank": np.arange(1, count + 1),
                "panorama": "a",
                "site_id": np.arange(count)[::-1],
                "drawn_by": "random",
                "reason": "drawn </script><script>",
            }
        )
        order = (
            check_table(order, REVIEW_REASONS, source="order")
            if count
            else empty_table(REVIEW_REASONS)
        )
        return review_sites(
            order,
            panoramas=["a"],
            sites=[path],
            images=[image],
            imported=[image],
            masks=[mask],
            classified=classified,
        )

    return make


def scripts(queue, clips):
    """Return what the page is handed by each script."""
    found = {}
    for path, text in scripts_for_page(queue, clips):
        key, value = re.fullmatch(
            r"damascene\.data\.receive\((\"[^\"]+\"), (.*)\);\n", text
        ).groups()
        assert json.loads(key) == path
        found[path] = json.loads(value)
    return found


def test_the_page_gets_the_queue_and_its_clips_in_order(queue):
    table, clips = queue(CHUNK_SITES + 7, classified=True)
    answers = empty_table(ANSWERS)
    made = scripts(queue_for_page(table, clips, answers, labels={"notch": 4}, model="abc"), clips)
    assert list(made) == ["review/clips_0.js", "review/clips_1.js", "review/queue.js"]
    assert [len(made[f"review/clips_{number}.js"]) for number in (0, 1)] == [CHUNK_SITES, 7]
    told = made["review/queue.js"]
    assert told["count"] == 57 and told["site_id"][0] == 56 and told["model"] == "abc"
    assert told["labels"] == {name: 4 * (name == "notch") for name in SITE_CLASSES}
    assert told["left_px"] == [each * 5 for each in told["site_id"]]
    assert told["image"] == table["image"].tolist()
    assert told["predicted_class"] == ["notch"] * 57 and told["p_inclusion"] == [0.2] * 57
    for row in (0, CHUNK_SITES + 3):
        packed = made[f"review/clips_{row // CHUNK_SITES}.js"][row % CHUNK_SITES]
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(packed))).convert("L"), int)
        # What the picture loses is no more than noise.
        assert np.abs(shown - clips[row].picture).mean() < 4
        left, top, edge = told["window"][row]
        assert (left, top, edge) == (clips[row].left_px, clips[row].top_px, clips[row].edge_px)


def test_answers_go_with_their_site_and_stay_text(queue):
    table, clips = queue(3)
    said = pd.DataFrame(
        [
            ("a", 1, "<b>eve</b>", "notch", True),
            ("a", 1, "bob", "inclusion", True),
            ("a", 1, "bob", "notch", False),
        ],
        columns=["panorama", "site_id", "annotator", "answer", "counts"],
    ).assign(time="2026-01-31T10:00:00Z")
    told = queue_for_page(table, clips, said, labels={}, model="")
    by_site = dict(zip(told["site_id"], told["answers"], strict=True))
    assert [each[:2] for each in by_site[1]] == [["<b>eve</b>", "notch"], ["bob", "inclusion"]]
    assert by_site[0] == [] and "predicted_class" not in told


def test_an_empty_queue_is_one_script(queue, tmp_path):
    table, clips = queue(0)
    told = queue_for_page(table, clips, empty_table(ANSWERS), labels={}, model="")
    write_for_page(tmp_path / "review", told, clips)
    assert [path.name for path in (tmp_path / "review").iterdir()] == ["queue.js"]
    assert told["count"] == 0
    rows = sheet_rows(table)
    assert "No site is to be labelled" in sheet_page(rows, clips, study="s")
    write_tsv(rows, tmp_path / "sheet.tsv", LABEL_SHEET)


def test_the_sheet_and_its_table_have_the_same_numbers(queue, tmp_path):
    table, clips = queue(MOST + 20)
    rows = sheet_rows(table)
    write_tsv(rows, tmp_path / "sheet.tsv", LABEL_SHEET)
    read = read_tsv(tmp_path / "sheet.tsv", LABEL_SHEET)
    assert read["number"].tolist() == list(range(1, MOST + 1)) and set(read["label"]) == {""}
    page = sheet_page(rows, clips, study="<script>alert(1)</script> & more")
    cells = re.findall(r"<b>(\d+)</b> <small>a (\d+)<br>10 µm wide", page)
    assert [tuple(map(int, each)) for each in cells] == list(
        zip(read["number"], read["site_id"], strict=True)
    )
    assert page.count("<section>") == 4
    assert "<script>" not in page and "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page
    for letter, name in (("d", "interface"), ("u", "unclear")):
        assert f"<b>{letter}</b> {name}" in page
    # Who fills it in is told nothing of the networks.
    assert "random" not in page


def test_the_frame_of_a_site_at_a_border_stays_within_its_clip(queue):
    table, clips = queue(4)
    edge = clips[0].edge_px
    # At the upper left corner, across the whole clip, at the lower right corner; and a site that
    # is so small there that its frame could not be seen.
    boxes = [(0, 0, 15, 17), (0, 0, edge, edge), (edge - 15, edge - 17, 15, 17)]
    boxes.append((edge - 1, edge - 2, 1, 2))
    for name, values in zip(BOX, zip(*boxes, strict=True), strict=True):
        table[name] = values
    table["left_px"] += [each.left_px for each in clips]
    table["top_px"] += [each.top_px for each in clips]
    page = sheet_page(sheet_rows(table), clips, study="s")
    shown = [
        [float(each) for each in re.findall(r"([\d.]+)%", style)]
        for style in re.findall(r'<i style="([^"]*)"', page)
    ]
    px = 100 / edge
    expected = [
        [0, 0, 17 * px, 19 * px],
        [0, 0, 100, 100],
        [100 - 17 * px, 100 - 19 * px, 17 * px, 19 * px],
        [96, 96, 4, 4],
    ]
    assert np.allclose(shown, expected, atol=0.011)


def test_networks_are_named_by_what_they_hold(tmp_path):
    for folder, content in (("a", b"one"), ("b", b"one"), ("c", b"two")):
        (tmp_path / folder).mkdir()
        for stage in ("inclusion", "damage"):
            (tmp_path / folder / f"{stage}.keras").write_bytes(content)
    names = [networks_name(tmp_path / folder) for folder in "abc"]
    assert names[0] == names[1] != names[2] and re.fullmatch("[0-9a-f]{12}", names[0])
