import numpy as np
import pytest
from scipy import ndimage

from damascene.images.store import TiledImage, write_tiled
from damascene.images.tiles import map_tiles, tile_windows


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    pixels = np.random.default_rng(0).integers(0, 256, (701, 1103), np.uint8)
    path = tmp_path_factory.mktemp("tiles") / "a.ome.tif"
    write_tiled(path, [pixels], shape=pixels.shape, pixel_size_nm=40, name="P1")
    with TiledImage(path) as stored:
        yield stored


@pytest.mark.parametrize("shape", [(1, 1), (512, 512), (513, 511), (100, 1000)])
@pytest.mark.parametrize("tile_px", [1000, 512, 33])
def test_tiles_cover_each_pixel_once(shape, tile_px):
    covered = np.zeros(shape, int)
    for row in tile_windows(shape, tile_px=tile_px):
        for window in row:
            covered[window.slices()] += 1
            assert max(window.shape) <= tile_px
    assert (covered == 1).all()


@pytest.mark.parametrize("tile_px", [64, 500, 512, 4096])
@pytest.mark.parametrize("threads", [1, 4])
def test_a_local_function_does_not_see_the_tiles(image, tile_px, threads):
    def darkest(pixels):
        return ndimage.minimum_filter(pixels, size=11)

    strips = map_tiles(darkest, image, halo_px=5, tile_px=tile_px, threads=threads)
    np.testing.assert_array_equal(np.concatenate(list(strips)), darkest(image.read()))


def test_a_halo_too_small_shows(image):
    # Guards the test above: it would notice a halo that is cut off.
    def darkest(pixels):
        return ndimage.minimum_filter(pixels, size=11)

    strips = np.concatenate(list(map_tiles(darkest, image, halo_px=4, tile_px=64)))
    assert (strips != darkest(image.read())).any()


def test_an_error_in_a_tile_reaches_the_caller(image):
    def fail(pixels):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        list(map_tiles(fail, image, halo_px=0, tile_px=512, threads=2))
