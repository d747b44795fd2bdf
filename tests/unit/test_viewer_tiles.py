"""The pictures of the viewer are those of the panorama, at every level and at every border."""

import io

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.made_viewer import unpacked

from damascene.images.store import TiledImage, write_tiled
from damascene.viewer.packs import PACK_TILES, in_text, pack_script
from damascene.viewer.tiles import (
    VIEWER_TILE_PX,
    thumbnail,
    valid_fractions,
    whole_folder,
    write_image_tiles,
    write_overviews,
    write_phase_tiles,
)

# More than one pack wide, with tiles that are cut off at both borders.
SHAPE = (700, 4500)


def laid_out(folder, level, shape, decode):
    """Put the tiles of a level together again."""
    made = np.zeros(shape, np.uint8)
    span = PACK_TILES * VIEWER_TILE_PX
    for path in sorted((folder / str(level)).iterdir()):
        row, column = map(int, path.stem.split("_"))
        key, tiles = unpacked(path.read_bytes())
        assert key == f"tiles/one/{level}/{path.name}"
        wide = -(-min(span, shape[1] - column * span) // VIEWER_TILE_PX)
        for i, tile in enumerate(tiles):
            top = row * span + i // wide * VIEWER_TILE_PX
            left = column * span + i % wide * VIEWER_TILE_PX
            if tile:
                pixels = decode(tile)
                assert made[top : top + pixels.shape[0], left : left + pixels.shape[1]].shape == (
                    pixels.shape
                )
                made[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return made


@pytest.fixture(scope="module")
def panorama(tmp_path_factory):
    folder = tmp_path_factory.mktemp("viewer")
    rng = np.random.default_rng(3)
    y, x = np.indices(SHAPE)
    pixels = 110 + 60 * np.sin(x / 40) * np.cos(y / 25) + 50 * ((x // 37 + y // 29) % 2)
    pixels = np.clip(pixels + rng.normal(0, 6, SHAPE), 1, 255).astype(np.uint8)
    # No image covers the third tile.
    pixels[:512, 1024:1536] = 0
    write_tiled(folder / "a.ome.tif", [pixels], shape=SHAPE, pixel_size_nm=40, name="one")
    return folder / "a.ome.tif"


@pytest.fixture(scope="module")
def tiles(panorama):
    folder = panorama.parent / "tiles"
    write_image_tiles(panorama, folder, key="tiles/one", threads=2)
    return folder


def level_count(path):
    with TiledImage(path) as image:
        return image.level_count


def test_every_level_of_the_pyramid_has_its_tiles_and_no_other(panorama, tiles):
    assert {path.name for path in tiles.iterdir()} == set(
        map(str, range(level_count(panorama)))
    ) and level_count(panorama) == 4


@pytest.mark.parametrize("level", range(4))
def test_tiles_are_the_image_within_the_error_of_the_codec(panorama, tiles, level):
    with TiledImage(panorama, level=level) as image:
        pixels = image.read().astype(float)
    seen = laid_out(tiles, level, pixels.shape, imagecodecs.jpeg8_decode).astype(float)
    difference = seen - pixels
    # Noise of 6 grey is lost, and a fifth of steps of 50 grey at most; means are kept.
    assert np.sqrt((difference**2).mean()) < 10
    assert np.abs(difference.mean(axis=0)[: 8 * (pixels.shape[1] // 8)]).mean() < 2
    # No tile lies a pixel beside its place.
    shifted = seen[:, 1:] - pixels[:, :-1]
    assert (shifted**2).mean() > 2 * (difference**2).mean()


def test_a_tile_that_no_image_covers_has_no_picture(tiles):
    _, pictures = unpacked((tiles / "0/0_0.js").read_bytes())
    assert [i for i, picture in enumerate(pictures) if not picture] == [2]


def test_threads_change_nothing(panorama, tiles, tmp_path):
    write_image_tiles(panorama, tmp_path / "again", key="tiles/one", threads=1)
    for path in tiles.rglob("*.js"):
        again = tmp_path / "again" / path.relative_to(tiles)
        assert again.read_bytes() == path.read_bytes()


def test_phases_lose_nothing_and_have_their_colours(tmp_path):
    rng = np.random.default_rng(4)
    phases = rng.integers(0, 4, (1300, 1100)).astype(np.uint8)
    path = tmp_path / "phases.ome.tif"
    write_tiled(path, [phases], shape=phases.shape, pixel_size_nm=40, name="one", labels=True)
    colours = {1: "#56b4e9", 2: "#d55e00", 3: "#000000"}
    write_phase_tiles(path, tmp_path / "tiles", key="tiles/one", colours=colours)
    assert not (tmp_path / "tiles/0").exists()
    with TiledImage(path, level=1) as image:
        expected = image.read()

    def decode(picture):
        opened = Image.open(io.BytesIO(picture))
        rgba = np.asarray(opened.convert("RGBA"))
        values = np.asarray(opened)
        assert (rgba[..., 3] == np.where(values == 0, 0, 255)).all()
        assert (rgba[values == 2][:, :3] == (0xD5, 0x5E, 0)).all()
        return values

    assert (laid_out(tmp_path / "tiles", 1, expected.shape, decode) == expected).all()


def test_the_valid_part_of_each_block_is_counted(tmp_path):
    rng = np.random.default_rng(5)
    mask = np.full((1500, 2500), 255, np.uint8)
    mask[100:700, 300:1900] = rng.choice([0, 64, 128, 255], (600, 1600))
    path = tmp_path / "valid.ome.tif"
    write_tiled(path, [mask], shape=mask.shape, pixel_size_nm=40, name="one", pyramid=False)
    with TiledImage(path) as image:
        parts, step = valid_fractions(image)
    assert step == 4 and parts.shape == (375, 625)
    expected = (mask == 255).reshape(375, 4, 625, 4).mean(axis=(1, 3))
    assert np.allclose(parts, expected)


def test_blocks_at_the_border_count_only_pixels_that_are_there(tmp_path):
    mask = np.full((1027, 1030), 255, np.uint8)
    mask[-1, :] = 0
    path = tmp_path / "valid.ome.tif"
    write_tiled(path, [mask], shape=mask.shape, pixel_size_nm=40, name="one", pyramid=False)
    with TiledImage(path) as image:
        parts, step = valid_fractions(image)
    assert step == 2 and parts.shape == (514, 515)
    assert (parts[-1] == 0).all() and (parts[:-1] == 1).all()


def test_overviews_are_small(panorama, tmp_path):
    write_overviews(panorama, panorama, tmp_path, key="tiles/one")
    small = imagecodecs.jpeg8_decode((tmp_path / "thumbnail.jpg").read_bytes())
    # The smallest level has 88 x 563 pixels.
    assert small.shape == (30, 188)
    script = (tmp_path / "valid.js").read_bytes()
    assert b'{"step":8,"at":' in script
    key, (picture,) = unpacked(script)
    assert key == "tiles/one/valid.js"
    # As a mask, the panorama is valid where it is white.
    assert imagecodecs.png_decode(picture).shape == (88, 563)


def test_a_thumbnail_of_nothing_is_black():
    assert not thumbnail(np.zeros((600, 300), np.uint8)).any()


@given(st.binary(max_size=300))
def test_any_bytes_come_through_the_text_of_a_script(content):
    assert not set(b"\n\r") & set(in_text(content))
    assert unpacked(pack_script("a.js", [content, b"", content]))[1] == [content, b"", content]


def test_a_folder_is_whole_or_absent(tmp_path):
    place = tmp_path / "tiles"
    with whole_folder(place) as part:
        (part / "a").write_text("old")
    with whole_folder(place) as part:
        (part / "b").write_text("new")
    assert [path.name for path in place.iterdir()] == ["b"]
    with pytest.raises(RuntimeError), whole_folder(place) as part:
        (part / "c").write_text("half")
        raise RuntimeError
    assert not place.exists() and not list(tmp_path.iterdir())
