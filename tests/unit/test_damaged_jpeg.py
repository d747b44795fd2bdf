"""JPEG whose data are damaged: decoders fill or shift the rest of the picture without a word."""

import io
import struct

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from damascene import InputError
from damascene.images.decoding import grey_strips
from damascene.images.formats import parse_header

ROWS, COLUMNS = 320, 400
PIXELS = np.random.default_rng(0).normal(120, 30, (ROWS, COLUMNS)).clip(0, 255).astype(np.uint8)
END = b"\xff\xd9"


def encoded(*, channels=1, **options):
    image = PIXELS if channels == 1 else np.repeat(PIXELS[..., None], channels, axis=2)
    content = io.BytesIO()
    Image.fromarray(image).save(content, "JPEG", quality=90, **options)
    return content.getvalue()


KINDS = {
    "grey": encoded(),
    "colour": encoded(channels=3),
    "progressive": encoded(progressive=True),
    "progressive colour": encoded(channels=3, progressive=True),
    "restart markers": encoded(restart_marker_blocks=7),
}


def without_middle(jpeg):
    return jpeg[: len(jpeg) // 3] + jpeg[len(jpeg) // 2 :]


def with_zeros(jpeg, count=2000):
    middle = len(jpeg) // 2
    return jpeg[:middle] + bytes(count) + jpeg[middle + count :]


def cut(jpeg):
    return jpeg[: len(jpeg) // 2] + END


def cut_between_scans(jpeg):
    return jpeg[: jpeg.rindex(b"\xff\xda")] + END


def higher(jpeg, by=64):
    frame = next(jpeg.index(mark) for mark in (b"\xff\xc0", b"\xff\xc2") if mark in jpeg[:1000])
    place = slice(frame + 5, frame + 7)
    (rows,) = struct.unpack(">H", jpeg[place])
    return jpeg[: place.start] + struct.pack(">H", rows + by) + jpeg[place.stop :]


def lower(jpeg):
    return higher(jpeg, by=-64)


def greys(path):
    return np.concatenate([strip.grey for strip in grey_strips(parse_header(path))])


@pytest.mark.parametrize("damage", [without_middle, with_zeros, cut, higher, lower])
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_jpeg_is_refused(tmp_path, kind, damage):
    (tmp_path / "a.jpg").write_bytes(damage(KINDS[kind]))
    with pytest.raises(InputError, match=r"a\.jpg is (damaged|truncated).* Copy the file again"):
        greys(tmp_path / "a.jpg")


@pytest.mark.parametrize("kind", ["progressive", "progressive colour"])
def test_a_progressive_jpeg_without_its_last_scan_is_refused(tmp_path, kind):
    (tmp_path / "a.jpg").write_bytes(cut_between_scans(KINDS[kind]))
    with pytest.raises(InputError, match=r"a\.jpg is damaged"):
        greys(tmp_path / "a.jpg")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("behind", [b"", b"x" * 10_000, KINDS["grey"]])
def test_a_whole_jpeg_is_read_whatever_lies_behind_it(tmp_path, kind, behind):
    remark = b"\xff\xfe\x00\x06abcd\xff"
    content = KINDS[kind][:2] + remark + KINDS[kind][2:] + behind
    (tmp_path / "a.jpg").write_bytes(content)
    expected = np.asarray(Image.open(io.BytesIO(KINDS[kind])).convert("L"), int)
    assert np.abs(greys(tmp_path / "a.jpg") - expected).max() <= 1


@pytest.mark.parametrize("damage", [without_middle, lambda tile: with_zeros(tile, 200), cut])
def test_damaged_jpeg_within_tiff_is_refused(tmp_path, damage):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS, compression="jpeg", tile=(64, 64))
    assert np.abs(greys(path).astype(int) - PIXELS).mean() < 10
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages.first
        place, count = page.dataoffsets[8], page.databytecounts[8]
    content = path.read_bytes()
    tile = damage(content[place : place + count]).ljust(count, b"\0")
    path.write_bytes(content[:place] + tile + content[place + count :])
    with pytest.raises(InputError, match=r"a\.tif is damaged"):
        greys(path)


def test_tables_that_all_tiles_share_are_used(tmp_path):
    whole = imagecodecs.jpeg8_encode(PIXELS[:256, :256], level=90)
    scan = whole.index(b"\xff\xc0")
    tables = whole[:scan] + END
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(
            iter([b"\xff\xd8" + whole[scan:]]),
            shape=(256, 256),
            dtype=np.uint8,
            tile=(256, 256),
            compression="jpeg",
            extratags=[(347, 7, len(tables), tables, True)],
        )
    np.testing.assert_array_equal(greys(path), imagecodecs.jpeg8_decode(whole))
