import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from damascene import InputError
from damascene.images.store import TiledImage, Window, open_pair, write_tiled

TILE_WIDTH, TILE_LENGTH, X_RESOLUTION, RESOLUTION_UNIT = 322, 323, 282, 296


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def store(path, image, *, strip_rows=300, **options):
    strips = (image[top : top + strip_rows] for top in range(0, len(image), strip_rows))
    options = {"pixel_size_nm": 40.0, "name": "P1", **options}
    write_tiled(path, strips, shape=image.shape, **options)
    return path


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (512, 512), (513, 511), (1025, 2049)])
@pytest.mark.parametrize("pyramid", [True, False])
def test_what_is_written_is_read(tmp_path, shape, pyramid):
    image = noise(shape)
    path = store(tmp_path / "a.ome.tif", image, pyramid=pyramid)
    with TiledImage(path) as stored:
        assert stored.shape == shape
        assert stored.pixel_size_nm == pytest.approx(40)
        np.testing.assert_array_equal(stored.read(), image)


@pytest.mark.parametrize("shape", [(1, 1), (513, 511), (1300, 2049)])
@pytest.mark.parametrize("pyramid", [True, False])
def test_libtiff_reads_the_same(tmp_path, shape, pyramid):
    image = noise(shape) if pyramid else noise(shape) // 128 * 255
    path = store(tmp_path / "a.ome.tif", image, pyramid=pyramid, pixel_size_nm=32.9)
    with Image.open(path) as stored:
        np.testing.assert_array_equal(np.asarray(stored), image)
        tags = stored.tag_v2
    assert (tags[TILE_WIDTH], tags[TILE_LENGTH]) == (512, 512)
    assert (tags[RESOLUTION_UNIT], 1e7 / tags[X_RESOLUTION]) == (3, pytest.approx(32.9))


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(1, 1100), columns=st.integers(1, 600), strip_rows=st.integers(1, 1200))
def test_strips_of_any_height_give_the_same_image(tmp_path_factory, rows, columns, strip_rows):
    image = noise((rows, columns))
    path = store(tmp_path_factory.mktemp("s") / "a.ome.tif", image, strip_rows=strip_rows)
    np.testing.assert_array_equal(tifffile.imread(path), image)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    image = noise((1301, 2603), seed=1)
    return image, store(tmp_path_factory.mktemp("wide") / "a.ome.tif", image)


def test_windows_equal_slices(wide):
    image, path = wide
    rng = np.random.default_rng(2)
    with TiledImage(path) as stored:
        for _ in range(50):
            top, bottom = np.sort(rng.choice(image.shape[0] + 1, 2, replace=False))
            left, right = np.sort(rng.choice(image.shape[1] + 1, 2, replace=False))
            window = Window(top=top, left=left, bottom=bottom, right=right)
            np.testing.assert_array_equal(stored.read(window), image[top:bottom, left:right])


def test_windows_outside_the_image_are_refused(wide):
    _, path = wide
    with TiledImage(path) as stored, pytest.raises(ValueError, match="leaves an image"):
        stored.read(Window(top=0, left=0, bottom=1302, right=10))


def test_pyramid_levels_are_means_of_four_pixels(wide):
    image, path = wide
    expected = image
    with TiledImage(path) as stored:
        level_count = stored.level_count
    assert level_count == 3
    for level in range(1, level_count):
        rows, columns = expected.shape
        padded = np.pad(expected, ((0, rows % 2), (0, columns % 2)), mode="edge").astype(float)
        means = padded.reshape(len(padded) // 2, 2, -1, 2).mean(axis=(1, 3))
        expected = np.floor(means + 0.5).astype(np.uint8)
        with TiledImage(path, level=level) as stored:
            np.testing.assert_array_equal(stored.read(), expected)
            # 2603 columns are halved to 1302: the scale follows the columns, not the power of two.
            assert stored.pixel_size_nm == pytest.approx(40 * 2603 / expected.shape[1])


def test_threads_may_share_an_image(wide):
    image, path = wide
    windows = [
        Window(top=top, left=left, bottom=top + 300, right=left + 300)
        for top in range(0, 1000, 97)
        for left in range(0, 2300, 211)
    ]
    with TiledImage(path) as stored, ThreadPoolExecutor(8) as pool:
        for window, pixels in zip(windows, pool.map(stored.read, windows), strict=True):
            np.testing.assert_array_equal(pixels, image[window.slices()])


def test_the_same_image_gives_the_same_bytes(tmp_path):
    image = noise((1100, 1300))
    digests = {
        hashlib.sha256(
            store(tmp_path / name, image, strip_rows=rows, threads=threads).read_bytes()
        ).hexdigest()
        for name, rows, threads in (("a.ome.tif", 300, 1), ("b.tif", 77, 3))
    }
    assert len(digests) == 1


@pytest.mark.parametrize("size_nm", [0.543, 40.0, 57.5, 3372.4])
def test_other_programs_find_the_pixel_size(tmp_path, size_nm):
    path = store(tmp_path / "a.ome.tif", noise((20, 20)), pixel_size_nm=size_nm)
    with tifffile.TiffFile(path) as tiff:
        text = tiff.ome_metadata
        unit = tiff.pages[0].tags["ResolutionUnit"].value
        numerator, denominator = tiff.pages[0].tags["XResolution"].value
    stated = float(text.split('PhysicalSizeX="')[1].split('"')[0])
    assert stated == pytest.approx(size_nm / 1000)
    assert unit == tifffile.RESUNIT.CENTIMETER
    assert 1e7 * denominator / numerator == pytest.approx(size_nm)


def test_strips_that_do_not_add_up_are_refused(tmp_path):
    image = noise((600, 100))
    for strips in ([image[:599]], [image, image[:1]], [image[:, :99]], [image.astype(float)]):
        with pytest.raises(ValueError, match="strip"):
            write_tiled(
                tmp_path / "a.ome.tif", strips, shape=image.shape, pixel_size_nm=40, name="P1"
            )


def test_a_file_that_is_no_panorama_is_named(tmp_path):
    text = tmp_path / "text.tif"
    text.write_text("no image")
    with pytest.raises(InputError, match=r"text\.tif cannot be read as a panorama"):
        TiledImage(text)
    plain = tmp_path / "plain.tif"
    tifffile.imwrite(plain, noise((20, 20)))
    with pytest.raises(InputError, match=r"plain\.tif is not a tiled 8-bit grey TIFF"):
        TiledImage(plain)


def test_a_damaged_tile_is_named(tmp_path):
    path = store(tmp_path / "a.ome.tif", noise((600, 600)))
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages[0].dataoffsets[1]
    content = bytearray(path.read_bytes())
    content[offset : offset + 1000] = bytes(1000)
    path.write_bytes(content)
    with TiledImage(path) as stored:
        stored.read(Window(top=0, left=0, bottom=512, right=512))
        with pytest.raises(InputError, match="tile 1 is damaged"):
            stored.read()


def test_a_mask_of_another_size_is_refused(tmp_path):
    image = store(tmp_path / "a.ome.tif", noise((20, 30)))
    valid = store(tmp_path / "v.ome.tif", noise((20, 31)), pyramid=False)
    with pytest.raises(InputError, match="differ"), open_pair(image, valid):
        pass


def test_a_window_grows_within_the_image():
    window = Window(top=2, left=3, bottom=8, right=9)
    assert window.grown(margin=4, within=(10, 20)) == Window(top=0, left=0, bottom=10, right=13)
    assert window.shape == (6, 6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.integers(1, 9), columns=st.integers(1, 9))
def test_the_levels_of_label_images_hold_the_commonest_of_four_pixels(seed, rows, columns):
    from damascene.images.pyramid import _commonest

    image = np.random.default_rng(seed).integers(0, 3, (rows, columns), np.uint8)
    padded = np.pad(image, ((0, rows % 2), (0, columns % 2)), mode="edge")
    halved = _commonest(image)
    for row, column in np.ndindex(halved.shape):
        four = padded[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].ravel()
        counts = np.bincount(four, minlength=3)
        assert counts[halved[row, column]] == counts.max()


def test_label_images_have_levels_of_their_own_values(tmp_path):
    image = np.kron(noise((200, 300)) % 3 * 100, np.ones((8, 8), np.uint8))
    path = store(tmp_path / "a.ome.tif", image, labels=True)
    for level in range(2):
        with TiledImage(path, level=level) as stored:
            np.testing.assert_array_equal(stored.read(), image[:: 2**level, :: 2**level])


def test_windows_from_top_to_bottom_decode_each_tile_once(wide, monkeypatch):
    image, path = wide
    rng = np.random.default_rng(5)
    corners = rng.integers(0, np.array(image.shape) - 100, (300, 2))
    windows = [
        Window(top=top, left=left, bottom=top + 100, right=left + 100)
        for top, left in corners[np.argsort(corners[:, 0])].tolist()
    ]
    decoded = []
    with TiledImage(path, by_windows=True) as kept:
        decode = kept._page.decode
        monkeypatch.setattr(
            kept._page, "decode", lambda data, tile: decoded.append(tile) or decode(data, tile)
        )
        for window in windows:
            np.testing.assert_array_equal(kept.read(window), image[window.slices()])
    assert len(decoded) == len(set(decoded)) > 1
