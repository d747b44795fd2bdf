"""Grey values mean the same however many bits a file spends on them."""

import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from made_records import panorama_record
from tests import made_images

from damascene import InputError
from damascene.config.study import load_study
from damascene.contracts.panorama_record import GreyScale
from damascene.detection.settings import find_candidates_of
from damascene.images.grey_scale import agree_on_grey_scale, depth_of_values
from damascene.images.headers import read_header
from damascene.images.sources import open_source
from damascene.images.store import open_pair

#: Ways of saving greys of 8 bits with more, as programs do it.
SAVED = {
    "8 in 16 bits": (lambda s: s, 8),
    "10 bits, shifted": (lambda s: s << 2, 10),
    "12 bits, shifted": (lambda s: s << 4, 12),
    "14 bits, shifted": (lambda s: s << 6, 14),
    "16 bits, shifted": (lambda s: s << 8, 16),
    "10 bits": (lambda s: np.rint(s * (1023 / 255)), 10),
    "12 bits": (lambda s: np.rint(s * (4095 / 255)), 12),
    "14 bits": (lambda s: np.rint(s * (16383 / 255)), 14),
    "16 bits": (lambda s: s * 257, 16),
    # A detector of 12 bits, in the upper bits of 16.
    "12 bits on the left": (lambda s: np.rint(s * (4095 / 255)).astype(np.uint16) << 4, 16),
}


def deep(grey, way):
    return SAVED[way][0](grey.astype(np.uint16)).astype(np.uint16)


def imported(source, folder, **options):
    pixels, _, record = made_images.imported(source, folder, **options)
    return pixels, record


def scene(brightest=230, shape=(200, 300)):
    """Grey values of a picture of low contrast, none darker than 30."""
    random = np.random.default_rng(0)
    return np.clip(random.normal(90, 15, shape), 30, brightest).astype(np.uint8)


def write(path, image, **options):
    tifffile.imwrite(path, image, **options)
    return path


@pytest.mark.parametrize("way", SAVED)
def test_8_bit_greys_come_back_from_any_depth(tmp_path, way):
    grey = scene()
    grey[0, 0] = 230
    pixels, record = imported(write(tmp_path / "a.tif", deep(grey, way)), tmp_path)
    np.testing.assert_array_equal(pixels, grey)
    assert record.grey_scale == GreyScale(
        stored_bits=16,
        bit_depth=SAVED[way][1],
        bit_depth_source="data",
        largest_value=int(deep(grey, way).max()),
    )
    (note,) = record.notes
    depth = SAVED[way][1]
    assert f"16-bit to 8-bit by scaling the range 0 to {2**depth - 1} ({depth} bits, " in note


@pytest.fixture(scope="module")
def steel(tmp_path_factory):
    """Return a simulated picture whose darkest pixels are grey 10, and whose brightest 250."""
    _, pixels = made_images.simulated(
        tmp_path_factory.mktemp("steel"),
        shape=(768, 1024),
        pixel_size_nm=40,
        seed=5,
        dwell_time_ns=10000,
    )
    return (10 + pixels.astype(int) * 240 // 255).astype(np.uint8)


@pytest.mark.parametrize("preset", ["kerzel2024", "default"])
def test_the_same_scene_has_the_same_candidates_in_any_depth(tmp_path, steel, preset):
    study = load_study({"preset": preset, "detection": {"merge": "corrected"}})

    def candidates(image):
        imported(write(tmp_path / "a.tif", image), tmp_path)
        with open_pair(tmp_path / "P1.ome.tif", tmp_path / "P1.valid.ome.tif") as pair:
            return find_candidates_of(*pair, panorama="P1", settings=study.detection)[0]

    expected = candidates(steel)
    assert len(expected) > 5
    for way in SAVED:
        found = candidates(deep(steel, way))
        assert found[["x_px", "y_px", "area_px"]].equals(expected[["x_px", "y_px", "area_px"]])


@given(
    depth=st.integers(9, 16),
    values=st.lists(st.integers(0, 65535), min_size=1, max_size=50),
)
@settings(deadline=None, max_examples=60)
def test_a_stated_depth_is_one_line_for_all_values(tmp_path_factory, depth, values):
    folder = tmp_path_factory.mktemp("stated")
    image = np.resize(np.array(values) % 2**depth, (20, 30)).astype(np.uint16)
    pixels, record = imported(write(folder / "a.tif", image), folder, bit_depth=depth)
    # 256 steps of equal width.
    np.testing.assert_array_equal(pixels, np.floor(image * (256 / 2**depth)))
    assert record.grey_scale.bit_depth == depth
    assert record.grey_scale.bit_depth_source == "sheet"


@given(st.lists(st.integers(0, 65535), min_size=2, max_size=100), st.sampled_from([0, 2, 4, 6, 8]))
def test_the_depth_of_values_holds_them_all(values, unused):
    values = (np.array(values, np.uint16) >> unused) << unused
    largest, used = int(values.max()), int(np.bitwise_or.reduce(values))
    depth = depth_of_values(largest, used)
    assert largest < 2**depth
    # The next smaller one does not, unless the values stand on the left of 16 bits.
    assert largest >= 2 ** (depth - 2) or depth == 8 or used % 4 == 0


@pytest.mark.parametrize(
    ("largest", "used_bits", "depth"),
    [
        (0, 0, 8),
        (255, 255, 8),
        (256, 511, 10),
        (1023, 1023, 10),
        (1024, 2047, 12),
        (4080, 0x0FF0, 12),
        (4095, 4095, 12),
        (4096, 8191, 14),
        (16320, 0x3FC0, 14),
        (16384, 32767, 16),
        # Detectors of 14, 12 and 10 bits, in the upper bits of 16, in the dark.
        (3996, 0x0FFC, 16),
        (12000, 0x3FF0, 16),
        (3968, 0x0FC0, 16),
    ],
)
def test_depths_of_values(largest, used_bits, depth):
    assert depth_of_values(largest, used_bits) == depth


# --- what headers state ---------------------------------------------------------------------------


def png_with_sbit(path, image, bits):
    content = imagecodecs.png_encode(image)
    chunk = b"sBIT" + bytes([bits])
    chunk = struct.pack(">I", 1) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(content[:33] + chunk + content[33:])
    return path


HEADERS = {
    "OME": lambda path, image: tifffile.imwrite(
        path, image, ome=True, metadata={"axes": "YX", "SignificantBits": 12}
    ),
    "largest value": lambda path, image: tifffile.imwrite(
        path, image, extratags=[(281, 3, 1, 4095, True)]
    ),
    "largest value of any type": lambda path, image: tifffile.imwrite(
        path, image, extratags=[(341, 3, 1, 4095, True)]
    ),
    "packed": lambda path, image: tifffile.imwrite(path, image, bitspersample=12),
    "PNG": lambda path, image: png_with_sbit(path, image, 12),
}


def packed_12_bits(path, image):
    """Write a TIFF of 12 bits a sample by hand: two samples in three bytes."""
    flat = image.astype(np.uint32).reshape(-1, 2)
    both = (flat[:, 0] << 12) | flat[:, 1]
    data = np.stack([both >> 16, both >> 8 & 255, both & 255], axis=1).astype(np.uint8).tobytes()
    rows, columns = image.shape
    tags = [
        *((256, columns), (257, rows), (258, 12), (259, 1), (262, 1)),
        *((273, 8 + 2 + 9 * 12 + 4), (277, 1), (278, rows), (279, len(data))),
    ]
    content = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    content += b"".join(struct.pack("<HHII", code, 4, 1, value) for code, value in tags)
    path.write_bytes(content + bytes(4) + data)


@pytest.mark.parametrize("kind", HEADERS)
def test_a_dark_image_keeps_the_depth_of_its_header(tmp_path, kind):
    # By its values it would be one of 10 bits.
    grey = scene(brightest=60)
    source = tmp_path / "a"
    if kind == "packed":
        packed_12_bits(source, deep(grey, "12 bits"))
    else:
        HEADERS[kind](source, deep(grey, "12 bits"))
    pixels, record = imported(source, tmp_path)
    np.testing.assert_array_equal(pixels, grey)
    assert record.grey_scale.bit_depth == 12
    assert record.grey_scale.bit_depth_source == "header"


def test_each_image_of_ome_has_its_own_depth(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif", ome=True) as writer:
        for bits in (12, 10):
            writer.write(
                scene().astype(np.uint16), metadata={"axes": "YX", "SignificantBits": bits}
            )
    assert [read_header(tmp_path / "a.tif", page).bit_depth for page in (1, 2)] == [12, 10]


@pytest.mark.parametrize("largest", [900, 4000, 65535])
def test_statements_that_say_nothing_are_left_aside(tmp_path, largest):
    grey = scene()
    source = write(
        tmp_path / "a.tif", deep(grey, "12 bits"), extratags=[(281, 3, 1, largest, True)]
    )
    pixels, record = imported(source, tmp_path)
    np.testing.assert_array_equal(pixels, grey)
    assert record.grey_scale.bit_depth_source == "data"


def test_a_header_that_its_values_contradict_is_left_aside(tmp_path):
    grey = scene()
    source = tmp_path / "a.tif"
    HEADERS["OME"](source, deep(grey, "12 bits on the left"))
    pixels, record = imported(source, tmp_path)
    np.testing.assert_array_equal(pixels, grey)
    assert record.grey_scale.bit_depth == 16
    assert "header states 12 bits, which do not hold them" in record.notes[0]


def test_white_is_zero_within_the_bits_that_are_filled(tmp_path):
    grey = scene()
    stored = 4095 - deep(grey, "12 bits")
    source = write(tmp_path / "a.tif", stored, photometric="miniswhite")
    pixels, record = imported(source, tmp_path)
    np.testing.assert_array_equal(pixels, grey)
    assert record.grey_scale.bit_depth == 12


@pytest.mark.parametrize("way", ["12 bits", "16 bits"])
def test_black_and_white_are_exchanged_on_request(tmp_path, way):
    grey = scene()
    for image in (255 - grey, deep(255 - grey, way)):
        pixels, record = imported(write(tmp_path / "a.tif", image), tmp_path, invert=True)
        np.testing.assert_array_equal(pixels, grey)
        assert record.notes[0] == "inverted black and white, as the sample sheet says"
    # Twice is not at all.
    source = write(tmp_path / "a.tif", grey, photometric="miniswhite")
    np.testing.assert_array_equal(imported(source, tmp_path, invert=True)[0], grey)


# --- what cannot be decided -----------------------------------------------------------------------


def test_marks_drawn_into_the_picture_do_not_set_the_scale_in_silence(tmp_path):
    grey = scene()
    image = deep(grey, "12 bits")
    image[5, 5:12] = 65535
    source = write(tmp_path / "a.tif", image)
    with pytest.raises(InputError, match=r"up to 65535, it is 16.*row P1, column bit_depth: 12 if"):
        imported(source, tmp_path)
    pixels, record = imported(source, tmp_path, bit_depth=12)
    assert (pixels[5, 5:12] == 255).all()
    np.testing.assert_array_equal(pixels[6:], grey[6:])
    assert "7 pixels above this range are white" in record.notes[0]


@pytest.mark.parametrize(
    ("way", "value", "depths"),
    [
        ("12 bits", 5000, (14, 12)),
        ("10 bits", 1024, (12, 10)),
        ("8 in 16 bits", 256, (10, 8)),
        ("14 bits", 65535, (16, 14)),
        # A value between the steps of a detector of 12 bits in the upper bits of 16, in the dark.
        ("12 bits on the left", 1001, (14, 16)),
    ],
)
def test_a_hot_pixel_does_not_decide_on_the_depth(tmp_path, way, value, depths):
    dark = way == "12 bits on the left"
    grey = scene(brightest=60 if dark else 230)
    image = deep(grey, way)
    pixels, _ = imported(write(tmp_path / "a.tif", image), tmp_path)
    np.testing.assert_array_equal(pixels, grey)
    image[7, 9] = value
    source = write(tmp_path / "a.tif", image)
    all_values, others = depths
    with pytest.raises(InputError) as error:
        imported(source, tmp_path)
    assert "a few pixels decide on its bit depth" in str(error.value)
    assert f"column bit_depth: {others} if the few are hot pixels" in str(error.value)
    assert f"{all_values} if they belong to the picture" in str(error.value)
    pixels, _ = imported(source, tmp_path, bit_depth=others)
    np.testing.assert_array_equal(pixels[8:], grey[8:])


def test_a_depth_that_does_not_hold_the_image_is_refused(tmp_path):
    source = write(tmp_path / "a.tif", deep(scene(), "12 bits"))
    with pytest.raises(InputError, match=r"column bit_depth: 10 bits hold values up to 1023, but"):
        imported(source, tmp_path, bit_depth=10)
    source = write(tmp_path / "b.tif", scene())
    with pytest.raises(InputError, match=r"b\.tif has 8 bits a pixel, not 12"):
        open_source(source, bit_depth=12)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint32", "int16", "int8"])
def test_types_without_a_full_scale_are_refused(tmp_path, dtype):
    source = write(tmp_path / "a.tif", scene().astype(dtype))
    with pytest.raises(InputError, match=f"type {dtype}, whose full scale is unknown. Save it as"):
        open_source(source)


def test_tiles_of_a_grid_have_one_scale(tmp_path):
    bright, dark = scene(), scene(brightest=60)
    write(tmp_path / "dark.tif", deep(dark, "12 bits"))
    write(tmp_path / "bright.tif", deep(bright, "12 bits"))
    (tmp_path / "g.tsv").write_text("file\tcolumn\trow\ndark.tif\t0\t0\nbright.tif\t1\t0\n")
    pixels, _ = imported(tmp_path / "g.tsv", tmp_path)
    np.testing.assert_array_equal(pixels, np.hstack([dark, bright]))


def test_white_may_be_zero_in_some_tiles_only(tmp_path):
    grey = scene()
    write(tmp_path / "a.tif", deep(grey, "12 bits"))
    write(tmp_path / "b.tif", 4095 - deep(grey, "12 bits"), photometric="miniswhite")
    (tmp_path / "g.tsv").write_text("file\tcolumn\trow\na.tif\t0\t0\nb.tif\t1\t0\n")
    pixels, _ = imported(tmp_path / "g.tsv", tmp_path)
    np.testing.assert_array_equal(pixels, np.hstack([grey, grey]))


def record(name, depth, source, largest=1):
    return panorama_record(
        name,
        grey_scale=GreyScale(
            stored_bits=8 if source == "file" else 16,
            bit_depth=depth,
            bit_depth_source=source,
            largest_value=largest,
        ),
    )


def test_a_dark_panorama_beside_bright_ones_stops_the_study():
    records = [record("a", 10, "data", 900), record("b", 12, "data", 3900), record("c", 8, "file")]
    with pytest.raises(InputError) as error:
        agree_on_grey_scale([*records, panorama_record("simulated")])
    said = str(error.value)
    assert "are dark: 10 bits hold the values of a; 12 bits hold the values of b. Enter" in said
    assert "column bit_depth: 12 if all were taken with one setting" in said
    # The same where only a header says what the others have.
    with pytest.raises(InputError, match=r"dark: 10 bits hold the values of a\. Enter"):
        agree_on_grey_scale([records[0], record("b", 12, "header")])


def test_scales_that_agree_or_are_stated_pass():
    same = [record("a", 12, "data"), record("b", 12, "sheet"), record("c", 12, "header")]
    assert agree_on_grey_scale(same) == []
    assert agree_on_grey_scale([record("a", 8, "file"), panorama_record("s")]) == []
    (note,) = agree_on_grey_scale([record("a", 10, "sheet"), record("b", 12, "header")])
    assert "10 and 12 bits, as stated" in note
    (note,) = agree_on_grey_scale([*same, record("d", 8, "file")])
    assert "1 of 4 panoramas were handed in with 8 bits, the others with 12" in note
