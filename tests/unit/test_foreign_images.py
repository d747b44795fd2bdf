"""What is picture: transparency, orientation, colour tables, sparse and unusual files."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps
from tests.made_images import imported

from damascene import InputError
from damascene.images.sources import needed_megabytes, open_source

ROWS, COLUMNS = 203, 317


def noise(shape=(ROWS, COLUMNS), seed=0, dtype=np.uint8):
    return np.random.default_rng(seed).integers(1, np.iinfo(dtype).max + 1, shape, dtype)


# --- transparency ---------------------------------------------------------------------------------


def opacity(full=255):
    """Return an alpha channel with a transparent margin of 40 columns and a soft edge."""
    alpha = np.full((ROWS, COLUMNS), full, np.uint8 if full == 255 else np.uint16)
    alpha[:, -40:] = 0
    alpha[:, -41] = full // 4
    alpha[:, -42] = full - full // 4
    return alpha


def rgb(image):
    return np.repeat(image[..., None], 3, axis=2)


def with_alpha(image, full=255):
    return np.dstack([image, opacity(full)])


def indexed(image):
    """Return an image of 200 greys as indices, a palette of them, and the opacity of each."""
    return Image.fromarray(image % 200, "P"), [n for n in range(200) for _ in range(3)]


def write_palette_png(path, image):
    picture, palette = indexed(image)
    picture.putpalette(palette)
    picture.save(path, "PNG", transparency=bytes([0] * 20 + [255] * 180))


def write_palette_tiff(path, image):
    """Write a colour table with an alpha channel beside the indices."""
    table = tuple(np.tile(np.arange(256) * 257, 3).tolist())
    tifffile.imwrite(
        path,
        with_alpha(image),
        photometric="minisblack",
        planarconfig="contig",
        extrasamples=["unassalpha"],
        extratags=[(320, 3, len(table), table, True)],
    )
    with tifffile.TiffFile(path) as tiff:
        place = tiff.pages.first.tags[262].valueoffset
    content = bytearray(path.read_bytes())
    content[place] = 3
    path.write_bytes(content)


TRANSPARENT = {
    "png rgba": lambda path, image: path.write_bytes(
        imagecodecs.png_encode(with_alpha(rgb(image)))
    ),
    "png grey": lambda path, image: path.write_bytes(imagecodecs.png_encode(with_alpha(image))),
    "tiff rgba": lambda path, image: tifffile.imwrite(
        path, with_alpha(rgb(image)), photometric="rgb", extrasamples=["unassalpha"]
    ),
    "tiff unspecified": lambda path, image: tifffile.imwrite(
        path, with_alpha(rgb(image)), photometric="rgb", extrasamples=["unspecified"]
    ),
    "tiff tiled": lambda path, image: tifffile.imwrite(
        path,
        with_alpha(rgb(image)),
        photometric="rgb",
        extrasamples=["unassalpha"],
        tile=(64, 64),
        compression="zlib",
        predictor=True,
    ),
    "tiff planar": lambda path, image: tifffile.imwrite(
        path,
        np.moveaxis(with_alpha(rgb(image)), 2, 0),
        photometric="rgb",
        planarconfig="separate",
        extrasamples=["unassalpha"],
        rowsperstrip=9,
        compression="lzw",
    ),
    "tiff grey": lambda path, image: tifffile.imwrite(
        path,
        with_alpha(image),
        photometric="minisblack",
        planarconfig="contig",
        extrasamples=["unassalpha"],
        rowsperstrip=9,
    ),
    "tiff white is zero": lambda path, image: tifffile.imwrite(
        path,
        with_alpha(255 - image),
        photometric="miniswhite",
        planarconfig="contig",
        extrasamples=["unassalpha"],
    ),
    "tiff palette": write_palette_tiff,
}


@pytest.mark.parametrize("kind", TRANSPARENT)
def test_transparent_margins_are_no_area(tmp_path, kind):
    image = noise()
    TRANSPARENT[kind](tmp_path / "a", image)
    pixels, valid, record = imported(tmp_path / "a", tmp_path)
    inside = opacity() > 127
    np.testing.assert_array_equal(pixels, image * inside)
    np.testing.assert_array_equal(valid, 255 * inside)
    assert record.valid_area.no_image == pytest.approx(41 / COLUMNS)
    assert record.valid_area_mm2 == pytest.approx(ROWS * (COLUMNS - 41) * 40**2 * 1e-12)
    assert record.notes[0] == "left pixels with an alpha below a half out of the valid area"


def test_colours_that_are_multiplied_by_alpha_are_divided_again(tmp_path):
    image, alpha = noise(dtype=np.uint16), opacity(65535)
    stored = np.rint(image * (alpha / 65535)).astype(np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.dstack([stored, stored, stored, alpha]),
        photometric="rgb",
        extrasamples=["assocalpha"],
    )
    pixels, valid, _ = imported(tmp_path / "a.tif", tmp_path)
    inside = alpha > 32767
    assert np.abs(pixels - np.rint(image / 257))[inside].max() <= 1
    np.testing.assert_array_equal(valid, 255 * inside)


def test_a_transparent_colour_of_a_png_is_no_picture(tmp_path):
    image = noise()
    for name, pixels, clear in (("grey", image, 7), ("rgb", rgb(image), (7, 7, 7))):
        Image.fromarray(pixels).save(tmp_path / name, "PNG", transparency=clear)
        _, valid, _ = imported(tmp_path / name, tmp_path)
        np.testing.assert_array_equal(valid == 0, image == 7)
    write_palette_png(tmp_path / "palette", image)
    pixels, valid, _ = imported(tmp_path / "palette", tmp_path)
    np.testing.assert_array_equal(valid == 0, image % 200 < 20)
    np.testing.assert_array_equal(pixels[valid > 0], (image % 200)[valid > 0])


def test_an_alpha_channel_that_was_never_filled_stops(tmp_path):
    picture = np.dstack([rgb(noise()), np.zeros((ROWS, COLUMNS), np.uint8)])
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(picture))
    with pytest.raises(InputError, match=r"a\.png is transparent everywhere"):
        imported(tmp_path / "a.png", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("kind", ["png grey", "tiff grey"])
@pytest.mark.parametrize("grid", [False, True])
def test_an_alpha_channel_of_fewer_bits_is_not_taken_for_transparency(tmp_path, kind, grid):
    image = noise(dtype=np.uint16) >> 4
    picture = np.dstack([image, np.full_like(image, 4095)])
    if kind == "png grey":
        (tmp_path / "a").write_bytes(imagecodecs.png_encode(picture))
    else:
        options = {"planarconfig": "contig", "extrasamples": ["unassalpha"], "rowsperstrip": 8}
        tifffile.imwrite(tmp_path / "a", picture, photometric="minisblack", **options)
    source = tmp_path / "a"
    if grid:
        opaque = np.dstack([image, np.full_like(image, 65535)])
        (tmp_path / "b").write_bytes(imagecodecs.png_encode(opaque))
        source = tmp_path / "g.tsv"
        source.write_text("file\tcolumn\trow\na\t0\t0\nb\t1\t0\n")
    with pytest.raises(InputError, match=r"a: its alpha channel goes up to 4095 only, of 65535"):
        imported(source, tmp_path)


def test_two_channels_are_not_one_with_alpha(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        noise((ROWS, COLUMNS, 2)),
        photometric="minisblack",
        planarconfig="contig",
        extrasamples=["unspecified"],
    )
    with pytest.raises(InputError, match="has 2 channels"):
        open_source(tmp_path / "a.tif")


def test_transparent_tiles_of_a_grid(tmp_path):
    image = noise((2, ROWS, COLUMNS))
    TRANSPARENT["png grey"](tmp_path / "0.png", image[0])
    TRANSPARENT["tiff grey"](tmp_path / "1.tif", image[1])
    (tmp_path / "grid.tsv").write_text("file\tcolumn\trow\n0.png\t0\t0\n1.tif\t1\t1\n")
    pixels, valid, _ = imported(tmp_path / "grid.tsv", tmp_path)
    inside = opacity() > 127
    expected = np.zeros((2 * ROWS, 2 * COLUMNS), bool)
    expected[:ROWS, :COLUMNS] = expected[ROWS:, COLUMNS:] = inside
    np.testing.assert_array_equal(valid, 255 * expected)
    np.testing.assert_array_equal(pixels[ROWS:, COLUMNS:], image[1] * inside)


# --- orientation ----------------------------------------------------------------------------------

# Which side of the screen the first row and the first column of the file are, by the Exif standard.
SIDES = {
    1: "top left",
    2: "top right",
    3: "bottom right",
    4: "bottom left",
    5: "left top",
    6: "right top",
    7: "right bottom",
    8: "left bottom",
}


def shown(image, orientation):
    first_row, first_column = SIDES[orientation].split()
    if first_row in ("left", "right"):
        image = image.T
        first_row, first_column = first_column, first_row
    if first_row == "bottom":
        image = np.flipud(image)
    return np.fliplr(image) if first_column == "right" else image


def exif(orientation):
    block = Image.Exif()
    block[274] = orientation
    return block


def tag(orientation):
    return [(274, 3, 1, orientation, True)]


TURNED = {
    "png": lambda path, image, turn: Image.fromarray(image).save(path, "PNG", exif=exif(turn)),
    "stripped": lambda path, image, turn: tifffile.imwrite(path, image, extratags=tag(turn)),
    "tiled": lambda path, image, turn: tifffile.imwrite(
        path, image, extratags=tag(turn), tile=(64, 64), compression="zlib"
    ),
}


@pytest.mark.parametrize("orientation", SIDES)
@pytest.mark.parametrize("kind", TURNED)
def test_an_image_is_turned_as_viewers_turn_it(tmp_path, kind, orientation):
    image = noise()
    source = tmp_path / "a"
    TURNED[kind](source, image, orientation)
    expected = shown(image, orientation)
    assert open_source(source).shape == expected.shape
    pixels, valid, record = imported(source, tmp_path)
    np.testing.assert_array_equal(pixels, expected)
    assert (valid == 255).all()
    said = [note for note in record.notes if f"as the orientation {orientation} in" in note]
    assert len(said) == (orientation > 1)


@pytest.mark.parametrize("orientation", SIDES)
def test_a_jpeg_is_turned_as_its_camera_held(tmp_path, orientation):
    image = np.kron(noise((12, 20)), np.ones((16, 16), np.uint8))
    Image.fromarray(image).save(
        tmp_path / "a.jpg", "JPEG", exif=exif(orientation), quality=95, comment="a" * 300
    )
    pixels, _, _ = imported(tmp_path / "a.jpg", tmp_path)
    assert np.abs(pixels.astype(int) - shown(image, orientation)).mean() < 3


def exif_block(order, kind, value):
    """Return a segment of a JPEG with Exif that holds nothing but the orientation."""
    number = struct.pack(order + ("H2x" if kind == 3 else "I"), value)
    entry = struct.pack(f"{order}HHHI", 1, 274, kind, 1) + number
    start = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HI", 42, 8)
    return segment(b"Exif\0\0" + start + entry + bytes(4))


def xmp_text(value, form='tiff:Orientation="{}"'):
    return f"<x:xmpmeta><rdf:Description {form.format(value)}/></x:xmpmeta>".encode()


def segment(content):
    return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content


def xmp_block(value, **options):
    return segment(b"http://ns.adobe.com/xap/1.0/\0" + xmp_text(value, **options))


def jpeg_with(path, *blocks):
    content = imagecodecs.jpeg8_encode(noise())
    path.write_bytes(content[:2] + b"".join(blocks) + content[2:])
    return path


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", [3, 4])
def test_orientations_of_any_number_type(tmp_path, order, kind):
    source = jpeg_with(tmp_path / "a.jpg", exif_block(order, kind, 6))
    with Image.open(source) as image:
        width, height = ImageOps.exif_transpose(image).size
    assert open_source(source).shape == (height, width) == (COLUMNS, ROWS)


SIX, ONE = exif_block(">", 3, 6), exif_block("<", 3, 1)


@pytest.mark.parametrize(
    "blocks",
    [
        (ONE, SIX),
        (SIX, ONE),
        (xmp_block(6),),
        (xmp_block(6, form="><tiff:Orientation>{}</tiff:Orientation>"),),
        (ONE, xmp_block(6)),
        (xmp_block(1), SIX),
    ],
)
def test_orientations_that_differ_are_refused(tmp_path, blocks):
    with pytest.raises(InputError, match=r"a\.jpg states several orientations \(1, 6; "):
        open_source(jpeg_with(tmp_path / "a.jpg", *blocks))


@pytest.mark.parametrize("blocks", [(SIX, SIX), (xmp_block(6), SIX), (SIX, segment(b"other"))])
def test_orientations_that_agree_are_used(tmp_path, blocks):
    assert open_source(jpeg_with(tmp_path / "a.jpg", *blocks)).shape == (COLUMNS, ROWS)


def test_xmp_turns_neither_tiff_nor_png(tmp_path):
    xmp = xmp_text(8)
    tifffile.imwrite(tmp_path / "a.tif", noise(), extratags=[(700, 1, len(xmp), xmp, True)])
    text = b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + xmp
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    png = imagecodecs.png_encode(noise())
    (tmp_path / "a.png").write_bytes(png[:33] + chunk + png[33:])
    for name in ("a.tif", "a.png"):
        with pytest.raises(InputError, match=r"several orientations \(1, 8; "):
            open_source(tmp_path / name)
    both = [*tag(8), (700, 1, len(xmp), xmp, True)]
    tifffile.imwrite(tmp_path / "b.tif", noise(), extratags=both)
    assert open_source(tmp_path / "b.tif").shape == (COLUMNS, ROWS)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_none(tmp_path, value):
    tifffile.imwrite(tmp_path / "a", noise(), extratags=tag(value))
    pixels, _, record = imported(tmp_path / "a", tmp_path)
    np.testing.assert_array_equal(pixels, noise())
    assert record.notes == ()


def test_transparency_is_turned_along(tmp_path):
    image = noise()
    tifffile.imwrite(
        tmp_path / "a",
        with_alpha(rgb(image)),
        photometric="rgb",
        extrasamples=["unassalpha"],
        extratags=tag(6),
    )
    pixels, valid, _ = imported(tmp_path / "a", tmp_path)
    inside = shown(opacity() > 127, 6)
    np.testing.assert_array_equal(valid, 255 * inside)
    np.testing.assert_array_equal(pixels, shown(image, 6) * inside)


def test_a_turned_image_is_decoded_whole_and_its_memory_foreseen(tmp_path):
    image = np.zeros((4000, 3000), np.uint8)
    for orientation in (1, 6):
        tifffile.imwrite(tmp_path / str(orientation), image, extratags=tag(orientation))
    needed = [needed_megabytes(tmp_path / name) for name in ("1", "6")]
    assert needed[1] == needed[0] + 24


def test_a_data_bar_that_was_turned_along_stops(tmp_path):
    image = noise((400, 640))
    image[360:] = 0
    image[370:380, 20:200] = np.random.default_rng(1).choice([0, 255], (10, 180))
    tifffile.imwrite(tmp_path / "upright", image)
    assert open_source(tmp_path / "upright").shape == (360, 640)
    tifffile.imwrite(tmp_path / "turned", image, extratags=tag(3))
    with pytest.raises(InputError, match=r"turned by its header .* no longer lies below"):
        open_source(tmp_path / "turned")
    assert open_source(tmp_path / "turned", data_bar_px=0).shape == (400, 640)


# --- greys and colours ----------------------------------------------------------------------------


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_colour_tables_of_8_bit_entries_are_not_black(tmp_path, compression):
    image = noise()
    table = np.tile(np.arange(256, dtype=np.uint16), (3, 1))
    tifffile.imwrite(
        tmp_path / "a", image, photometric="palette", colormap=table, compression=compression
    )
    pixels, _, _ = imported(tmp_path / "a", tmp_path)
    np.testing.assert_array_equal(pixels, image)


def test_colour_tables_of_16_bit_indices_give_8_bits(tmp_path):
    image = noise(dtype=np.uint16)
    table = np.tile(np.arange(65536, dtype=np.uint16), (3, 1))
    tifffile.imwrite(tmp_path / "a", image, photometric="palette", colormap=table)
    pixels, _, record = imported(tmp_path / "a", tmp_path)
    np.testing.assert_array_equal(pixels, image >> 8)
    assert not [note for note in record.notes if "16-bit" in note]


def packed(path, image, *, bits, photometric="minisblack", table=None):
    """Write a TIFF of few bits a pixel by hand: rows are filled up to whole bytes."""
    digits = np.unpackbits(image[..., None], axis=2)[..., 8 - bits :].reshape(len(image), -1)
    data = np.packbits(digits, axis=1).tobytes()
    code = {"miniswhite": 0, "minisblack": 1, "palette": 3}[photometric]
    entries = [
        (256, 4, 1, image.shape[1]),
        (257, 4, 1, image.shape[0]),
        (258, 3, 1, bits),
        (259, 3, 1, 1),
        (262, 3, 1, code),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 4, 1, image.shape[0]),
        (279, 4, 1, len(data)),
    ]
    behind = 8 + len(data) + len(data) % 2
    if table is not None:
        entries.append((320, 3, len(table), behind))
        data += bytes(len(data) % 2) + np.asarray(table, "<u2").tobytes()
    data += bytes(len(data) % 2)
    parts = [b"II*\0", (8 + len(data)).to_bytes(4, "little"), data]
    parts.append(len(entries).to_bytes(2, "little"))
    for code, kind, count, value in entries:
        parts += [code.to_bytes(2, "little"), kind.to_bytes(2, "little")]
        parts += [count.to_bytes(4, "little"), value.to_bytes(4, "little")]
    path.write_bytes(b"".join([*parts, bytes(4)]))


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_few_bits_are_spread_over_eight(tmp_path, bits, photometric):
    image = noise() % 2**bits
    packed(tmp_path / "a", image, bits=bits, photometric=photometric)
    pixels, _, _ = imported(tmp_path / "a", tmp_path)
    expected = image * (255 // (2**bits - 1))
    np.testing.assert_array_equal(
        pixels, 255 - expected if photometric == "miniswhite" else expected
    )


def test_colour_tables_of_few_bits(tmp_path):
    image = noise() % 16
    packed(tmp_path / "a", image, bits=4, photometric="palette", table=[*range(0, 240, 15)] * 3)
    pixels, _, _ = imported(tmp_path / "a", tmp_path)
    np.testing.assert_array_equal(pixels, image * 15)


@pytest.mark.parametrize("compression", ["lzw", "zlib", "zstd", "packbits", "lzma", "jpeg2000"])
@pytest.mark.parametrize("layout", [{"rowsperstrip": 1}, {"tile": (64, 128)}])
def test_compressions(tmp_path, compression, layout):
    image = noise()
    tifffile.imwrite(tmp_path / "a", image, compression=compression, **layout)
    pixels, valid, _ = imported(tmp_path / "a", tmp_path, threads=2)
    np.testing.assert_array_equal(pixels, image)
    assert (valid == 255).all()


@pytest.mark.parametrize("photometric", ["rgb", "ycbcr"])
def test_jpeg_within_tiff_becomes_rgb(tmp_path, photometric):
    image = rgb(np.kron(noise((13, 20)), np.ones((16, 16), np.uint8)))
    tifffile.imwrite(
        tmp_path / "a",
        image,
        photometric="rgb",
        compression="jpeg",
        compressionargs={"level": 95, "outcolorspace": photometric},
        tile=(64, 64),
    )
    pixels, _, _ = imported(tmp_path / "a", tmp_path)
    assert np.abs(pixels.astype(int) - image[..., 0]).mean() < 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": (ROWS, COLUMNS, 4), "photometric": "separated"}, "4 channels .SEPARATED"),
        ({"shape": (ROWS, COLUMNS, 3), "photometric": "cielab"}, "3 channels .CIELAB"),
        ({"dtype": np.float32}, "pixels of type float32"),
        ({"dtype": np.int16}, "pixels of type int16"),
        ({"dtype": np.uint32}, "pixels of type uint32"),
    ],
)
def test_what_cannot_become_grey_is_refused(tmp_path, options, message):
    options = {"shape": (ROWS, COLUMNS), "dtype": np.uint8, **options}
    image = np.zeros(options.pop("shape"), options.pop("dtype"))
    tifffile.imwrite(tmp_path / "a", image, **options)
    with pytest.raises(InputError, match=message):
        open_source(tmp_path / "a")


# --- sparse files and what lies behind the end ----------------------------------------------------


def without(path, *, lost, counts=(279, 325), offsets=(273, 324)):
    """Set place and number of bytes of strips or tiles to 0, as in a file that has none."""
    with tifffile.TiffFile(path) as tiff:
        tags = [tag for tag in tiff.pages.first.tags if tag.code in counts + offsets]
        places = [(tag.valueoffset, tifffile.DATATYPE(tag.dtype).name) for tag in tags]
    content = bytearray(path.read_bytes())
    for start, kind in places:
        size = {"SHORT": 2, "LONG": 4, "LONG8": 8}[kind]
        for index in lost:
            content[start + size * index : start + size * (index + 1)] = bytes(size)
    path.write_bytes(content)


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_tiles_that_were_never_written_are_no_area(tmp_path, photometric):
    image = noise()
    tifffile.imwrite(
        tmp_path / "a", image, tile=(64, 64), compression="zlib", photometric=photometric
    )
    without(tmp_path / "a", lost=[0, 6, 19])
    inside = np.ones((ROWS, COLUMNS), bool)
    inside[:64, :64] = inside[64:128, 64:128] = inside[192:, 256:] = False
    pixels, valid, record = imported(tmp_path / "a", tmp_path, threads=2)
    expected = 255 - image if photometric == "miniswhite" else image
    np.testing.assert_array_equal(pixels, expected * inside)
    np.testing.assert_array_equal(valid, 255 * inside)
    assert record.notes == (
        "left tiles or strips that were never written out of the valid area: 3",
    )


def test_strips_that_were_never_written_are_no_area(tmp_path):
    tifffile.imwrite(tmp_path / "a", noise(), rowsperstrip=50)
    without(tmp_path / "a", lost=[1])
    _, valid, _ = imported(tmp_path / "a", tmp_path)
    assert (valid[50:100] == 0).all()
    assert (valid == 0).sum() == 50 * COLUMNS


def test_a_file_without_any_tile_or_with_half_of_one_is_incomplete(tmp_path):
    for name, options in (("all", {}), ("counts", {"offsets": ()})):
        tifffile.imwrite(tmp_path / name, noise(), tile=(64, 64), compression="zlib")
        without(tmp_path / name, lost=range(20) if name == "all" else [3], **options)
        with pytest.raises(InputError, match="is incomplete"):
            open_source(tmp_path / name)


@pytest.mark.parametrize("behind", [100, 200_000])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_data_behind_the_end_do_no_harm(tmp_path, kind, behind):
    content = io.BytesIO()
    Image.fromarray(noise()).save(content, kind)
    (tmp_path / "whole").write_bytes(content.getvalue())
    (tmp_path / "longer").write_bytes(content.getvalue() + bytes(behind))
    pixels, _, _ = imported(tmp_path / "longer", tmp_path)
    np.testing.assert_array_equal(pixels, imported(tmp_path / "whole", tmp_path)[0])
    (tmp_path / "shorter").write_bytes(content.getvalue()[:-20])
    with pytest.raises(InputError, match="truncated"):
        open_source(tmp_path / "shorter")
