"""Gaps are filled for people and networks; nothing that is counted changes by it."""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from damascene.classes import SITE_LABELS
from damascene.clips.pictures import cut_pictures, cut_shown_clips, without_gaps
from damascene.clips.storage import store_clips
from damascene.config.detection import Detection
from damascene.detection.settings import find_candidates_of
from damascene.figures.overview import draw_overview, read_shown
from damascene.images.filling import fill_gaps, gaps_in, narrow_gaps, shown_gaps
from damascene.images.store import TiledImage, Window, open_pair, write_tiled
from damascene.images.valid_area import BLANK, CHARGING, NO_IMAGE, VALID

PIXEL_NM = 50.0


def steel(shape, seed=0, noise=4.0):
    rng = np.random.default_rng(seed)
    islands = ndimage.gaussian_filter(rng.standard_normal(shape), 8)
    smooth = ndimage.gaussian_filter(np.where(islands > 0.02, 170.0, 70.0), 1)
    for row, column in rng.integers(20, min(shape) - 20, (25, 2)):
        smooth[row - 4 : row + 5, column - 4 : column + 5] = 5
    return (smooth + rng.normal(0, noise, shape)).round().clip(1, 254).astype(np.uint8)


def with_gaps(pixels, value=0):
    """Lines between tiles, transparent spots and a missing corner, with their mask."""
    mask = np.full(pixels.shape, VALID, np.uint8)
    mask[:, 200:203] = NO_IMAGE
    mask[310:312] = NO_IMAGE
    mask[80:90, 120:131] = BLANK
    mask[-150:, -180:] = NO_IMAGE
    return np.where(mask == VALID, pixels, np.uint8(value)), mask


def stored(folder, pixels, mask, name="p"):
    paths = folder / f"{name}.ome.tif", folder / f"{name}.valid.ome.tif"
    for path, image, pyramid in zip(paths, (pixels, mask), (True, False), strict=True):
        options = {"shape": pixels.shape, "pixel_size_nm": PIXEL_NM, "name": name}
        write_tiled(path, [image], pyramid=pyramid, **options)
    return paths


# -- filling


def test_a_filled_gap_continues_its_surroundings():
    whole = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(200, 200)), 15)
    whole = (120 + 900 * whole).clip(1, 254).astype(np.uint8)
    gaps = np.zeros(whole.shape, bool)
    gaps[:, 90:94] = gaps[40:45] = True
    filled = fill_gaps(np.where(gaps, 0, whole).astype(np.uint8), gaps)
    assert np.array_equal(filled[~gaps], whole[~gaps])
    # Over a few pixels this smooth image changes by a few grey levels.
    assert np.abs(filled[gaps].astype(int) - whole[gaps]).max() <= 8


def test_filling_never_leaves_the_greys_around():
    pixels = steel((160, 160))
    gaps = np.zeros(pixels.shape, bool)
    gaps[20:140, 30:130] = True
    filled = fill_gaps(np.where(gaps, 255, pixels).astype(np.uint8), gaps)
    assert filled[gaps].min() >= pixels[~gaps].min()
    assert filled[gaps].max() <= pixels[~gaps].max()


def test_nothing_is_touched_where_nothing_is_missing():
    pixels = steel((60, 60))
    assert fill_gaps(pixels, np.zeros(pixels.shape, bool)) is pixels
    assert fill_gaps(pixels, np.ones(pixels.shape, bool)) is pixels


def test_narrow_gaps_are_those_without_a_square():
    gaps = np.zeros((60, 80), bool)
    gaps[:, 10:14] = True
    gaps[20:40, 40:60] = True
    # Cut by the border, it goes on beyond it.
    gaps[:3, 65:75] = True
    narrow = narrow_gaps(gaps, width_px=6)
    assert narrow[:, 10:14].all()
    assert not narrow[20:40, 40:60].any()
    assert not narrow[:3, 65:75].any()


def test_wide_gaps_stay_visibly_empty():
    pixels, mask = with_gaps(steel((500, 600)))
    shown, wide = shown_gaps(pixels, mask != VALID, width_px=20)
    assert (shown[-150:, -180:] == 255).all() and wide[-150:, -180:].all()
    assert not wide[:300, 200:203].any()
    assert (shown[:300, 200:203] > 20).mean() > 0.9


def test_charging_is_no_gap(tmp_path):
    pixels, mask = with_gaps(steel((500, 600)))
    mask[400:440, 20:60] = CHARGING
    with TiledImage(stored(tmp_path, pixels, mask)[1]) as valid:
        whole = Window(top=0, left=0, bottom=500, right=600)
        assert np.array_equal(gaps_in(valid, whole), (mask == NO_IMAGE) | (mask == BLANK))
        assert gaps_in(valid, Window(top=395, left=10, bottom=445, right=70)) is None


# -- clips


@pytest.mark.parametrize("centre", [None, 0.5])
def test_clips_without_gaps_are_the_same_byte_for_byte(tmp_path, centre):
    paths = stored(tmp_path, *with_gaps(steel((500, 600))))
    x_px, y_px = [60, 300, 205, 599], [200, 150, 100, 20]
    options = {"window_px": 80, "centre": centre, "size_px": 40}
    with open_pair(*paths) as (image, valid):
        raw = cut_pictures(image, x_px, y_px, **options)
        filled = cut_pictures(image, x_px, y_px, valid=valid, **options)
    same = [np.array_equal(one, other) for one, other in zip(raw, filled, strict=True)]
    # Only the third window has a line through it.
    assert same == [True, True, False, True]


@pytest.mark.parametrize("value", [0, 128, 255])
def test_no_clip_shows_what_fills_a_gap_of_the_file(tmp_path, value):
    pixels = steel((500, 600))
    clean = stored(tmp_path, pixels, np.full(pixels.shape, VALID, np.uint8), "clean")
    paths = stored(tmp_path, *with_gaps(pixels, value))
    x_px, y_px = [205, 300, 125], [100, 315, 100]
    options = {"window_px": 80, "centre": None, "size_px": 80}
    with open_pair(*paths) as (image, valid), TiledImage(clean[0]) as whole:
        filled = cut_pictures(image, x_px, y_px, valid=valid, **options).astype(int)
        raw = cut_pictures(image, x_px, y_px, **options).astype(int)
        expected = cut_pictures(whole, x_px, y_px, **options).astype(int)
    error, before = np.abs(filled - expected), np.abs(raw - expected)
    # A gap of a few pixels is foretold within the contrast of an edge, and better than left.
    assert error.mean() < 0.5 * before.mean()
    # It depends on the mask and not on the value in the file.
    if value:
        other = stored(tmp_path, *with_gaps(pixels, 64), "other")
        with open_pair(*other) as (image, valid):
            again = cut_pictures(image, x_px, y_px, valid=valid, **options)
        assert np.array_equal(again, filled)


def test_missing_sides_stay_mirror_images():
    clip = np.random.default_rng(0).integers(1, 256, (40, 40), dtype=np.uint8)
    gaps = np.zeros((40, 40), bool)
    clip[:, :13], gaps[:, :13] = 0, True
    clip[20:22], gaps[20:22] = 0, True
    filled = without_gaps(clip, gaps)
    np.testing.assert_array_equal(filled[:20, :13], clip[:20, 13:26][:, ::-1])
    assert (filled[20:22] > 0).all()


def test_stored_clips_are_filled_by_the_masks(tmp_path):
    pixels = steel((500, 600))
    paths = stored(tmp_path, *with_gaps(pixels))
    sites = pd.DataFrame({"panorama": "p", "clip_x_px": [205.0, 60], "clip_y_px": [100.0, 200]})
    store_clips(
        tmp_path / "clips.npy",
        sites,
        panoramas=["p"],
        images=[paths[0]],
        masks=[paths[1]],
        network="compact",
        window="4 um",
        centre=1.0,
    )
    clips = np.load(tmp_path / "clips.npy")
    assert (clips[0] > 0).all()


def test_shown_clips_leave_wide_gaps_white(tmp_path):
    paths = stored(tmp_path, *with_gaps(steel((500, 600))))
    with open_pair(*paths) as (image, valid):
        places = [("p", 205.0, 100.0), ("p", 420.0, 350.0)]
        options = {"window_um": 4.0, "size_px": 80}
        line, corner = cut_shown_clips(places, {"p": image}, masks={"p": valid}, **options)
    assert (line > 0).all() and not (line == 255).any()
    assert (corner == 255).mean() == pytest.approx(40 * 40 / 80**2, abs=0.02)


# -- figures


def test_the_overview_fills_lines_and_hatches_what_is_wide(tmp_path):
    paths = stored(tmp_path, *with_gaps(steel((500, 600))))
    with open_pair(*paths) as (image, valid):
        pixels, invalid = read_shown(image, valid)
        assert invalid[-150:, -180:].all()
        assert not invalid[:300, 195:210].any()
        assert pixels[:300, 200:203].min() > 20 or (pixels[:300, 200:203] > 20).mean() > 0.9
        bare, none = read_shown(image, None)
        assert not none.any() and (bare[:300, 200:203] == 0).all()
        sites = pd.DataFrame({"x_px": [50.0], "y_px": [50.0], "class": [SITE_LABELS[0]]})
        sites = sites.assign(site_id=1, area_um2=0.5)
        draw_overview(image, sites, title="p", valid=valid)


# -- counts


def test_candidates_are_the_same_whatever_lies_in_gaps(tmp_path):
    pixels, mask = with_gaps(steel((500, 600)))
    filled = fill_gaps(pixels, mask != VALID)
    assert not np.array_equal(filled, pixels)
    found = []
    for name, image in (("gaps", pixels), ("filled", filled), ("white", with_gaps(pixels, 255)[0])):
        with open_pair(*stored(tmp_path, image, mask, name)) as (one, valid):
            candidates = find_candidates_of(one, valid, panorama="p", settings=Detection())
        found.append(candidates)
    assert len(found[0].candidates) > 5
    for other in found[1:]:
        pd.testing.assert_frame_equal(other.candidates, found[0].candidates)
        assert other.counts == found[0].counts
