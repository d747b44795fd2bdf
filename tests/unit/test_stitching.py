import gc
import tracemalloc

import imagecodecs
import numpy as np
import pandas as pd
import pytest
import tifffile
from scipy.ndimage import fourier_shift, gaussian_filter

from damascene import InputError
from damascene.contracts.stitching import FRAMES
from damascene.contracts.table import write_tsv
from damascene.figures.stitching import draw_stitching
from damascene.images.stitching.blend import blended_strips, covered_strips, place
from damascene.images.stitching.brightness_matching import gain_table, solve_gains
from damascene.images.stitching.frames import (
    is_stitched,
    neighbours,
    open_frames,
)
from damascene.images.stitching.offsets import Strip, measure_offset, overlap_windows
from damascene.images.stitching.panorama import stitch_frames
from damascene.images.stitching.positions import solve_positions
from damascene.images.store import TiledImage
from damascene.images.valid_area import NO_IMAGE, VALID
from damascene.labels.tiles import nominal_tiles, placed_tiles

WIDTH, HEIGHT = 240, 200
SIZE = np.array([WIDTH, HEIGHT])


def texture(shape, seed=0):
    """Grains, as grey values from 20 to 235 with structure at several scales."""
    rng = np.random.default_rng(seed)
    field = sum(
        gaussian_filter(rng.standard_normal(shape), sigma, mode="wrap") * sigma
        for sigma in (2, 5, 12)
    )
    field = (field - field.min()) / np.ptp(field)
    return np.rint(20 + 215 * field).astype(np.uint8)


def noisy(pixels, sd, seed):
    noise = np.random.default_rng(seed).normal(0, sd, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


def measured(first, second, expected, search_px=30):
    windows = overlap_windows(np.array(expected), size=SIZE, search_px=search_px)
    strips = (
        Strip(pixels=frame[low[1] : high[1], low[0] : high[0]], corner=low)
        for frame, (low, high) in zip((first, second), windows, strict=True)
    )
    return measure_offset(*strips, expected=np.array(expected), search_px=search_px)


def cut(scene, x, y):
    return scene[y : y + HEIGHT, x : x + WIDTH]


# --- offsets of two frames


@pytest.mark.parametrize("noise", [0, 5, 15, 25])
@pytest.mark.parametrize(
    "expected, true", [((190, 0), (203, -17)), ((0, 160), (-22, 149)), ((-190, 10), (-171, -8))]
)
def test_an_offset_is_found_in_noise_and_with_other_brightness(expected, true, noise):
    scene = texture((500, 600), seed=1)
    first = noisy(cut(scene, 250, 60), noise, seed=2)
    second = noisy(cut(scene, 250 + true[0], 60 + true[1]) * 0.8 + 10, noise, seed=3)
    offset = measured(first, second, expected)
    assert offset.fault == ""
    # Cramer and Rao's bound on the standard deviation of a shift of white noise on this texture.
    overlap = np.prod(SIZE - np.abs(true))
    slope = np.sqrt(np.mean([part.var() for part in np.gradient(scene.astype(float))]))
    bound = noise * np.hypot(1, 1 / 0.8) / (slope * np.sqrt(overlap))
    # Four times, in two directions, and a little for the rounding of grey values.
    wrong = np.hypot(offset.dx_px - true[0], offset.dy_px - true[1])
    assert wrong < 4 * np.sqrt(2) * bound + 0.03
    # Mean grey of what overlaps, clipped noise aside.
    assert offset.second_level == pytest.approx(0.8 * offset.first_level + 10, abs=1)


def test_an_offset_is_found_below_the_pixel():
    scene = texture((400, 512), seed=4).astype(float)
    for fraction in (0.25, 0.5, -0.3):
        moved = np.fft.ifft2(fourier_shift(np.fft.fft2(scene), (-fraction, fraction))).real
        offset = measured(cut(scene, 20, 30), cut(moved, 210, 35), (185, 0))
        assert (offset.dx_px, offset.dy_px) == pytest.approx(
            (190 - fraction, 5 + fraction), abs=0.1
        )


@pytest.mark.parametrize("seed", range(8))
def test_overlaps_without_common_structure_are_refused(seed):
    flat = np.full((HEIGHT, WIDTH), 90, np.uint8)
    assert measured(noisy(flat, 8, 2 * seed), noisy(flat, 8, 2 * seed + 1), (200, 0)).fault
    assert measured(flat, flat, (200, 0)).fault == "featureless"
    other = measured(*(texture((HEIGHT, WIDTH), seed=50 + 2 * seed + k) for k in (0, 1)), (200, 0))
    assert other.fault


def test_a_texture_that_repeats_itself_is_ambiguous_unless_the_search_is_narrow():
    columns, rows = np.meshgrid(np.arange(600), np.arange(400))
    scene = 120 + 50 * np.sin(columns * 2 * np.pi / 25) + 50 * np.sin(rows * 2 * np.pi / 25)
    first, second = cut(scene, 100, 50), cut(scene, 293, 54)
    assert measured(first, second, (190, 0), search_px=30).fault in ("ambiguous", "featureless")
    narrow = measured(noisy(first, 5, 1), noisy(second, 5, 2), (190, 0), search_px=10)
    assert (narrow.dx_px, narrow.dy_px) == pytest.approx((193, 4), abs=0.5)


def test_windows_hold_the_overlap_for_every_offset_that_is_searched():
    for expected in ((190, 0), (-200, 15), (10, 180), (180, -150)):
        first, second = overlap_windows(np.array(expected), size=SIZE, search_px=20)
        for wrong in ((-20, 20), (20, 20), (0, -20)):
            offset = np.array(expected) + wrong
            common = np.array([np.maximum(offset, 0), np.minimum(SIZE, offset + SIZE)])
            assert (first[0] <= common[0]).all() and (common[1] <= first[1]).all()
            assert (second[0] <= common[0] - offset).all()
            assert (common[1] - offset <= second[1]).all()


# --- positions of all frames


def grid(columns, rows, step=(200.0, 170.0)):
    return np.array([(i, j) for j in range(rows) for i in range(columns)]) * step


def links(nominal):
    return neighbours(nominal, width_px=WIDTH, height_px=HEIGHT)


def steps(positions, pairs):
    return positions[pairs[:, 1]] - positions[pairs[:, 0]]


def without_shift(positions):
    return positions - positions.mean(axis=0)


def test_neighbours_are_those_that_overlap_without_the_corners():
    pairs = links(grid(4, 3))
    assert len(pairs) == 3 * 3 + 4 * 2
    np.testing.assert_array_equal(pairs, sorted(map(tuple, pairs)))


def test_positions_are_the_weighted_least_squares_of_the_offsets():
    rng = np.random.default_rng(0)
    nominal = grid(5, 4)
    pairs = links(nominal)
    true = nominal + rng.normal(0, 15, nominal.shape)
    offsets = steps(true, pairs) + rng.normal(0, 0.3, (len(pairs), 2))
    weights = rng.uniform(0.2, 1, len(pairs))
    solved = solve_positions(nominal, pairs, offsets, weights)
    assert solved.used.all() and solved.corners_px.min(axis=0) == pytest.approx((0, 0))
    matrix = np.zeros((len(pairs), len(nominal)))
    matrix[np.arange(len(pairs)), pairs[:, 1]] = 1
    matrix[np.arange(len(pairs)), pairs[:, 0]] = -1
    root = np.sqrt(weights)[:, None]
    expected = np.linalg.lstsq(matrix * root, offsets * root, rcond=None)[0]
    np.testing.assert_allclose(without_shift(solved.corners_px), without_shift(expected), atol=1e-4)
    np.testing.assert_allclose(
        solved.residual_px, np.linalg.norm(matrix @ expected - offsets, axis=1), atol=1e-4
    )


def test_false_offsets_are_found_and_left_out():
    rng = np.random.default_rng(1)
    nominal = grid(6, 5)
    pairs = links(nominal)
    true = nominal + rng.normal(0, 12, nominal.shape)
    offsets = steps(true, pairs)
    # Not at a corner, where a false offset stands against one that is right.
    inner = ((pairs % 6 > 0) & (pairs % 6 < 5)).all(axis=1)
    false = rng.choice(np.flatnonzero(inner), 5, replace=False)
    offsets[false] += rng.choice([-1, 1], (5, 2)) * rng.uniform(15, 60, (5, 2))
    solved = solve_positions(nominal, pairs, offsets, np.ones(len(pairs)))
    np.testing.assert_array_equal(np.flatnonzero(~solved.used), np.sort(false))
    np.testing.assert_allclose(without_shift(solved.corners_px), without_shift(true), atol=1e-3)
    assert (solved.residual_px[false] > 15).all()


def test_a_frame_without_offsets_follows_its_neighbours():
    nominal = grid(5, 3)
    # The stage moved 2 % too far, and everything on the right once more by a jump.
    true = nominal * 1.02 + np.where(nominal[:, :1] > 500, 25, 0)
    pairs = links(nominal)
    offsets = steps(true, pairs)
    lone = 9
    offsets[(pairs == lone).any(axis=1)] = np.nan
    solved = solve_positions(nominal, pairs, offsets, np.ones(len(pairs)))
    wrong = np.linalg.norm(without_shift(solved.corners_px) - without_shift(true), axis=1)
    # Two of its three neighbours lie on its own side of the jump, which is a step in x.
    assert wrong[lone] < 12 and np.delete(wrong, lone).max() < 1
    assert (solved.group == solved.group[lone]).sum() == 1


def test_without_any_offset_the_nominal_positions_stay():
    nominal = grid(3, 2) + 1000
    pairs = links(nominal)
    solved = solve_positions(nominal, pairs, np.full((len(pairs), 2), np.nan), np.zeros(len(pairs)))
    np.testing.assert_allclose(solved.corners_px, nominal - 1000, atol=1e-6)
    assert not solved.used.any() and np.isnan(solved.residual_px).all()


# --- brightness


def test_gains_bring_overlaps_to_one_level():
    rng = np.random.default_rng(2)
    nominal = grid(6, 4)
    pairs = links(nominal)
    true = np.exp(rng.normal(0, 0.06, len(nominal)))
    scene = rng.uniform(80, 140, len(pairs))
    gains = solve_gains(nominal / SIZE, pairs, scene * true[pairs[:, 0]], scene * true[pairs[:, 1]])
    left = np.log(gains * true)
    # What is left is a slope far below the steps that were there.
    assert np.abs(steps(left, pairs)).max() < 0.2 * np.abs(steps(np.log(true), pairs)).max()


def test_shading_of_every_frame_does_not_become_a_slope():
    nominal = grid(15, 1)
    pairs = links(nominal)
    level = np.full(len(pairs), 100.0)
    gains = solve_gains(nominal / SIZE, pairs, level, level * 1.04)
    # Corrected step by step, the last frame would be darkened by 1.04 ** 14 = 1.73.
    assert gains.max() / gains.min() < 1.05


def test_small_differences_change_no_grey_value():
    nominal = grid(3, 1)
    level = np.array([100.0, 100.0])
    gains = solve_gains(nominal / SIZE, links(nominal), level, level * [1.005, 0.996])
    assert (gains == 1).all()
    assert gain_table(1.0, dtype=np.dtype(np.uint8), full=255) is None


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535), (np.uint16, 4095)])
@pytest.mark.parametrize("gain", [0.8, 1.3])
def test_a_gain_keeps_black_and_what_is_saturated(dtype, top, gain):
    table = gain_table(gain, dtype=np.dtype(dtype), full=top)
    assert table[0] == 0 and table[top] == top and table.dtype == dtype
    assert table[top // 4] == round(top // 4 * gain)
    assert (np.diff(table.astype(int)) >= 0).all()
    # Nothing becomes saturated that was not.
    assert table[int(0.98 * top)] < 0.99 * top


# --- blending


def written(folder, frames, positions, *, columns=("x_px", "y_px"), encode=None):
    encode = encode or (lambda pixels: imagecodecs.png_encode(pixels, level=1))
    lines = ["\t".join(["file", *columns])]
    for index, (pixels, (x, y)) in enumerate(zip(frames, positions, strict=True)):
        (folder / f"f{index}.png").write_bytes(encode(pixels))
        lines.append(f"f{index}.png\t{x}\t{y}")
    (folder / "frames.tsv").write_text("\n".join(lines) + "\n")
    return folder / "frames.tsv"


def opened(source, **options):
    return open_frames(source, panorama="P1", **{"pixel_size_nm": 50.0, **options})


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_blending_is_the_weighted_mean_whatever_the_strips(tmp_path, dtype):
    rng = np.random.default_rng(3)
    frames = rng.integers(0, np.iinfo(dtype).max, (4, 50, 60), dtype)
    placed = np.array([(0, 3), (41, 0), (5, 38), (120, 60)])
    headers = opened(written(tmp_path, frames, placed)).headers
    total, weights = np.zeros((110, 180)), np.zeros((110, 180))
    for frame, (x, y) in zip(frames, placed, strict=True):
        across = np.minimum(np.arange(60), 59 - np.arange(60)) + 0.5
        down = np.minimum(np.arange(50), 49 - np.arange(50)) + 0.5
        weight = down[:, None] * across
        total[y : y + 50, x : x + 60] += weight * frame
        weights[y : y + 50, x : x + 60] += weight
    expected = np.divide(total, weights, out=np.zeros_like(total), where=weights > 0)
    results = [
        np.concatenate(
            list(blended_strips(headers, placed, np.ones(4), strip_rows=rows, threads=threads))
        )
        for rows, threads in ((256, 1), (7, 3), (50, 2))
    ]
    for result in results:
        assert result.dtype == dtype
        np.testing.assert_array_equal(result, results[0])
    # Single precision.
    assert np.abs(results[0] - expected).max() <= 0.5 + 1e-5 * np.iinfo(dtype).max
    covered = np.concatenate(list(covered_strips(placed, width_px=60, height_px=50, strip_rows=9)))
    np.testing.assert_array_equal(covered, weights > 0)


def test_between_two_frames_the_weight_runs_straight(tmp_path):
    frames = np.stack([np.full((40, 100), 200, np.uint8), np.zeros((40, 100), np.uint8)])
    headers = opened(written(tmp_path, frames, [(0, 0), (80, 0)])).headers
    (strip,) = blended_strips(headers, np.array([(0, 0), (80, 0)]), np.ones(2))
    np.testing.assert_array_equal(strip[:, :80], 200)
    np.testing.assert_array_equal(strip[:, 100:], 0)
    np.testing.assert_allclose(strip[7, 80:100], 200 * (1 - (np.arange(20) + 0.5) / 20), atol=0.5)


def test_places_are_whole_pixels_from_zero():
    corners = np.random.default_rng(0).uniform(0, 500, (40, 2))
    placed = place(corners)
    assert placed.dtype == np.int64 and (placed.min(axis=0) == 0).all()
    moved = placed - corners
    assert (np.ptp(moved, axis=0) <= 1).all()
    # A fraction that all have in common moves nothing.
    whole = np.rint(corners) + np.array([0.5, 0.499])
    np.testing.assert_array_equal(place(whole), np.rint(corners) - np.rint(corners).min(axis=0))


def test_memory_of_the_blending_does_not_grow_with_the_rows_of_frames(tmp_path):
    frame = texture((400, 500), seed=5)

    def peak(rows):
        placed = np.array([(i * 450, j * 360) for j in range(rows) for i in range(3)])
        headers = opened(written(tmp_path, [frame] * len(placed), placed)).headers
        gc.collect()
        tracemalloc.start()
        for _ in blended_strips(headers, placed, np.ones(len(placed)), strip_rows=128):
            pass
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    assert peak(9) < 1.1 * peak(3)


# --- whole panoramas


def scattered(scene, *, columns=3, rows=2, step=(200, 165), jitter=8, seed=6, missing=()):
    """Cut frames from a scene: pixels, nominal corners and true corners."""
    rng = np.random.default_rng(seed)
    nominal = [
        (i * step[0], j * step[1])
        for j in range(rows)
        for i in range(columns)
        if (i, j) not in missing
    ]
    jitters = np.clip(rng.normal(0, jitter, (len(nominal), 2)).round(), -20, 20)
    true = (np.array(nominal) + jitters + 20).astype(int)
    return [cut(scene, x, y) for x, y in true], nominal, true


def stitched(source, folder, *, strip_rows=256, threads=1, **options):
    record, pairs, frames = stitch_frames(
        opened(source, **options),
        panorama="P1",
        image_path=folder / "P1.ome.tif",
        valid_path=folder / "P1.valid.ome.tif",
        strip_rows=strip_rows,
        threads=threads,
    )
    with (
        TiledImage(folder / "P1.ome.tif") as image,
        TiledImage(folder / "P1.valid.ome.tif") as valid,
    ):
        return image.read(), valid.read(), record, pairs, frames


def position_error(frames, true):
    return np.linalg.norm(
        without_shift(frames[["x_px", "y_px"]].to_numpy()) - without_shift(true), axis=1
    )


def test_frames_cut_from_an_image_give_it_back(tmp_path):
    scene = texture((600, 720), seed=7)
    frames, nominal, true = scattered(scene, rows=3, missing={(1, 0)})
    image, valid, record, pairs, table = stitched(
        written(tmp_path, frames, nominal), tmp_path, threads=2
    )
    placed = table[["placed_x_px", "placed_y_px"]].to_numpy()
    shift = true.min(axis=0)
    np.testing.assert_array_equal(placed, true - shift)
    covered = np.zeros(image.shape, bool)
    for x, y in placed:
        covered[y : y + HEIGHT, x : x + WIDTH] = True
    original = scene[shift[1] :, shift[0] :][: image.shape[0], : image.shape[1]]
    np.testing.assert_array_equal(image, np.where(covered, original, 0))
    np.testing.assert_array_equal(valid, np.where(covered, VALID, NO_IMAGE))
    assert record.stitching.frames == 8 and record.stitching.nominal_frames == 0
    assert record.stitching.accepted_pairs == len(pairs) == 9
    # Eight frames need seven links.
    assert record.stitching.loops == 2
    assert record.stitching.largest_residual_px < 0.3
    assert record.valid_area_mm2 == pytest.approx(covered.sum() * 50**2 * 1e-12)
    assert (record.height_px, record.width_px) == image.shape
    assert (table["gain"] == 1).all() and (table["placed_by"] == "overlap").all()
    write_tsv(table, tmp_path / "table.tsv", FRAMES)
    assert placed_tiles(tmp_path / "table.tsv").find("f3.png")[:2] == tuple(placed[3])


def test_noise_and_brightness_leave_positions_within_half_a_pixel(tmp_path):
    frames, nominal, true = scattered(texture((440, 720), seed=8))
    gains = [1, 0.9, 1.1, 0.95, 1.05, 1]
    frames = [
        noisy(one * gain, 25, 10 + k)
        for k, (one, gain) in enumerate(zip(frames, gains, strict=True))
    ]
    _, _, record, _, table = stitched(written(tmp_path, frames, nominal), tmp_path)
    # Asked: 0.5 px root mean square.
    assert np.sqrt((position_error(table, true) ** 2).mean()) < 0.25
    left = np.log(table["gain"].to_numpy() * gains)
    assert left.std() < 0.5 * np.log(gains).std()
    assert any("multiplied by" in note for note in record.notes)


def test_the_result_depends_neither_on_strips_nor_on_threads(tmp_path):
    frames, nominal, _ = scattered(texture((440, 720), seed=9))
    source = written(tmp_path, [noisy(one, 10, k) for k, one in enumerate(frames)], nominal)
    image, valid, record, pairs, table = stitched(source, tmp_path)
    for options in ({"threads": 3}, {"strip_rows": 33, "threads": 2}):
        again = stitched(source, tmp_path, **options)
        np.testing.assert_array_equal(again[0], image)
        np.testing.assert_array_equal(again[1], valid)
        assert again[2] == record
        pd.testing.assert_frame_equal(again[3], pairs)
        pd.testing.assert_frame_equal(again[4], table)


def test_16_bit_and_colour_are_converted_as_at_the_import(tmp_path):
    scene = texture((440, 720), seed=10)
    frames, nominal, _ = scattered(scene)

    def as_tiff(pixels):
        path = tmp_path / "one.tif"
        tifffile.imwrite(path, pixels.astype(np.uint16) * 257, compression="zlib")
        return path.read_bytes()

    grey, *_ = stitched(written(tmp_path, frames, nominal), tmp_path)
    deep, _, record, *_ = stitched(written(tmp_path, frames, nominal, encode=as_tiff), tmp_path)
    np.testing.assert_array_equal(deep, grey)
    assert any("range 0 to 65535 (16 bits" in note for note in record.notes)
    coloured = [np.stack([one] * 3, axis=-1) for one in frames]
    colour, _, record, *_ = stitched(written(tmp_path, coloured, nominal), tmp_path)
    np.testing.assert_array_equal(colour, grey)
    assert any("three channels are equal" in note for note in record.notes)


@pytest.mark.parametrize("negative", [False, True])
def test_frames_of_12_bits_are_stitched_like_those_of_8(tmp_path, negative):
    scene = texture((440, 720), seed=10)
    frames, nominal, _ = scattered(scene)
    # Steps of brightness, which a factor takes away if black is 0.
    frames = [
        (one * (1 if index % 2 else 0.9)).astype(np.uint8) for index, one in enumerate(frames)
    ]

    def as_tiff(pixels):
        path = tmp_path / "one.tif"
        deep = np.rint(pixels * (4095 / 255)).astype(np.uint16)
        tifffile.imwrite(path, 4095 - deep if negative else deep, compression="zlib")
        return path.read_bytes()

    grey, _, said, *_ = stitched(written(tmp_path, frames, nominal), tmp_path)
    assert said.stitching.highest_gain > 1.02
    files = written(tmp_path, frames, nominal, encode=as_tiff)
    deep, _, record, *_ = stitched(files, tmp_path, **({"invert": True} if negative else {}))
    assert record.grey_scale.bit_depth == 12
    np.testing.assert_allclose(deep.astype(int), grey, atol=1)


def test_a_grid_with_an_overlap_is_stitched_although_the_overlap_is_only_about_right(tmp_path):
    scene = texture((440, 720), seed=11)
    # 17 % in truth, called 13 %.
    frames, _, true = scattered(scene, step=(199, 166), jitter=4)
    source = written(
        tmp_path, frames, [(i, j) for j in range(2) for i in range(3)], columns=("column", "row")
    )
    *_, table = stitched(source, tmp_path, overlap_percent=13.0)
    assert position_error(table, true).max() < 0.3


def test_a_frame_that_nothing_connects_is_flagged_and_stays_with_its_neighbours(tmp_path):
    frames, nominal, true = scattered(texture((440, 720), seed=12), jitter=3)
    frames[2] = noisy(np.full((HEIGHT, WIDTH), 120), 4, 13)
    _, _, record, pairs, table = stitched(written(tmp_path, frames, nominal), tmp_path)
    assert table["placed_by"].tolist() == ["overlap"] * 2 + ["nominal"] + ["overlap"] * 3
    assert record.stitching.nominal_frames == 1
    assert any("f2.png" in note for note in record.notes)
    wrong = position_error(table, true)
    assert np.delete(wrong, 2).max() < 3 and wrong[2] < 15
    lost = pairs[(pairs["first"] == "f2.png") | (pairs["second"] == "f2.png")]
    assert not lost["accepted"].any() and (lost["fault"] != "").all()


def test_a_row_of_frames_has_no_residual_to_be_proud_of(tmp_path):
    frames, nominal, true = scattered(texture((300, 720), seed=14), rows=1, jitter=4)
    _, _, record, _, table = stitched(written(tmp_path, frames, nominal), tmp_path)
    assert position_error(table, true).max() < 0.3
    assert record.stitching.loops == 0
    assert record.stitching.rms_residual_px is None
    assert "nothing can disagree" in record.notes[0]


def test_one_frame_alone_is_a_panorama(tmp_path):
    frame = texture((HEIGHT, WIDTH), seed=15)
    image, valid, record, pairs, table = stitched(written(tmp_path, [frame], [(5, 7)]), tmp_path)
    np.testing.assert_array_equal(image, frame)
    assert (valid == VALID).all() and len(pairs) == 0 and len(table) == 1
    draw_stitching(table, pairs, record=record)


def test_the_figure_shows_every_frame_and_link(tmp_path):
    frames, nominal, _ = scattered(texture((440, 720), seed=12), jitter=3)
    frames[2] = noisy(np.full((HEIGHT, WIDTH), 120), 4, 13)
    _, _, record, pairs, table = stitched(written(tmp_path, frames, nominal), tmp_path)
    figure = draw_stitching(table, pairs, record=record)
    sub = figure.subfigs[0].axes[0]
    outlines = sum(len(item.get_paths()) for item in sub.collections[:2])
    good, bad = (len(item.get_segments()) for item in sub.collections[2:])
    assert (outlines, good, bad) == (6, pairs["accepted"].sum(), (~pairs["accepted"]).sum())
    assert f"{good} of {len(pairs)} overlaps" in sub.get_title(loc="left")
    counted = sum(bar.get_height() for bar in figure.subfigs[1].axes[0].patches)
    assert counted == good


# --- what is refused


def listed(folder, *lines, header="file\tx_px\ty_px", names=("a", "b", "c")):
    for name in names:
        (folder / f"{name}.png").write_bytes(imagecodecs.png_encode(np.zeros((80, 100), np.uint8)))
    (folder / "list.tsv").write_text("\n".join([header, *lines]) + "\n")
    return folder / "list.tsv"


@pytest.mark.parametrize(
    "header, lines, parts",
    [
        ("file\tx_px", ["a.png\t0"], ["row 1", "column", "missing", "found: file, x_px"]),
        ("file\tx_px\ty_px", [], ["names no frame"]),
        ("file\tx_px\ty_px", ["a.png\t0\t0", "\t90\t0"], ["row 3, column file", "empty"]),
        ("file\tx_px\ty_px", ["a.png\t0\t0", "d.png\t90\t0"], ["row 3", "d.png does not exist"]),
        ("file\tx_px\ty_px", ["a.png\t0\t0", "a.png\t90\t0"], ["row 3", "named in row 2"]),
        ("file\tx_px\ty_px", ["a.png\t0\t0", "b.png\t9,5\t0"], ["row 3, column x_px", "'9,5'"]),
        ("file\tx_px\ty_px", ["a.png\t0\t0", "b.png\t90\tnan"], ["row 3, column y_px"]),
        ("file\tx_px\ty_px", ["a.png\t0\t0", "b.png\t100\t0"], ["no two frames overlap", "100 px"]),
        (
            "file\tx_px\ty_px",
            ["a.png\t0\t0", "b.png\t80\t0", "c.png\t800\t0"],
            ["row 4", "c.png is more than a frame away"],
        ),
    ],
)
def test_a_wrong_list_is_refused_with_its_place(tmp_path, header, lines, parts):
    with pytest.raises(InputError) as error:
        opened(listed(tmp_path, *lines, header=header))
    assert all(part in str(error.value) for part in ["list.tsv", *parts])


def test_frames_of_another_kind_are_refused(tmp_path):
    source = listed(tmp_path, "a.png\t0\t0", "b.png\t90\t0")
    (tmp_path / "b.png").write_bytes(imagecodecs.png_encode(np.zeros((80, 99), np.uint8)))
    with pytest.raises(InputError, match=r"row 3, column file.*99 x 80.*100 x 80"):
        opened(source)
    (tmp_path / "b.png").write_bytes(imagecodecs.png_encode(np.zeros((80, 100), np.uint16)))
    with pytest.raises(InputError, match=r"row 3, column file.*bit depth"):
        opened(source)
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError, match=r"list.tsv, row 3, column file: .*truncated"):
        opened(source)


def test_a_pixel_size_is_needed_and_turns_micrometres_into_pixels(tmp_path):
    source = listed(tmp_path, "a.png\t10\t2", "b.png\t14\t2.5", header="file\tx_um\ty_um")
    with pytest.raises(InputError, match="no pixel size"):
        opened(source, pixel_size_nm=None)
    tiles = nominal_tiles(opened(source))
    assert tiles.find("a.png") == (0, 0, 100, 80) and tiles.find("b.png") == (80, 10, 100, 80)
    # Positions that are listed count more than an overlap in the sheet.
    assert opened(source, overlap_percent=30.0) == opened(source)


def test_when_nothing_can_be_registered_nothing_is_written(tmp_path):
    frames = [noisy(np.full((HEIGHT, WIDTH), 100), 5, seed) for seed in (1, 2)]
    source = written(tmp_path, frames, [(0, 0), (200, 0)])
    with pytest.raises(InputError, match="none of the 1 overlaps"):
        stitched(source, tmp_path)
    assert not list(tmp_path.glob("*P1*"))


def test_what_is_stitched_is_seen_from_the_header_of_its_table(tmp_path):
    for header, expected in (
        ("file\tx_px\ty_px", True),
        ("file\tx_um\ty_um", True),
        ("file\tcolumn\trow", False),
    ):
        assert is_stitched(listed(tmp_path, header=header)) is expected
    assert is_stitched(tmp_path / "list.tsv", 10.0)
    assert not is_stitched(tmp_path / "list.tsv", float("nan"))
    assert not is_stitched(tmp_path / "missing.tsv")
    assert not is_stitched("simulated") and not is_stitched("a.tif", 10.0)


def test_frames_of_one_name_in_two_folders_stay_apart(tmp_path):
    """As rows of the stage in folders of their own: the tables name them as the list does."""
    for folder in ("row1", "row2"):
        (tmp_path / folder).mkdir()
        listed(tmp_path / folder)
    header = "file\tcolumn\trow"
    lines = ["row1/a.png\t0\t0", "row2/a.png\t0\t1", "row1/b.png\t1\t0"]
    source = listed(tmp_path, *lines, header=header)
    frames = opened(source, overlap_percent=20.0).frames
    assert [frame.name for frame in frames] == ["row1/a.png", "row1/b.png", "row2/a.png"]
    tiles = nominal_tiles(opened(source, overlap_percent=20.0))
    assert tiles.find("row1/a.png") != tiles.find("row2/a.png")
    assert None not in (tiles.find("row1/a.png"), tiles.find("row2/a.png"))


@pytest.mark.parametrize(("columns", "cells"), [("x_px\ty_px", "80\t0"), ("column\trow", "1\t0")])
def test_one_file_under_two_names_is_refused(tmp_path, columns, cells):
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "sub").mkdir()
    for name in ("a.png", "./a.png", "sub/../a.png", "link.png"):
        source = listed(tmp_path, "a.png\t0\t0", f"{name}\t{cells}", header=f"file\t{columns}")
        with pytest.raises(InputError, match=r"row 3, column file: .*named in row 2"):
            opened(source, overlap_percent=20.0)
    source = listed(tmp_path, "a.png\t0\t0", f"sub\\b.png\t{cells}", header=f"file\t{columns}")
    with pytest.raises(InputError, match=r"Folders are separated by '/'"):
        opened(source, overlap_percent=20.0)


def test_positions_in_two_units_are_refused(tmp_path):
    for columns in ("x_px\ty_px\tx_um\ty_um", "x_px\ty_px\tx_um", "x_px\ty_um\ty_px"):
        cells = "\t0" * (columns.count("\t") + 1)
        source = listed(tmp_path, f"a.png{cells}", f"b.png{cells}", header=f"file\t{columns}")
        with pytest.raises(InputError, match=r"row 1: .* in pixels and in micrometres"):
            opened(source)


def test_all_rows_of_a_list_that_are_wrong_are_told_at_once(tmp_path):
    source = listed(tmp_path, "a.png\t0\t0", "d.png\t90\t0", "b.png\t9,5\t0", "a.png\t0\t80")
    with pytest.raises(InputError) as error:
        opened(source)
    told = str(error.value)
    assert all(words in told for words in ("row 3", "d.png", "row 4", "'9,5'", "row 5", "row 2"))
