"""Descriptors measure what was drawn, and do not depend on which side it was drawn."""

import numpy as np
import pandas as pd
import pytest

from damascene import InputError
from damascene.contracts.descriptors import DESCRIPTOR_NAMES, DESCRIPTORS
from damascene.contracts.keyed import descriptors_of, read_descriptors, with_keys
from damascene.contracts.table import write_table
from damascene.descriptors import CLIP_PX, PIXEL_UM, descriptors
from damascene.descriptors.shape import SHAPE_NAMES

FERRITE, MARTENSITE, VOID = 70, 190, 2
MIDDLE = CLIP_PX // 2


def describe_clips(clips):
    """Describe the dark part in the middle of clips, as for labels on no candidate."""
    shapes = np.full((len(clips), len(SHAPE_NAMES)), np.nan)
    return descriptors.describe_clips(clips, np.zeros(clips.shape, bool), shapes)


def describe_clip(drawn):
    return dict(zip(DESCRIPTOR_NAMES, describe_clips(drawn[None])[0].astype(float), strict=True))


def clip(*boxes):
    """Draw boxes (top, left, bottom, right, grey), in px from the middle, into ferrite."""
    drawn = np.full((CLIP_PX, CLIP_PX), FERRITE, np.uint8)
    # So that every clip shows both phases.
    drawn[:, :6] = drawn[:, -6:] = MARTENSITE
    drawn[:6] = drawn[-6:] = MARTENSITE
    for top, left, bottom, right, grey in boxes:
        drawn[MIDDLE + top : MIDDLE + bottom, MIDDLE + left : MIDDLE + right] = grey
    return drawn


SLIT_ACROSS = (-15, -3, 15, 3, VOID)
ISLAND = (-20, -40, 20, 40, MARTENSITE)


def test_size_and_direction_are_those_of_the_box():
    slit = describe_clip(clip(SLIT_ACROSS))
    assert np.exp(slit["log_height"]) == pytest.approx(30 * PIXEL_UM)
    assert np.exp(slit["log_width"]) == pytest.approx(6 * PIXEL_UM)
    assert np.exp(slit["log_area"]) == pytest.approx(30 * 6 * PIXEL_UM**2)
    # A box has the second moments of its edges: the ratio of the axes is that of the edges.
    assert slit["aspect_ratio"] == pytest.approx(5, rel=0.02)
    assert slit["across_load"] == pytest.approx(1)
    along = describe_clip(clip((-3, -15, 3, 15, VOID)))
    assert along["along_load"] == pytest.approx(1)
    assert along["aspect_ratio"] == pytest.approx(slit["aspect_ratio"])


def test_a_crack_has_martensite_at_both_flanks_and_an_interface_at_one():
    crack = describe_clip(clip(ISLAND, SLIT_ACROSS))
    interface = describe_clip(clip((-20, 0, 20, 40, MARTENSITE), SLIT_ACROSS))
    in_ferrite = describe_clip(clip(SLIT_ACROSS))
    flanks = ("flanks_1_0", "flanks_1_1")
    assert [crack[name] for name in flanks] == pytest.approx([1, 1], abs=0.1)
    assert [interface[name] for name in flanks] == pytest.approx([0, 1], abs=0.15)
    assert [in_ferrite[name] for name in flanks] == pytest.approx([0, 0], abs=0.05)


def test_thickness_tells_a_bridge_from_an_island():
    bridge = describe_clip(clip((-4, -40, 4, 40, MARTENSITE), (-4, -4, 4, 4, VOID)))
    island = describe_clip(clip((-30, -40, 30, 40, MARTENSITE), (-4, -4, 4, 4, VOID)))
    assert bridge["lower_bridge"] == pytest.approx(8 * PIXEL_UM, abs=2.1 * PIXEL_UM)
    assert island["lower_bridge"] == pytest.approx(60 * PIXEL_UM, abs=2.1 * PIXEL_UM)
    assert island["thickest_to_0.8um"] > 3 * bridge["thickest_to_0.8um"]


def test_a_shadow_has_a_softer_edge_than_a_cavity():
    y, x = np.indices((CLIP_PX, CLIP_PX)) - MIDDLE
    soft = clip().astype(float) - 60 * np.exp(-(x**2 + y**2) / (2 * 15**2))
    shadow = describe_clip(np.clip(soft, 0, 255).astype(np.uint8))
    cavity = describe_clip(clip((-10, -10, 10, 10, VOID)))
    assert shadow["edge"] < cavity["edge"] / 3


def test_a_charged_rim_is_seen():
    rim = describe_clip(clip((-24, -24, 24, 24, 255), (-14, -14, 14, 14, VOID)))
    # Smoothing by a pixel takes the innermost of the four pixels of this ring.
    assert rim["charged_to_0.2um"] > 0.7
    assert describe_clip(clip((-14, -14, 14, 14, VOID)))["charged_to_0.2um"] < 0.05


@pytest.mark.parametrize("mirror", [np.fliplr, np.flipud])
def test_mirrored_clips_have_the_same_descriptors(mirror):
    rng = np.random.default_rng(3)
    drawn = clip(ISLAND, (-14, -6, 3, 2, VOID), (-2, 20, 9, 30, VOID)).astype(float)
    drawn = np.clip(drawn + rng.normal(0, 2, drawn.shape), 0, 255).astype(np.uint8)
    # The middle of an even clip is a corner of four pixels, and rays between two sectors fall to
    # one of them: some pixels of a ring change sides.
    np.testing.assert_allclose(
        describe_clips(drawn[None]), describe_clips(mirror(drawn)[None]), atol=0.12, rtol=0.05
    )


def test_brightness_and_contrast_do_not_matter():
    drawn = clip(ISLAND, (-14, -6, 3, 2, VOID))
    darker = np.rint(drawn * 0.8).astype(np.uint8)
    np.testing.assert_allclose(
        describe_clips(drawn[None]), describe_clips(darker[None]), atol=0.03, rtol=0.03
    )


def test_missing_image_is_no_cavity():
    cut = clip((-4, -4, 4, 4, VOID))
    cut[MIDDLE + 20 :] = 0
    values = describe_clip(cut)
    assert np.exp(values["log_area"]) == pytest.approx(64 * PIXEL_UM**2)
    assert values["dark_within_4um"] == 0


@pytest.mark.parametrize("grey", [0, 7, 128, 255])
def test_any_clip_can_be_described(grey):
    values = describe_clips(np.full((2, CLIP_PX, CLIP_PX), grey, np.uint8))
    assert values.shape == (2, len(DESCRIPTOR_NAMES))
    assert np.isfinite(values).all()


def test_no_clips_give_an_empty_table():
    described = describe_clips(np.empty((0, CLIP_PX, CLIP_PX), np.uint8))
    assert described.shape == (0, len(DESCRIPTOR_NAMES))


def test_columns_are_named_as_they_are_measured():
    drawn = clip(SLIT_ACROSS, ISLAND)
    unknown = np.zeros(drawn.shape, bool), np.full(len(SHAPE_NAMES), np.nan)
    measured = descriptors.describe_clip(drawn, *unknown)
    assert tuple(measured) == DESCRIPTOR_NAMES
    assert describe_clip(drawn) == pytest.approx(measured)


def table_of(names, numbers):
    """Return descriptors that tell from which site they are, float32 to the last bit."""
    sites = pd.DataFrame({"panorama": names, "site_id": numbers})
    values = np.random.default_rng(3).normal(size=(len(sites), len(DESCRIPTOR_NAMES)))
    return sites, values.astype(np.float32)


def test_descriptors_are_found_by_key_and_not_by_position(tmp_path):
    sites, values = table_of(["a", "a", "06", "06", "NA"], [0, -1, 0, 7, -1])
    write_table(with_keys(sites, values), tmp_path / "d.parquet", DESCRIPTORS)
    np.testing.assert_array_equal(read_descriptors(tmp_path / "d.parquet", sites), values)
    other = [3, 0, 4]
    found = read_descriptors(tmp_path / "d.parquet", sites.iloc[other])
    np.testing.assert_array_equal(found, values[other])
    assert found.dtype == np.float32 and found.flags["C_CONTIGUOUS"]
    # The columns may stand in another order.
    table = with_keys(sites, values)
    turned = descriptors_of(sites, table[table.columns[::-1]], source="d")
    np.testing.assert_array_equal(turned, values)


def test_a_site_without_descriptors_is_an_error(tmp_path):
    sites, values = table_of(["a", "a", "b"], [0, 1, 0])
    path = tmp_path / "d.parquet"
    write_table(with_keys(sites, values).iloc[:2], path, DESCRIPTORS)
    with pytest.raises(InputError, match=r"d\.parquet: no descriptors of 1 of 3 .* site 0 .* 'b'"):
        read_descriptors(path, sites)
    twice = pd.concat([with_keys(sites, values), with_keys(sites, values).iloc[:1]])
    with pytest.raises(InputError, match=r"d\.parquet: .*site_id"):
        write_table(twice, path, DESCRIPTORS)
