"""What speaks against candidates is said, and steel as it should be is left alone."""

import numpy as np
import pytest
from scipy import ndimage
from test_quality import PIXEL_NM, complete, scene, stored

from damascene.contracts.phase_record import PhaseRecord
from damascene.contracts.quality_record import Caveat
from damascene.detection.darkness import FixedThreshold, RelativeThreshold, dark_limit
from damascene.images.valid_area import VALID
from damascene.quality.caveats import caveats
from damascene.quality.summary import summarise
from damascene.segmentation.maps import map_caveats
from damascene.statistics.caveats import caveat_lines

RELATIVE = RelativeThreshold(depth=0.46, block_px=200)


def judged(folder, pixels, *, dark=RELATIVE, sites=((100, 100),), dark_pixels=100):
    image, valid = stored(folder, pixels, np.full(pixels.shape, VALID, np.uint8))
    limit = dark_limit(image, valid, dark=dark)
    x, y = zip(*sites, strict=True) if sites else ((), ())
    quality, blocks = complete(image, valid, x=x, y=y, limit=limit)
    size = {"pixel_size_nm": PIXEL_NM}
    doubts = caveats(quality, blocks, limit=limit, dark_pixels=dark_pixels, **size)
    return summarise(quality, blocks=blocks, limit=limit, caveats=doubts), blocks


def steel(shape=(800, 1200), **options):
    """A third of martensite in ferrite, with a few cavities."""
    rng = np.random.default_rng(1)
    islands = ndimage.gaussian_filter(rng.standard_normal(shape), 6)
    smooth = np.where(islands > np.quantile(islands, 0.67), 170.0, 70.0)
    for row, column in rng.integers(20, 780, (30, 2)):
        smooth[row - 3 : row + 4, column - 3 : column + 4] = 5
    noisy = ndimage.gaussian_filter(smooth, 1) + rng.normal(0, 4, shape)
    return noisy.round().clip(0, 255).astype(np.uint8)


def one_phase(grey=120.0, shape=(800, 1200)):
    noise = np.random.default_rng(2).normal(grey, 12, shape)
    return noise.round().clip(0, 255).astype(np.uint8)


def kinds(summary):
    return [caveat.kind for caveat in summary.caveats]


def test_steel_as_it_should_be_is_left_alone(tmp_path):
    summary, blocks = judged(tmp_path, steel())
    assert summary.caveats == ()
    assert summary.levels.blocks == summary.levels.measured_blocks == 24
    assert set(blocks["levels_from"]) == {"block"}


def test_a_guessed_threshold_is_said(tmp_path):
    summary, blocks = judged(tmp_path, one_phase())
    (caveat,) = summary.caveats
    assert caveat.kind == "no_levels"
    # 1 - 0.46 * 1.5
    assert "dark is what lies below 31 % of that grey" in caveat.text
    assert "set a fixed threshold" in caveat.text
    assert summary.levels.measured_blocks == 0
    assert set(blocks["levels_from"]) == {"assumed"}
    # A fixed threshold needs no levels.
    summary, blocks = judged(tmp_path, one_phase(), dark=FixedThreshold(grey=20))
    assert summary.caveats == () and summary.levels is None
    assert set(blocks["levels_from"]) == {""}


def test_blocks_with_the_levels_of_others_are_counted(tmp_path):
    pixels = steel()
    pixels[:, 300:] = one_phase()[:, 300:]
    summary, blocks = judged(tmp_path, pixels)
    (caveat,) = summary.caveats
    assert caveat.kind == "few_levels"
    measured = summary.levels.measured_blocks
    assert 4 <= measured <= 8
    assert f"only {measured} of 24 blocks show" in caveat.text
    assert (blocks["levels_from"] == "block").sum() == measured
    assert (blocks["levels_from"] == "nearest").sum() == 24 - measured


@pytest.mark.parametrize("dark", [RELATIVE, FixedThreshold(grey=20)])
def test_a_negative_is_recognised(tmp_path, dark):
    summary, _ = judged(tmp_path, 255 - steel(), dark=dark)
    assert kinds(summary) == ["inverted"]
    assert "enter 'yes' in the sample sheet, column invert" in summary.caveats[0].text
    # Without a single candidate there is more to say.
    summary, _ = judged(tmp_path, 255 - steel(), dark=dark, sites=())
    assert kinds(summary) == ["inverted", "no_candidates"]


def test_bright_spots_in_even_steel_without_candidates_look_like_a_negative(tmp_path):
    pixels = one_phase(150)
    for row, column in np.random.default_rng(3).integers(20, 780, (30, 2)):
        pixels[row - 3 : row + 4, column - 3 : column + 4] = 250
    dark = FixedThreshold(grey=60)
    (caveat,) = judged(tmp_path, pixels, dark=dark, sites=())[0].caveats
    assert caveat.kind == "no_candidates"
    assert "0.15 % of it is brighter than the steel" in caveat.text
    assert "column invert" in caveat.text
    (caveat,) = judged(tmp_path, one_phase(150), dark=dark, sites=())[0].caveats
    assert caveat.text == "no dark site was found in 0.0096 mm²"


def test_heavy_damage_is_no_negative(tmp_path):
    pixels = steel()
    pixels[np.random.default_rng(4).random(pixels.shape) < 0.06] = 0
    assert "inverted" not in kinds(judged(tmp_path, pixels)[0])


def test_a_panorama_that_is_blank_was_not_searched(tmp_path):
    image, valid = stored(tmp_path, *[np.zeros((300, 300), np.uint8)] * 2)
    limit = dark_limit(image, valid, dark=RELATIVE)
    quality, blocks = complete(image, valid, limit=limit)
    (caveat,) = caveats(quality, blocks, limit=limit, dark_pixels=0, pixel_size_nm=PIXEL_NM)
    assert "nothing was searched" in caveat.text


def test_more_darkness_than_there_can_be_is_said(tmp_path):
    pixels = steel()
    assert kinds(judged(tmp_path, pixels, dark_pixels=pixels.size // 20)[0]) == []
    (caveat,) = judged(tmp_path, pixels, dark_pixels=pixels.size // 5)[0].caveats
    assert caveat.kind == "much_dark"
    assert "20 % of the valid area is dark" in caveat.text


def test_the_headline_names_each_panorama_or_how_many_there_are(tmp_path):
    summary, _ = judged(tmp_path, scene((400, 400)))
    doubt = Caveat(kind="no_candidates", text="no dark site was found in 0.1 mm²")
    records = [
        summary.model_copy(update={"panorama": name, "caveats": (doubt,)}) for name in "abcd"
    ]
    assert caveat_lines([summary]) == []
    assert caveat_lines([summary, *records[:2]]) == [
        "! a: no dark site was found in 0.1 mm².",
        "! b: no dark site was found in 0.1 mm².",
    ]
    other, line = caveat_lines(records, others=["Greys differ."])
    assert other == "! Greys differ."
    assert line.startswith("! 4 panoramas (a, b, c, ...): no dark site was found. What to do")


def test_the_headline_tells_what_speaks_against_phase_maps():
    doubts = map_caveats(
        {"ferrite": 1.0, "martensite": 0.0},
        confidence=0.99,
        pixel_size_nm=40,
        learned_nm=None,
        damage_phase="",
    )
    record = PhaseRecord(
        panorama="a",
        method="simulated",
        trained_on="simulated steel only",
        phases={"ferrite": 1, "martensite": 2},
        pixels={"ferrite": 9, "martensite": 0},
        fractions={"ferrite": 1.0, "martensite": 0.0},
        confidence=0.99,
        confidence_by_phase={"ferrite": 0.99, "martensite": None},
        caveats=tuple(doubts),
        versions={},
    )
    (line,) = caveat_lines([record])
    assert line.startswith("! a: its phase map has 0 % martensite. A negative")
    records = [record.model_copy(update={"panorama": name}) for name in "abcd"]
    (line,) = caveat_lines(records)
    assert line.endswith("What to do stands in results/phases/*.json.")


def test_ferrite_that_counts_as_dark_among_much_martensite_is_said(tmp_path):
    pixels = steel((1600, 2000)).astype(float)
    # Two greys of martensite, and too little ferrite to be seen as a phase.
    rng = np.random.default_rng(3)
    part = ndimage.gaussian_filter(rng.standard_normal((600, 600)), 6)
    greys = np.where(part > 0, 195.0, 135.0)
    greys[part < np.quantile(part, 0.1)] = 70
    pixels[400:1000, 400:1000] = greys + rng.normal(0, 4, part.shape)
    pixels = pixels.round().clip(0, 255).astype(np.uint8)
    everywhere = [(100 + 200 * x, 100 + 200 * y) for x in range(10) for y in range(8)]
    crowd = [(610 + 15 * number, 700) for number in range(12)]

    summary, _ = judged(tmp_path, pixels, sites=everywhere + crowd)
    (caveat,) = summary.caveats
    assert caveat.kind == "dark_ferrite"
    assert "(13 candidates)" in caveat.text and "x 600 to 800, y 600 to 800 px" in caveat.text
    # Without the crowd, or in steel whose threshold is even, nothing is wrong.
    summary, _ = judged(tmp_path, pixels, sites=everywhere)
    assert summary.caveats == ()
    summary, _ = judged(tmp_path, steel((1600, 2000)), sites=everywhere + crowd)
    assert summary.caveats == ()
