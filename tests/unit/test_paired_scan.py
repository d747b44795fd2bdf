"""Another scan of a place: found where it was shifted to, refused where it shows another place."""

import imageio.v3 as imageio
import numpy as np
import pytest
from scipy import ndimage

from damascene import InputError
from damascene.images.pairing.shifts import measure_shifts
from damascene.images.pairing.sources import open_second_scan
from damascene.images.store import TiledImage, Window, write_tiled
from damascene.restoration.paired_scan import (
    PairFiles,
    import_paired_scan,
    register_paired_scan,
    simulate_paired_scan,
)
from damascene.simulation import simulate_panorama
from damascene.simulation.panorama import make_specimen
from damascene.simulation.second_scan import without_noise

SIZE_NM = 40.0


def scene(shape, seed):
    """Structure without a period, from coarse to fine, about as steel has it."""
    rng = np.random.default_rng(seed)
    total = np.zeros(shape)
    for width, height in ((12, 25), (5, 25), (2, 20)):
        field = ndimage.gaussian_filter(rng.normal(size=shape), width)
        total += height * field / field.std()
    return 110 + total


def noisy(values, sigma, seed=0):
    values = values + np.random.default_rng(seed).normal(0, sigma, values.shape)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def stored(folder, name, pixels, mask=None):
    paths = folder / f"{name}.ome.tif", folder / f"{name}.valid.ome.tif"
    if mask is None:
        mask = np.full(pixels.shape, 255, np.uint8)
    for path, values, pyramid in ((paths[0], pixels, True), (paths[1], mask, False)):
        about = {"shape": pixels.shape, "pixel_size_nm": SIZE_NM, "name": name}
        write_tiled(path, [values], pyramid=pyramid, **about)
    return paths


def register(folder, panorama, scan, *, mask=None, scan_mask=None, threads=1):
    image, valid = stored(folder, "panorama", panorama, mask)
    files = PairFiles(
        image=image,
        valid=valid,
        paired_image=folder / f"pair{threads}.ome.tif",
        paired_valid=folder / f"pair{threads}.valid.ome.tif",
    )
    record = register_paired_scan(
        files,
        *stored(folder, "scan", scan, scan_mask),
        panorama="a",
        source="scan",
        sources=(),
        threads=threads,
    )
    with TiledImage(files.paired_image) as pair, TiledImage(files.paired_valid) as usable:
        return record, pair.read(), usable.read() == 255


@pytest.mark.parametrize("sigma", [2, 25])
@pytest.mark.parametrize("shift", [(0.5, -0.25), (7.3, -31.6), (-60.2, 45.85)])
def test_a_shift_of_part_of_a_pixel_is_found(tmp_path, shift, sigma):
    whole = scene((1000, 1000), 1)
    # Pixel (y, x) of the panorama is pixel (y - dy, x - dx) of the scan.
    moved = ndimage.shift(whole, [-each for each in shift], order=3, mode="mirror")
    panorama, truth = whole[100:900, 100:900], whole[100:900, 100:900]
    record, pair, usable = register(
        tmp_path, noisy(panorama, sigma), noisy(moved[100:900, 100:900], 2, 1)
    )
    # Measured: 0.012 px at most; seven such errors.
    assert (record.shift_y_px, record.shift_x_px) == pytest.approx(shift, abs=0.08)
    assert record.registered_blocks == record.blocks == 4
    assert record.resampled and record.residual_px < 0.1
    lost = (800 - abs(shift[0])) * (800 - abs(shift[1])) / 800**2
    assert usable.mean() == pytest.approx(lost, abs=0.004)
    assert not pair[~usable].any()
    # What is left is the noise of the scan, which splines do not increase.
    assert np.std(pair[usable] - truth[usable]) < 2.5


def test_whole_pixels_are_not_resampled(tmp_path):
    steel = scene((800, 1400), 2)
    scan = noisy(steel, 3, 1)
    record, pair, usable = register(tmp_path, noisy(steel, 3)[50:700, 50:1300], scan[:, 10:])
    assert not record.resampled
    assert (record.shift_y_px, record.shift_x_px) == pytest.approx((-50, -40), abs=0.02)
    assert usable.all()
    np.testing.assert_array_equal(pair, scan[50:700, 50:1300])


@pytest.mark.parametrize("brighter", [1, 1.2])
def test_the_same_scan_once_more_is_refused(tmp_path, brighter):
    panorama = noisy(scene((600, 700), 2), 3)
    copy = np.clip(np.rint(brighter * panorama.astype(float)), 0, 255).astype(np.uint8)
    with pytest.raises(InputError, match="is the panorama itself or a copy"):
        register(tmp_path, panorama[20:], copy[:-10])
    # Two scans without noise are alike and none of them is a copy of noise.
    clean = noisy(scene((600, 700), 2), 0)
    record, _, _ = register(tmp_path, clean, clean)
    assert record.covered_fraction == 1


def test_drift_is_followed(tmp_path):
    whole = scene((1700, 1200), 3)
    rows, columns = np.indices(whole.shape, float)
    # The stage drifted by 9 px from top to bottom, bent, and the scan is turned by 0.2 degrees.
    dy = 3 + 0.0035 * columns
    dx = -2 + 9 * (rows / 1700) ** 2 - 0.0035 * rows
    scan = ndimage.map_coordinates(whole, [rows + dy, columns + dx], order=3, mode="mirror")
    record, pair, usable = register(tmp_path, noisy(whole, 10), noisy(scan, 2, 1))
    assert record.largest_drift_px > 2
    assert record.registered_blocks == record.blocks
    inner = usable[40:-40, 40:-40]
    assert inner.all()
    difference = (pair - whole)[40:-40, 40:-40]
    # Against 26 without the registration, and 5.9 with one shift for all.
    assert difference.std() < 4.5


def test_another_place_is_refused(tmp_path):
    one, other = (noisy(scene((800, 800), seed), 3) for seed in (4, 5))
    with pytest.raises(InputError, match="does not show the place"):
        register(tmp_path, one, other)
    for name, wrong in {
        "mirrored": one[:, ::-1],
        "turned": one.T,
        "inverted": 255 - one,
        "empty": np.full_like(one, 90),
    }.items():
        with pytest.raises(InputError, match="does not show the place"):
            register(tmp_path, one, np.ascontiguousarray(wrong))
            pytest.fail(name)


def test_too_little_of_a_place_is_refused_and_nothing_is_left(tmp_path):
    whole = scene((1200, 1640), 6)
    with pytest.raises(InputError, match=r"shows 4\d% of the panorama, too little"):
        register(tmp_path, noisy(whole, 3)[:1100, :1100], noisy(whole, 3, 1)[100:, 540:])
    assert not list(tmp_path.glob("pair*"))


def test_blocks_that_show_something_else_are_left_out(tmp_path):
    whole = scene((1536, 1536), 7)
    scan = whole.copy()
    # Polished or contaminated between the two scans.
    scan[512:1024, 512:1024] = scene((512, 512), 8)
    record, _, usable = register(tmp_path, noisy(whole, 5), noisy(scan, 2, 1))
    assert record.registered_blocks == record.blocks - 1 == 8
    assert not usable[512:1024, 512:1024].any()
    assert usable.mean() == pytest.approx(8 / 9, abs=0.01)


def test_gaps_with_the_same_outline_register_nothing(tmp_path):
    """Missing tiles lie alike in the grid of both scans, whatever the stage did."""
    whole = scene((1200, 1200), 9)
    mask = np.full((1100, 1100), 255, np.uint8)
    mask[:400, 300:800] = 0
    one, other = noisy(whole[50:1150, 50:1150], 5), noisy(whole[30:1130, 70:1170], 2, 1)
    one[mask == 0] = other[mask == 0] = 0
    record, pair, usable = register(tmp_path, one, other, mask=mask, scan_mask=mask)
    assert (record.shift_y_px, record.shift_x_px) == pytest.approx((-20, 20), abs=0.05)
    assert not usable[mask == 0].any()
    seen = usable & (mask == 255)
    assert np.std(pair[seen] - whole[50:1150, 50:1150][seen]) < 3


def test_grey_values_are_brought_to_those_of_the_panorama(tmp_path):
    whole = scene((800, 800), 10)
    record, pair, _ = register(tmp_path, noisy(whole, 20), noisy(0.7 * whole + 30, 2, 1))
    assert record.grey_matched
    # Clipping of noise and what of it is left in the means of 8 x 8 pixels.
    assert record.grey_slope == pytest.approx(1 / 0.7, rel=0.02)
    assert record.grey_offset == pytest.approx(-30 / 0.7, abs=1.5)
    assert record.noise_grey_levels == pytest.approx(2 / 0.7, rel=0.15)
    assert record.panorama_noise_grey_levels == pytest.approx(20, rel=0.1)
    assert abs(np.mean(pair - np.clip(whole, 0, 255))) < 1
    alike, _, _ = register(tmp_path, noisy(whole, 20), noisy(whole, 2, 1))
    assert not alike.grey_matched


def test_threads_change_nothing(tmp_path):
    whole = scene((800, 800), 11)
    scan = ndimage.shift(whole, (2.4, -3.3), order=3)
    one = register(tmp_path, noisy(whole, 8), noisy(scan, 2), threads=1)
    two = register(tmp_path, noisy(whole, 8), noisy(scan, 2), threads=3)
    assert one[0] == two[0]
    assert (tmp_path / "pair1.ome.tif").read_bytes() == (tmp_path / "pair3.ome.tif").read_bytes()


def test_a_tiny_panorama_can_have_a_pair(tmp_path):
    whole = scene((300, 260), 12)
    record, _, usable = register(tmp_path, noisy(whole, 5), noisy(whole, 2, 1))
    assert record.blocks == 1 and usable.all()


def test_a_file_is_read_as_panoramas_are(tmp_path):
    whole = scene((700, 900), 13)
    image, valid = stored(tmp_path, "panorama", noisy(whole, 15))
    files = PairFiles(
        image=image,
        valid=valid,
        paired_image=tmp_path / "pair.ome.tif",
        paired_valid=tmp_path / "pair.valid.ome.tif",
    )
    # 16 bits, as slow scans often are.
    source = tmp_path / "slow.png"
    imageio.imwrite(source, np.rint(np.clip(whole, 0, 255) * 257).astype(np.uint16))
    record = import_paired_scan(files, panorama="a", source=source, cell="sheet, row 2")
    assert record.source == str(source) and record.sources[0].file == "slow.png"
    assert record.covered_fraction == 1 and not record.resampled
    source.write_bytes(source.read_bytes()[:3000])
    with pytest.raises(InputError, match=r"^sheet, row 2: .*slow\.png"):
        import_paired_scan(files, panorama="a", source=source, cell="sheet, row 2")


def test_simulated_steel_is_scanned_once_more_with_other_noise(tmp_path):
    about = {"shape": (600, 700), "pixel_size_nm": 40.0, "strain_percent": 6.0, "seed": 3}
    image = tmp_path / "panorama.ome.tif"
    simulate_panorama(
        panorama="a",
        dwell_time_ns=100.0,
        image_path=image,
        phases_path=tmp_path / "phases.ome.tif",
        **about,
    )
    stored(tmp_path, "mask", np.full(about["shape"], 255, np.uint8))
    files = PairFiles(
        image=image,
        valid=tmp_path / "mask.valid.ome.tif",
        paired_image=tmp_path / "pair.ome.tif",
        paired_valid=tmp_path / "pair.valid.ome.tif",
    )
    record = simulate_paired_scan(files, panorama="a", cell="sheet", **about)
    assert record.covered_fraction == 1 and not record.resampled
    assert record.noise_grey_levels < 5 < 20 < record.panorama_noise_grey_levels
    with TiledImage(image) as fast, TiledImage(files.paired_image) as slow:
        one, other = fast.read().astype(float), slow.read().astype(float)
    specimen = make_specimen(**about)
    clean = without_noise(specimen, Window(top=0, left=0, bottom=600, right=700))
    # Where nothing is clipped.
    grey = (clean > 90) & (clean < 170)
    noises = [(values - clean)[grey] for values in (one, other)]
    assert [np.std(noise) for noise in noises] == pytest.approx([25, 2.9], rel=0.1)
    # The noise of the fast scan must not be in the slow one: it would teach networks to keep it.
    assert abs(np.corrcoef(*noises)[0, 1]) < 4 / np.sqrt(grey.sum())


@pytest.mark.parametrize(
    ("size_px", "size_nm", "overrides", "words"),
    [
        ((900, 700), 40.0, False, None),
        ((900, 700), 33.0, False, "pixels of 40 nm, the panorama of 33 nm"),
        ((900, 700), 33.0, True, None),
        ((2000, 700), 40.0, False, "shows 45% of it at most"),
    ],
)
def test_what_headers_tell_is_refused_before_work(tmp_path, size_px, size_nm, overrides, words):
    source, _ = stored(tmp_path, "scan", noisy(scene((700, 900), 14), 2))
    about = {"size_px": size_px, "pixel_size_nm": size_nm, "overrides": overrides}
    if words is None:
        assert open_second_scan(source, **about).shape == (700, 900)
    else:
        with pytest.raises(InputError, match=words):
            open_second_scan(source, **about)
    with pytest.raises(InputError, match="there is no file"):
        open_second_scan(tmp_path / "none.tif", **about)


def test_shifts_of_blocks_are_those_of_the_scene(tmp_path):
    whole = scene((800, 800), 15)
    image, valid = (TiledImage(path) for path in stored(tmp_path, "a", noisy(whole, 5)))
    scan = ndimage.shift(whole, (4.5, 0), order=3, mode="mirror")
    other, other_valid = (TiledImage(path) for path in stored(tmp_path, "b", noisy(scan, 2, 1)))
    shifts = measure_shifts(image, valid, other, other_valid, threads=2)
    np.testing.assert_allclose(shifts.dy, -4.5, atol=0.05)
    np.testing.assert_allclose(shifts.dx, 0, atol=0.05)
    assert shifts.correlation > 0.95
