import gc
import hashlib
import tracemalloc

import imagecodecs
import numpy as np
import pytest
import tifffile
from tests.made_images import imported

from damascene import InputError
from damascene.images import importing
from damascene.images.importing import import_panorama
from damascene.images.pixel_sizes import PixelSize, agree_on_pixel_size
from damascene.images.sources import needed_megabytes, open_source
from damascene.images.store import write_tiled
from damascene.images.valid_area import write_image_and_mask


def noise(shape, seed=0, dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, shape, dtype)


def luminance(rgb):
    return np.floor(rgb.astype(float) @ (0.299, 0.587, 0.114) + 0.5 + 1e-9)


ACQUISITION = (
    "microscope",
    "accelerating_voltage_kv",
    "working_distance_mm",
    "detector",
    "dwell_time_ns",
    "acquired",
)
GREY_FILES = {
    "png": lambda path, image: path.write_bytes(imagecodecs.png_encode(image)),
    "stripped": lambda path, image: tifffile.imwrite(
        path, image, rowsperstrip=7, compression="zlib", predictor=True
    ),
    "one strip": lambda path, image: tifffile.imwrite(path, image, rowsperstrip=len(image)),
    "big endian": lambda path, image: tifffile.imwrite(path, image, byteorder=">"),
    "tiled": lambda path, image: tifffile.imwrite(path, image, tile=(64, 128), compression="zlib"),
    "bigtiff": lambda path, image: tifffile.imwrite(path, image, bigtiff=True, tile=(64, 64)),
    "white is zero": lambda path, image: tifffile.imwrite(
        path, np.iinfo(image.dtype).max - image, photometric="miniswhite"
    ),
}


@pytest.mark.parametrize("kind", GREY_FILES)
@pytest.mark.parametrize("threads", [1, 3])
def test_grey_images_are_imported_unchanged(tmp_path, kind, threads):
    image = noise((403, 517))
    # The name says nothing about the type.
    source = tmp_path / "source.dat"
    GREY_FILES[kind](source, image)
    assert open_source(source).shape == (403, 517)
    pixels, valid, record = imported(source, tmp_path, threads=threads)
    np.testing.assert_array_equal(pixels, image)
    assert (valid == 255).all()
    said = record.model_dump(exclude={"sources", "versions"})
    assert said == {
        "panorama": "P1",
        "width_px": 517,
        "height_px": 403,
        "pixel_size_nm": 40.0,
        "pixel_size_source": "sheet",
        "acquisition": dict.fromkeys(ACQUISITION),
        "valid_area_mm2": pytest.approx(517 * 403 * 40**2 * 1e-12),
        "valid_fraction": 1.0,
        "valid_area": {"valid": 1.0, "no_image": 0.0, "blank": 0.0, "charging": 0.0},
        "source": str(source),
        "stitching": None,
        "grey_scale": {
            "stored_bits": 8,
            "bit_depth": 8,
            "bit_depth_source": "file",
            "largest_value": None,
        },
        "notes": (),
    }


def test_jpeg_is_imported_as_it_decodes(tmp_path):
    image = np.repeat(np.arange(200, dtype=np.uint8)[:, None], 300, axis=1)
    source = tmp_path / "a.jpg"
    # Trailing bytes, as some cameras write them.
    source.write_bytes(imagecodecs.jpeg8_encode(image, level=95) + bytes(100))
    pixels, _, _ = imported(source, tmp_path)
    assert np.abs(pixels.astype(int) - image).max() <= 3


COLOUR_FILES = {
    "png": lambda path, image: path.write_bytes(imagecodecs.png_encode(image)),
    "contiguous": lambda path, image: tifffile.imwrite(path, image, photometric="rgb"),
    "tiled": lambda path, image: tifffile.imwrite(
        path, image, photometric="rgb", tile=(64, 64), compression="zlib"
    ),
    "planar": lambda path, image: tifffile.imwrite(
        path, np.moveaxis(image, -1, 0), photometric="rgb", planarconfig="separate"
    ),
}


@pytest.mark.parametrize("kind", COLOUR_FILES)
def test_colour_becomes_luminance(tmp_path, kind):
    image = noise((203, 317, 3))
    image[:, :200] = image[:, :200, :1]
    source = tmp_path / "source"
    COLOUR_FILES[kind](source, image)
    pixels, _, record = imported(source, tmp_path)
    np.testing.assert_array_equal(pixels, luminance(image))
    (note,) = record.notes
    assert "ITU-R BT.601" in note
    assert "36.9 % of the pixels are coloured" in note


@pytest.mark.parametrize("kind", COLOUR_FILES)
def test_three_equal_channels_are_one(tmp_path, kind):
    grey = noise((103, 117))
    source = tmp_path / "source"
    COLOUR_FILES[kind](source, np.repeat(grey[..., None], 3, axis=2))
    pixels, _, record = imported(source, tmp_path)
    np.testing.assert_array_equal(pixels, grey)
    assert list(record.notes) == ["converted from colour to grey; the three channels are equal"]


def test_colour_tables_are_applied(tmp_path):
    indices = noise((50, 60))
    table = np.tile(np.arange(255, -1, -1, dtype=np.uint16) * 257, (3, 1))
    source = tmp_path / "a.tif"
    tifffile.imwrite(source, indices, photometric="palette", colormap=table)
    pixels, _, _ = imported(source, tmp_path)
    np.testing.assert_array_equal(pixels, 255 - indices)


# --- pixel size -----------------------------------------------------------------------------------


def test_the_pixel_size_of_an_ome_tiff_is_used(tmp_path):
    source = tmp_path / "a.ome.tif"
    metadata = {"axes": "YX", "PhysicalSizeX": 57.5, "PhysicalSizeXUnit": "nm"}
    tifffile.imwrite(source, noise((40, 50)), metadata=metadata)
    _, _, record = imported(source, tmp_path, pixel_size_nm=None)
    assert record.pixel_size_nm == pytest.approx(57.5)
    assert record.pixel_size_source == "header"


def test_a_panorama_can_be_imported_again_with_its_pyramid(tmp_path):
    image = noise((1300, 2100))
    source = tmp_path / "first.ome.tif"
    write_tiled(source, [image], shape=image.shape, pixel_size_nm=40, name="P1")
    pixels, _, record = imported(source, tmp_path, pixel_size_nm=float("nan"))
    np.testing.assert_array_equal(pixels, image)
    assert record.pixel_size_nm == pytest.approx(40)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"resolution": (250000, 250000), "resolutionunit": "CENTIMETER"}, 40),
        ({"resolution": (300, 300), "resolutionunit": "INCH"}, None),
        # 300 dpi, written in centimetres
        ({"resolution": (118.11, 118.11), "resolutionunit": "CENTIMETER"}, None),
        ({"resolution": (25, 25), "imagej": True, "metadata": {"unit": "micron"}}, 40),
        ({}, None),
    ],
)
def test_resolution_tags_count_only_as_a_size_on_the_specimen(tmp_path, options, expected):
    source = tmp_path / "a.tif"
    tifffile.imwrite(source, noise((40, 50)), **options)
    assert open_source(source).pixel_size_nm == (expected and pytest.approx(expected))


@pytest.mark.parametrize(
    ("sheet", "header", "message"),
    [
        (
            None,
            None,
            r"Panorama P1: no pixel size for a\.tif .its header states none.\. Enter it in nano",
        ),
        (float("nan"), None, r"row P1, column pixel_size_nm"),
        (40, 50.0, r"row P1, column pixel_size_nm: the sheet says 40 nm, the header of a\.tif 50"),
        (-3, None, r"row P1, column pixel_size_nm: -3 is not a size"),
    ],
)
def test_pixel_sizes_that_cannot_be_used_are_explained(sheet, header, message):
    with pytest.raises(InputError, match=message):
        agree_on_pixel_size(
            panorama="P1",
            source="a.tif",
            sheet_nm=sheet,
            stated=PixelSize(nm=header, origin=header and "the header"),
        )


def test_rounded_pixel_sizes_agree():
    stated = PixelSize(nm=40.3, origin="OME-XML")
    decided = agree_on_pixel_size(panorama="P1", source="a", sheet_nm=40, stated=stated)
    assert (decided.nm, decided.origin, decided.notes) == (40.0, "sheet", ())


def test_pixels_that_are_not_square_are_refused(tmp_path):
    source = tmp_path / "a.tif"
    resolution = {"resolution": (250000, 200000), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(source, noise((40, 50)), **resolution)
    with pytest.raises(InputError, match=r"a\.tif: .* states pixels of 40 nm x 50 nm"):
        imported(source, tmp_path)


# --- files that cannot be used --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.tif", None, r"missing\.tif does not exist. Correct"),
        ("empty.png", b"", r"empty\.png is empty"),
        ("a.bmp", b"BM" + bytes(100), r"a\.bmp is neither TIFF, PNG nor JPEG. Save"),
        ("a.tif", b"II*\0" + bytes(4), r"a\.tif cannot be read as TIFF"),
        ("missing.tsv", None, r"missing\.tsv does not exist. Correct"),
    ],
)
def test_unusable_files_are_named(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        open_source(tmp_path / name)


def test_a_folder_is_no_image(tmp_path):
    with pytest.raises(InputError, match="is not a file"):
        open_source(tmp_path)


@pytest.mark.parametrize("kept", [0.99, 0.5, 0.01])
@pytest.mark.parametrize("kind", [*GREY_FILES, "jpeg", "pyramid"])
def test_truncated_files_are_found_in_the_header(tmp_path, kind, kept):
    source = tmp_path / "source"
    image = noise((300, 400))
    if kind == "jpeg":
        source.write_bytes(imagecodecs.jpeg8_encode(image))
    elif kind == "pyramid":
        write_tiled(source, [image], shape=image.shape, pixel_size_nm=40, name="P1")
    else:
        GREY_FILES[kind](source, image)
    content = source.read_bytes()
    source.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(InputError, match=r"source .*truncated.* Copy the file again"):
        open_source(source)


def test_a_page_is_chosen_from_several(tmp_path):
    source = tmp_path / "a.tif"
    pages = [noise((40, 50), 1), noise((60, 70), 2), noise((40, 50), 3, np.uint16)]
    with tifffile.TiffWriter(source) as writer:
        for page in pages:
            writer.write(page, metadata=None, description="InLens" if page is pages[1] else None)
    with pytest.raises(
        InputError,
        match=r"a\.tif holds 3 images: page 1: 50 x 40 px; page 2: 70 x 60 px, 'InLens'; "
        r"page 3: 50 x 40 px\. Fill in or correct the column page",
    ):
        open_source(source)
    for number, page in enumerate(pages, start=1):
        pixels, _, _ = imported(source, tmp_path, page=number)
        expected = page if page.dtype == np.uint8 else page >> 8
        np.testing.assert_array_equal(pixels, expected)
    for number in (0, 4):
        with pytest.raises(InputError, match=rf"a\.tif has no page {number}: it has 3"):
            open_source(source, page=number)


def test_a_stack_is_a_choice_of_pages(tmp_path):
    source = tmp_path / "a.tif"
    stack = noise((2, 2, 40, 50))
    tifffile.imwrite(source, stack, photometric="minisblack", compression="zlib")
    with pytest.raises(InputError, match="holds 4 images: page 1"):
        open_source(source)
    pixels, _, _ = imported(source, tmp_path, page=3)
    np.testing.assert_array_equal(pixels, stack[1, 0])


def test_reduced_images_are_no_pages_to_choose_from(tmp_path):
    image = noise((401, 301))
    source = tmp_path / "a.tif"
    with tifffile.TiffWriter(source) as writer:
        # Before the image, as some programs write it, and levels after it.
        writer.write(noise((90, 120)), subfiletype=1)
        writer.write(image)
        writer.write(image[::2, ::2], subfiletype=1)
    pixels, _, _ = imported(source, tmp_path)
    np.testing.assert_array_equal(pixels, image)


def test_planes_within_one_page_cannot_be_chosen(tmp_path):
    source = tmp_path / "a.tif"
    stack = noise((3, 40, 50))
    tifffile.imwrite(source, stack, photometric="minisblack", truncate=True)
    with tifffile.TiffFile(source) as tiff:
        assert len(tiff.pages) == 1
    with pytest.raises(InputError, match=r"holds 3 planes in one page\. Save the plane"):
        open_source(source)


def test_only_tiff_has_pages(tmp_path):
    source = tmp_path / "a.png"
    GREY_FILES["png"](source, noise((40, 50)))
    assert open_source(source, page=1).shape == (40, 50)
    with pytest.raises(InputError, match="is PNG and has no page 2"):
        open_source(source, page=2)


def test_other_types_of_pixels_are_refused(tmp_path):
    source = tmp_path / "a.tif"
    tifffile.imwrite(source, np.zeros((40, 50), np.float32))
    with pytest.raises(InputError, match=r"pixels of type float32, whose full scale is unknown"):
        open_source(source)


@pytest.mark.parametrize("kind", ["png", "stripped"])
def test_damaged_pixels_leave_nothing_behind(tmp_path, kind):
    source = tmp_path / "source"
    GREY_FILES[kind](source, noise((900, 400)))
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    source.write_bytes(content)
    with pytest.raises(InputError, match=r"source is damaged.*Copy the file again"):
        imported(source, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_an_image_that_changes_meanwhile_leaves_nothing_behind(tmp_path, monkeypatch):
    source = tmp_path / "a.tif"
    tifffile.imwrite(source, np.zeros((300, 300), np.uint8))

    def copied_over(*given, **options):
        tifffile.imwrite(source, np.ones((300, 300), np.uint8))
        return write_image_and_mask(*given, **options)

    monkeypatch.setattr(importing, "write_image_and_mask", copied_over)
    with pytest.raises(InputError, match=r"a\.tif changed while it was read"):
        imported(source, tmp_path)
    assert list(tmp_path.iterdir()) == [source]


def test_a_failed_import_keeps_the_earlier_result(tmp_path):
    good = tmp_path / "good.png"
    GREY_FILES["png"](good, noise((30, 40)))
    imported(good, tmp_path)
    before = (tmp_path / "P1.ome.tif").read_bytes()
    with pytest.raises(InputError):
        imported(good, tmp_path, pixel_size_nm=None)
    assert (tmp_path / "P1.ome.tif").read_bytes() == before


# --- grids ----------------------------------------------------------------------------------------


def grid(folder, lines, header="file\tcolumn\trow\tcomment"):
    path = folder / "grid.tsv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def tiles(folder, names, shape=(70, 90), dtype=np.uint8):
    folder.mkdir(exist_ok=True)
    images = {name: noise(shape, seed, dtype) for seed, name in enumerate(names)}
    for name, image in images.items():
        (folder / name).write_bytes(imagecodecs.png_encode(image))
    return images


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_cells_are_put_in_place_and_missing_ones_are_not_valid(tmp_path, threads, dtype):
    images = tiles(tmp_path / "tiles", ["a.png", "b.png", "c.png"], dtype=dtype)
    source = grid(tmp_path, ["c.png\t2\t1\tlast", "a.png\t0\t0\t", "b.png\t2\t0\t"])
    expected = np.zeros((140, 270))
    covered = np.zeros((140, 270), bool)
    for name, row, column in (("a.png", 0, 0), ("b.png", 0, 2), ("c.png", 1, 2)):
        place = slice(70 * row, 70 * row + 70), slice(90 * column, 90 * column + 90)
        expected[place] = images[name] if dtype == np.uint8 else images[name] >> 8
        covered[place] = True
    pixels, valid, record = imported(
        source, tmp_path, tile_folder=tmp_path / "tiles", threads=threads
    )
    np.testing.assert_array_equal(pixels, expected)
    np.testing.assert_array_equal(valid, 255 * covered)
    assert record.valid_fraction == 0.5
    assert record.valid_area_mm2 == pytest.approx(3 * 70 * 90 * 40**2 * 1e-12)
    note = "3 of 6 cells of the grid are missing and not part of the valid area"
    assert record.notes[0] == note


def test_tiles_are_looked_for_beside_the_grid_file(tmp_path):
    tiles(tmp_path, ["a.png"])
    assert open_source(grid(tmp_path, ["a.png\t1\t0\t"])).shape == (70, 180)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], r"grid\.tsv names no cell"),
        (["a.png\t0\t0\t", "x.png\t1\t0\t"], r"row 3, column file: .*x\.png does not exist"),
        (["\t0\t0\t"], r"row 2, column file: empty"),
        (["a.png\t0\t0\t", "a.png\t1\t0\t"], r"row 3, column file: a\.png was named in row 2"),
        (["a.png\t0\t0\t", "b.png\t0\t0\t"], r"row 3, columns column and row: .*given in row 2"),
        (["a.png\t-1\t0\t"], r"row 2, column column: '-1' is not a whole number from 0 up"),
        (["a.png\t0\t1.5\t"], r"row 2, column row: '1\.5' is not a whole number"),
        (["a.png\t0"], r"row 2 has 2 cells, the header of the grid file has 4"),
        (["a.png\t0\t\t"], r"row 2, column row: '' is not a whole number"),
        (["", "a.png\tx\t0\t"], r"row 3, column column: 'x'"),
        (
            ["a.png\t0\t0\t", "wide.png\t1\t0\t"],
            r"row 3, column file: wide\.png has 91 x 70 pixels, a\.png 90 x 70",
        ),
        (["a.png\t0\t0\t", "deep.png\t1\t0\t"], r"row 3, column file: deep\.png has 16 bits"),
        (["a.png\t0\t0\t", "cut.png\t1\t0\t"], r"row 3, column file: .*cut\.png is truncated"),
    ],
)
def test_wrong_grids_are_explained(tmp_path, lines, message):
    tiles(tmp_path, ["a.png", "b.png"])
    tiles(tmp_path, ["wide.png"], shape=(70, 91))
    tiles(tmp_path, ["deep.png"], dtype=np.uint16)
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:-20])
    with pytest.raises(InputError, match=message):
        open_source(grid(tmp_path, lines))


def test_a_grid_without_a_column_says_what_it_needs(tmp_path):
    with pytest.raises(InputError, match=r"row 1: column column, row missing.*found: file,x"):
        open_source(grid(tmp_path, ["a\tb"], header="file,x\tfile"))
    with pytest.raises(InputError, match=r"row 1: the grid file is separated by commas"):
        open_source(grid(tmp_path, ["a.png,0,0"], header="file,column,row"))
    (tmp_path / "grid.tsv").write_bytes(b"file\tcolumn\trow\n\xff\xfe\t0\t0\n")
    with pytest.raises(InputError, match="row 2: the grid file is not a text in UTF-8"):
        open_source(tmp_path / "grid.tsv")


def test_tiles_of_two_magnifications_are_refused(tmp_path):
    for name, size in (("a.tif", 40), ("b.tif", 50)):
        write_tiled(
            tmp_path / name, [noise((20, 20))], shape=(20, 20), pixel_size_nm=size, name=name
        )
    source = grid(tmp_path, ["a.tif\t0\t0\t", "b.tif\t1\t0\t"])
    with pytest.raises(InputError, match=r"b\.tif has a pixel size of 50 nm, a\.tif of 40"):
        imported(source, tmp_path)


def test_two_imports_give_the_same_bytes(tmp_path):
    tiles(tmp_path, ["a.png", "b.png", "c.png"], shape=(400, 500), dtype=np.uint16)
    source = grid(tmp_path, ["a.png\t0\t0\t", "b.png\t1\t0\t", "c.png\t1\t1\t"])
    digests = set()
    for run, threads in enumerate((1, 2)):
        folder = tmp_path / str(run)
        folder.mkdir()
        imported(source, folder, threads=threads)
        files = sorted(folder.iterdir())
        digests.add(tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in files))
    assert len(digests) == 1


def test_memory_holds_a_row_of_the_grid_not_the_panorama(tmp_path):
    shape = (256, 256)
    tiles(tmp_path, ["a.png"], shape=shape)
    content = (tmp_path / "a.png").read_bytes()

    def peak(rows):
        lines = []
        for row in range(rows):
            for column in range(4):
                name = f"{row}_{column}.png"
                (tmp_path / name).write_bytes(content)
                lines.append(f"{name}\t{column}\t{row}\t")
        source = grid(tmp_path, lines)
        gc.collect()
        tracemalloc.start()
        import_panorama(
            panorama="P1",
            source=source,
            tile_folder=None,
            pixel_size_nm=40,
            image_path=tmp_path / "P1.ome.tif",
            valid_path=tmp_path / "P1.valid.ome.tif",
        )
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    # Six times the panorama: 7.9 MB of pixels more. Bookkeeping for each cell is about 1 kB.
    assert peak(36) < peak(6) + 2e6


def test_memory_grows_with_what_is_decoded_whole(tmp_path):
    image = noise((1000, 2000))
    needed = {}
    for kind in ("png", "stripped", "one strip", "tiled"):
        GREY_FILES[kind](tmp_path / kind, image)
        needed[kind] = needed_megabytes(tmp_path / kind)
    assert needed["stripped"] == needed["one strip"] == needed["tiled"] == needed["png"] - 4
    # One strip that is compressed must be decoded as a whole.
    tifffile.imwrite(tmp_path / "a.tif", image, rowsperstrip=1000, compression="zlib")
    assert needed_megabytes(tmp_path / "a.tif") == needed["png"]
    tiles(tmp_path, ["a.png", "b.png", "c.png"], shape=(1000, 1000))
    source = grid(tmp_path, ["a.png\t0\t0\t", "b.png\t9\t0\t", "c.png\t0\t1\t"])
    assert needed_megabytes(source) == needed["tiled"] + 2 + 20


def test_all_tiles_that_cannot_be_read_are_told_at_once(tmp_path):
    tiles(tmp_path, ["a.png"])
    tiles(tmp_path, ["wide.png"], shape=(70, 91))
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:-20])
    source = grid(tmp_path, ["a.png\t0\t0\t", "wide.png\t1\t0\t", "cut.png\t2\t0\t"])
    with pytest.raises(InputError) as error:
        open_source(source)
    lines = str(error.value).splitlines()
    assert len(lines) == 2
    assert "row 3, column file: wide.png has 91 x 70" in lines[0]
    assert "row 4, column file" in lines[1]
