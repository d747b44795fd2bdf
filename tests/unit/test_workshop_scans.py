"""A fast and a slow scan on the page on steel."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from damascene.config.detection import Detection, Threshold
from damascene.contracts.paired_scan_record import PairedScanRecord
from damascene.images.store import Window, write_tiled
from damascene.workshop.scans import (
    compare_denoisers,
    denoised_detail,
    fast_scan_of,
    part_with_sites,
    real_scans,
)

SETTINGS = Detection(threshold=Threshold(rule="fixed", grey=60), minimum_area="6 px2")
rng = np.random.default_rng(4)


def slow_scan():
    """Return bright steel with six black holes, and three beside each other on the right."""
    pixels = np.full((256, 320), 150.0)
    for row, column in ((30, 40), (30, 200), (120, 60), (200, 270), (215, 285), (200, 300)):
        pixels[row : row + 6, column : column + 6] = 5
    pixels += rng.normal(0, 1.5, pixels.shape)
    return pixels.clip(0, 255).round().astype(np.uint8)


def test_the_noise_of_a_fast_scan_is_that_of_100_ns():
    slow = slow_scan()
    scans = fast_scan_of(slow, np.ones(slow.shape, bool), pixel_um=0.04, seed=3)
    assert scans.noise_grey == pytest.approx(25.04, abs=0.01)
    difference = scans.fast.astype(float) - slow
    assert difference[slow > 100].std() == pytest.approx(scans.noise_grey, rel=0.05)
    # Skewed, as of few electrons: the cube of the noise is not even.
    assert (difference[slow > 100] ** 3).mean() / scans.noise_grey**3 > 0.4


def test_an_image_that_is_noisy_itself_gets_more_noise_or_none():
    noisy = rng.normal(128, 25, (256, 256)).clip(0, 255).astype(np.uint8)
    valid = np.ones(noisy.shape, bool)
    assert fast_scan_of(noisy, valid, pixel_um=0.04, seed=3).noise_grey > 40
    black_and_white = rng.integers(60, 200, (256, 256), dtype=np.uint8) // 140 * 170 + 20
    assert fast_scan_of(black_and_white, valid, pixel_um=0.04, seed=3) is None


def test_sites_and_pixels_are_compared_with_the_slow_scan():
    slow = slow_scan()
    scans = fast_scan_of(slow, np.ones(slow.shape, bool), pixel_um=0.04, seed=3)
    table = compare_denoisers(scans, settings=SETTINGS, seed=3, methods=("none", "gaussian"))
    table = table.set_index("method")
    assert list(table["reference_sites"]) == [6, 6]
    assert (table["kept"] + table["lost"] == 6).all()
    # The noise that is drawn is the noise that is compared.
    assert table.loc["none", "psnr_db"] == pytest.approx(peak_signal_noise_ratio(slow, scans.fast))
    assert table.loc["gaussian", "psnr_db"] > table.loc["none", "psnr_db"] + 3


def test_a_detail_is_denoised_by_the_noise_of_the_whole():
    slow = slow_scan()
    scans = fast_scan_of(slow, np.ones(slow.shape, bool), pixel_um=0.04, seed=3)
    window = part_with_sites(scans, settings=SETTINGS, edge_um=2.56)
    # Three sites lie together.
    assert window.shape == (64, 64) and window.top > 150 and window.right > 300
    shown = denoised_detail(scans, window, methods=("none", "gaussian"))
    np.testing.assert_array_equal(shown["none"], scans.fast[window.slices()])
    errors = {
        name: np.square(pixels.astype(float) - slow[window.slices()]).mean()
        for name, pixels in shown.items()
    }
    assert errors["gaussian"] < 0.5 * errors["none"]


@pytest.mark.parametrize(("noise_of_slow", "taken"), [(2.0, True), (20.0, False)])
def test_real_scans_are_taken_where_the_second_is_less_noisy(tmp_path, noise_of_slow, taken):
    paths = {}
    for name, value in (("fast", 120), ("valid", 255), ("slow", 130), ("slow_valid", 255)):
        paths[name] = tmp_path / f"{name}.ome.tif"
        pixels = np.full((100, 90), value, np.uint8)
        if name == "slow_valid":
            pixels[:10] = 0
        write_tiled(
            paths[name], [pixels], shape=pixels.shape, pixel_size_nm=40, name=name, pyramid=False
        )
    facts = dict.fromkeys(PairedScanRecord.model_fields, 1)
    facts |= {"panorama": "p", "source": "s", "sources": (), "resampled": False}
    facts |= {"grey_matched": True, "noise_grey_levels": noise_of_slow}
    facts |= {"panorama_noise_grey_levels": 25.0, "versions": {}}
    record = tmp_path / "record.json"
    PairedScanRecord(**facts).write(record)
    scans = real_scans(
        (paths["fast"], paths["valid"]),
        (paths["slow"], paths["slow_valid"], record),
        window=Window(top=5, left=10, bottom=55, right=60),
    )
    assert (scans is not None) == taken
    if taken:
        assert scans.fast.shape == (50, 50) and scans.fast.max() == 120 and scans.slow.min() == 130
        assert not scans.valid[:5].any() and scans.valid[5:].all()
        assert scans.noise_grey == 0 and scans.pixel_um == pytest.approx(0.04)


def test_a_study_without_a_second_scan_has_no_real_pair():
    assert real_scans(("a", "b"), [], window=Window(top=0, left=0, bottom=1, right=1)) is None
