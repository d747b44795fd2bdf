"""Data bars drawn below simulated steel, and pictures that must stay whole."""

import functools
import json

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from damascene import InputError
from damascene.images import headers
from damascene.images.data_bar import find_data_bar
from damascene.images.found_bars import kept_bars
from damascene.images.headers import read_header

ROWS, COLUMNS = 400, 640
LARGEST = 0.25


@functools.cache
def steel(seed=0, *, bright=1.0, noise=4.0):
    """Return bright bands and islands on grey, with dark voids and noise."""
    rng = np.random.default_rng(seed)
    islands = ndimage.gaussian_filter(rng.normal(size=(ROWS, COLUMNS)), (3, 9))
    voids = ndimage.gaussian_filter(rng.normal(size=(ROWS, COLUMNS)), 3)
    image = np.where(islands > 0.6 * islands.std(), 165.0, 100.0)
    image = ndimage.gaussian_filter(image, 1) * bright
    image[voids > 2.6 * voids.std()] = 5
    return np.clip(image + rng.normal(0, noise, image.shape), 0, 255).astype(np.uint8)


STYLES = {
    "black": {"ground": 0, "ink": 255},
    "white": {"ground": 255, "ink": 0},
    "grey": {"ground": 128, "ink": 255},
    "dark grey": {"ground": 60, "ink": 230},
    "black below a line": {"ground": 0, "ink": 255, "line": 2},
    "white below a line": {"ground": 255, "ink": 0, "line": 1},
    "boxes": {"ground": 0, "ink": 252, "boxes": True, "frame": True},
    "frame and logo": {"ground": 255, "ink": 0, "frame": True, "logo": True},
}


def bar(style, rows=36, columns=COLUMNS):
    options = STYLES[style]
    ground, ink = options["ground"], options["ink"]
    drawn = Image.new("L", (columns, rows), ground)
    pen = ImageDraw.Draw(drawn)
    font = ImageFont.load_default(size=rows // 3)
    pen.text((9, rows // 3), "EHT = 15.00 kV   WD = 6.2 mm   Signal A = SE2", ink, font)
    pen.rectangle([columns * 0.75, rows * 0.65, columns * 0.9, rows * 0.72], ink)
    if options.get("boxes"):
        for left in np.linspace(0, columns - 1, 7).astype(int):
            pen.line([left, 0, left, rows], ink)
    if options.get("logo"):
        pen.rectangle([columns * 0.92, rows * 0.2, columns * 0.99, rows * 0.8], ink)
    if options.get("frame"):
        pen.rectangle([0, 0, columns - 1, rows - 1], outline=ink)
    if options.get("line"):
        pen.rectangle([0, 0, columns, options["line"] - 1], ink)
    return np.asarray(drawn)


def rows_of_bar(image):
    return find_data_bar(
        lambda rows: [image[len(image) - rows :]], height_px=len(image), largest=LARGEST
    )


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("rows", [28, 36, 70])
def test_bars_are_found_to_the_row(style, rows):
    for seed, bright in ((0, 1.0), (1, 0.6), (2, 1.5)):
        image = np.vstack([steel(seed, bright=bright), bar(style, rows)])
        assert rows_of_bar(image) == rows
        assert rows_of_bar(image.astype(np.uint16) * 257) == rows


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("quality", [75, 92])
def test_compression_with_loss_costs_a_block_of_rows_at_most(style, quality):
    image = np.vstack([steel()[: ROWS - 3], bar(style)])
    decoded = imagecodecs.jpeg8_decode(imagecodecs.jpeg8_encode(image, level=quality))
    assert 36 <= rows_of_bar(decoded) <= 36 + 8


@pytest.mark.parametrize("below", [1, 2])
def test_rows_of_picture_below_the_bar_are_cut_with_it(below):
    image = np.vstack([steel(), bar("frame and logo"), steel(1)[:below]])
    assert rows_of_bar(image) == 36 + below
    assert rows_of_bar(np.vstack([image, steel(2)[:9]])) == 0


def with_margin(image, grey, rows=40):
    image = image.copy()
    image[-rows:] = grey
    return image


def with_one_frame_longer(image, grey, width):
    cut = with_margin(image, grey)
    cut[-40:, 200 : 200 + width] = image[-40:, 200 : 200 + width]
    return cut


def edge_of_a_specimen(image, grey):
    rows, columns = np.indices(image.shape)
    beyond = rows > 350 + 2 * np.sin(columns / 30) + columns / 100
    cut = np.where(beyond, np.uint8(grey), image)
    cut[380:388, 300:320] = 255 - grey
    return cut


WHOLE = {
    "steel": steel(),
    "dark": steel(bright=0.3),
    "bright, saturated": steel(bright=2.4),
    "little noise": steel(noise=1),
    "smoothed": ndimage.median_filter(steel(), 7),
    "few levels": steel() // 32 * 32,
    "two levels": (steel() > 130) * np.uint8(255),
    "all black": np.zeros((ROWS, COLUMNS), np.uint8),
    **{f"margin of {grey}": with_margin(steel(), grey) for grey in (0, 128, 255)},
    **{
        f"frame of {width} px longer than others, {grey}": with_one_frame_longer(
            steel(), grey, width
        )
        for width in (30, 60, 300)
        for grey in (0, 255)
    },
    **{f"edge of a specimen, {grey}": edge_of_a_specimen(steel(), grey) for grey in (0, 255)},
    "bar at the top": np.vstack([bar("white"), steel()]),
    "bar in the middle": np.vstack([steel(), bar("white"), steel(1)]),
    "half of it a bar": np.vstack([steel()[:100], np.tile(bar("white"), (3, 1))]),
    "too low for a bar": np.vstack([steel()[:20], bar("white", 12)])[:30],
}


@pytest.mark.parametrize("kind", WHOLE)
def test_pictures_stay_whole(kind):
    image = WHOLE[kind]
    assert rows_of_bar(image) == 0
    decoded = imagecodecs.jpeg8_decode(imagecodecs.jpeg8_encode(image, level=80))
    assert rows_of_bar(decoded) == 0


# --- files ----------------------------------------------------------------------------------------

FILES = {
    "png": lambda path, image: path.write_bytes(imagecodecs.png_encode(image)),
    "memory-mapped": lambda path, image: tifffile.imwrite(path, image),
    "strips": lambda path, image: tifffile.imwrite(path, image, rowsperstrip=7, compression="zlib"),
    "one strip": lambda path, image: tifffile.imwrite(
        path, image, rowsperstrip=len(image), compression="zlib"
    ),
    "tiles": lambda path, image: tifffile.imwrite(path, image, tile=(128, 128), compression="zlib"),
    "colour": lambda path, image: tifffile.imwrite(
        path, np.repeat(image[..., None], 3, axis=2), photometric="rgb"
    ),
    "white is zero": lambda path, image: tifffile.imwrite(
        path, 255 - image, photometric="miniswhite"
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_the_bar_of_a_file_is_no_part_of_its_picture(tmp_path, kind):
    image = np.vstack([steel(), bar("boxes")])
    FILES[kind](tmp_path / "a", image)
    header = read_header(tmp_path / "a")
    assert (header.height_px, header.data_bar_px, header.data_bar_source) == (ROWS, 36, "pixels")


def test_the_user_knows_better(tmp_path):
    source = tmp_path / "a.png"
    FILES["png"](source, np.vstack([steel(), bar("boxes")]))
    header = read_header(source, data_bar_px=0)
    assert (header.height_px, header.data_bar_source) == (ROWS + 36, "sheet")
    assert read_header(source, data_bar_px=50).height_px == ROWS - 14
    with pytest.raises(
        InputError, match=r"436 rows, a data bar of 436 leaves no picture.*data_bar"
    ):
        read_header(source, data_bar_px=436)


@pytest.mark.parametrize("kind", ["memory-mapped", "strips", "tiles"])
def test_only_the_lowest_rows_are_decoded(tmp_path, monkeypatch, kind):
    source = tmp_path / "a.tif"
    FILES[kind](source, np.vstack([steel(), bar("boxes")]))
    header = read_header(source)
    content = bytearray(source.read_bytes())
    with tifffile.TiffFile(source) as tiff:
        page = tiff.pages[0]
        offset = page.dataoffsets[0]
    # The upper part is damaged: whoever decodes it fails or finds other pixels.
    content[offset : offset + 500] = bytes(500)
    source.write_bytes(content)
    assert read_header(source) == header


def test_a_picture_is_decoded_once_for_its_bar_and_not_at_every_start(tmp_path, monkeypatch):
    source, kept = tmp_path / "a.png", tmp_path / "results/sources/data_bars.json"
    picture = np.random.default_rng(0).integers(0, 256, (400, 640), np.uint8)
    picture[360:] = 0
    picture[370:380, 20:200] = np.random.default_rng(1).choice([0, 255], (10, 180))
    source.write_bytes(imagecodecs.png_encode(picture))
    decoded = []
    rows_of = headers.grey_rows
    monkeypatch.setattr(
        headers, "grey_rows", lambda *given, **more: decoded.append(1) or rows_of(*given, **more)
    )
    for start in range(3):
        with kept_bars(kept) as bars:
            assert read_header(source, bars=bars).height_px == 360
        assert len(decoded) == 1, start
    # Another content is looked at again, and so is all of it where the notes were damaged.
    source.write_bytes(imagecodecs.png_encode(picture[:360]))
    with kept_bars(kept) as bars:
        assert read_header(source, bars=bars).data_bar_px == 0
    assert len(decoded) == 2
    (place, whole), *_ = json.loads(kept.read_text()).items()
    for content in ("{", "[1]", '{"a": [1]}', json.dumps({place: whole[:3]})):
        kept.write_text(content)
        with kept_bars(kept) as bars:
            assert read_header(source, bars=bars).data_bar_px == 0
    assert len(decoded) == 6
