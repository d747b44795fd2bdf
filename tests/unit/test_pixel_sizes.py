"""The pixel size of the image that is meant: pages, OME-XML, contradictions, and the sheet."""

import struct

import numpy as np
import pytest
import tifffile
from tests import made_images

from damascene import InputError
from damascene.images.pixel_sizes import Statement, stated_size
from damascene.images.sources import open_source

IMAGE = np.random.default_rng(0).integers(0, 256, (240, 320), np.uint8)
CENTIMETRE = {"resolution": (2e5, 2e5), "resolutionunit": "CENTIMETER"}  # 50 nm


def imported(source, folder, *, pixel_size_nm=None, **options):
    pixels, _, record = made_images.imported(source, folder, pixel_size_nm=pixel_size_nm, **options)
    return pixels, record


def ome(path, *images, **options):
    """Write images with their pixel sizes in micrometres."""
    with tifffile.TiffWriter(path, ome=True, **options) as writer:
        for index, (image, size) in enumerate(images):
            metadata = {"axes": "YX", "PhysicalSizeX": size, "PhysicalSizeY": size}
            writer.write(image, metadata={**metadata, "Name": f"image {index}"})
    return path


# --- which page, and its own size -----------------------------------------------------------------


def test_an_overview_before_the_panorama_stops_with_a_list(tmp_path):
    source = ome(tmp_path / "a.ome.tif", (IMAGE[::2, ::2], 0.06), (IMAGE, 0.03))
    with pytest.raises(
        InputError,
        match=r"holds 2 images: page 1: 160 x 120 px, 60 nm, 'image 0'; "
        r"page 2: 320 x 240 px, 30 nm, 'image 1'\. Fill in or correct the column page",
    ):
        open_source(source)
    for page, size, image in ((1, 60, IMAGE[::2, ::2]), (2, 30, IMAGE)):
        pixels, record = imported(source, tmp_path, page=page)
        np.testing.assert_array_equal(pixels, image)
        assert record.pixel_size_nm == pytest.approx(size)
        assert record.valid_area_mm2 == pytest.approx(IMAGE.size * 30**2 * 1e-12)


def test_the_panorama_before_its_label_stops_too(tmp_path):
    label = np.zeros((20, 30, 3), np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(IMAGE, metadata=None, **CENTIMETRE)
        writer.write(label, photometric="rgb", description="label")
    with pytest.raises(InputError, match=r"page 1: 320 x 240 px, 50 nm; page 2: 30 x 20 px, 'lab"):
        open_source(tmp_path / "a.tif")
    assert open_source(tmp_path / "a.tif", page=1).pixel_size_nm == pytest.approx(50)
    assert open_source(tmp_path / "a.tif", page=2).pixel_size_nm is None


def test_resolutions_are_those_of_the_page(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for pixels in (1e5, 4e5):
            writer.write(IMAGE, resolution=(pixels, pixels), resolutionunit="CENTIMETER")
    sizes = [open_source(tmp_path / "a.tif", page=page).pixel_size_nm for page in (1, 2)]
    assert sizes == [pytest.approx(100), pytest.approx(25)]


def test_levels_of_a_pyramid_are_no_candidates(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as writer:
        metadata = {"axes": "YX", "PhysicalSizeX": 0.03, "PhysicalSizeY": 0.03}
        writer.write(IMAGE, metadata=metadata, subifds=2)
        for step in (2, 4):
            writer.write(IMAGE[::step, ::step], subfiletype=1)
    source = open_source(tmp_path / "a.ome.tif")
    assert (source.shape, source.pixel_size_nm) == (IMAGE.shape, pytest.approx(30))


def test_a_single_page_that_is_called_reduced_is_read(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", IMAGE, subfiletype=1, **CENTIMETRE)
    pixels, record = imported(tmp_path / "a.tif", tmp_path)
    np.testing.assert_array_equal(pixels, IMAGE)
    assert record.pixel_size_nm == pytest.approx(50)


def test_a_thumbnail_of_an_image_within_it_is_not_taken_for_the_image(tmp_path):
    for flag in (0, 1):
        with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
            writer.write(IMAGE[::4, ::4], subfiletype=flag, subifds=1)
            writer.write(IMAGE, subfiletype=0)
        for page in (None, 1):
            with pytest.raises(InputError, match=r"small copy, 80 px wide, of an image of 320 px"):
                open_source(tmp_path / "a.tif", page=page)


def test_a_mask_of_transparent_pixels_is_not_passed_over(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(IMAGE)
        writer.write(IMAGE > 100, subfiletype=4)
    for page in (None, 1):
        with pytest.raises(InputError, match="mask of transparent pixels on page 2"):
            open_source(tmp_path / "a.tif", page=page)


def test_a_stack_of_imagej_has_one_size(tmp_path):
    stack = np.stack([IMAGE, IMAGE[::-1]])
    tifffile.imwrite(
        tmp_path / "a.tif", stack, imagej=True, resolution=(20, 20), metadata={"unit": "um"}
    )
    with pytest.raises(InputError, match=r"page 1: 320 x 240 px, 50 nm.*page 2: .*, 50 nm"):
        open_source(tmp_path / "a.tif")
    assert open_source(tmp_path / "a.tif", page=2).pixel_size_nm == pytest.approx(50)


@pytest.mark.parametrize(("step", "nm"), [(1, 50), (2, None)])
def test_the_size_of_imagej_serves_pages_like_the_first(tmp_path, step, nm):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        about = {"description": "ImageJ=1.54f\nunit=um\n", "resolution": (20, 20)}
        writer.write(IMAGE, **about, resolutionunit="NONE", metadata=None)
        writer.write(IMAGE[::step, ::step], metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        places = [tiff.pages[1].tags[name].offset for name in ("XResolution", "YResolution")]
    content = bytearray((tmp_path / "a.tif").read_bytes())
    # Tags that nobody knows, instead of a resolution of the second page.
    for place, code in zip(places, (65000, 65001), strict=True):
        content[place : place + 2] = struct.pack("<H", code)
    (tmp_path / "a.tif").write_bytes(content)
    size = open_source(tmp_path / "a.tif", page=2).pixel_size_nm
    assert size == (nm and pytest.approx(nm))


@pytest.mark.parametrize(
    ("unit", "number", "nm"),
    [
        ("micron", 20, 50),
        ("\\u00B5m", 20, 50),
        ("nm", 0.02, 50),
        ("mm", 20_000, 50),
        ("pixel", 1, None),
        ("inch", 300, None),
        # 72 dots an inch, as ImageJ takes it from a picture for a screen.
        ("cm", 28.3, None),
    ],
)
def test_units_of_imagej(tmp_path, unit, number, nm):
    tifffile.imwrite(
        tmp_path / "a.tif",
        IMAGE,
        imagej=True,
        resolution=(number, number),
        metadata={"unit": unit},
    )
    assert open_source(tmp_path / "a.tif").pixel_size_nm == (nm and pytest.approx(nm, rel=1e-3))


@pytest.mark.parametrize(
    ("height", "nm", "contradicts"),
    [(0.02, 50, False), (20, None, True)],
    ids=["50 nm", "0.05 nm"],
)
def test_imagej_gives_the_height_in_a_unit_of_its_own(tmp_path, height, nm, contradicts):
    tifffile.imwrite(
        tmp_path / "a.tif",
        IMAGE,
        imagej=True,
        resolution=(20, height),
        metadata={"unit": "um", "yunit": "nm"},
    )
    size = open_source(tmp_path / "a.tif").pixel_size
    assert size.nm == (nm and pytest.approx(nm, rel=1e-3))
    assert bool(size.contradiction) == contradicts


@pytest.mark.parametrize(
    ("unit", "nm"),
    [("nm", 30), ("µm", 30e3), ("Å", 3), ("mm", 30e6), ("reference frame", None), ("pixel", None)],
)
def test_units_of_ome(tmp_path, unit, nm):
    metadata = {"axes": "YX", "PhysicalSizeX": 30, "PhysicalSizeXUnit": unit}
    tifffile.imwrite(tmp_path / "a.ome.tif", IMAGE, metadata=metadata)
    size = open_source(tmp_path / "a.ome.tif").pixel_size
    assert size.nm == (nm and pytest.approx(nm))
    assert len(size.doubts) == (nm is None)


# --- OME-XML that is elsewhere or broken, and sets of files ---------------------------------------

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<OME xmlns="http://www.openmicroscopy.org/Schemas'
PIXELS = '<Pixels ID="P" SizeX="320" SizeY="240" SizeZ="1" SizeC="{c}" SizeT="1" Type="uint8"'
SIZE = ' PhysicalSizeX="0.03" PhysicalSizeY="0.03"'


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (
            f'{HEAD}/OME/2016-06"><BinaryOnly MetadataFile="a.companion.ome" UUID="u"/></OME>',
            "a.co",
        ),
        (f'{HEAD}/OME/2016-06"><Image ID="I">{PIXELS}', "broken"),
        (f'{HEAD}/OME/2016-06"><Image></OME>', "broken"),
    ],
)
def test_a_plane_is_read_without_its_xml(tmp_path, xml, reason):
    tifffile.imwrite(tmp_path / "a.ome.tif", IMAGE, description=xml, metadata=None)
    with pytest.raises(InputError, match=rf"no pixel size for .*{reason}.* Enter it in nano"):
        imported(tmp_path / "a.ome.tif", tmp_path)
    pixels, record = imported(tmp_path / "a.ome.tif", tmp_path, pixel_size_nm=40)
    np.testing.assert_array_equal(pixels, IMAGE)
    assert [reason in note for note in record.notes] == [True]


def test_each_file_of_a_set_is_the_plane_it_holds(tmp_path):
    planes = "".join(
        f'<TiffData FirstC="{index}" IFD="0" PlaneCount="1">'
        f'<UUID FileName="{index}.ome.tif">urn:uuid:{index}</UUID></TiffData>'
        for index in range(3)
    )
    pixels = PIXELS.format(c=3) + f' DimensionOrder="XYCZT"{SIZE}>{planes}</Pixels>'
    images = [IMAGE, IMAGE[::-1], IMAGE[:, ::-1]]
    for index, image in enumerate(images):
        xml = f'{HEAD}/OME/2016-06" UUID="urn:uuid:{index}"><Image ID="I">{pixels}</Image></OME>'
        tifffile.imwrite(tmp_path / f"{index}.ome.tif", image, description=xml, metadata=None)
    (tmp_path / "1.ome.tif").rename(tmp_path / "renamed.tif")
    for name, image in (("0.ome.tif", images[0]), ("renamed.tif", images[1])):
        read, record = imported(tmp_path / name, tmp_path)
        np.testing.assert_array_equal(read, image)
        assert record.pixel_size_nm == pytest.approx(30)


def test_the_images_of_a_set_are_told_apart_by_their_files(tmp_path):
    # All are the first page of their file.
    images = "".join(
        f'<Image ID="I{index}">{PIXELS.format(c=1)} PhysicalSizeX="{size}"><TiffData IFD="0">'
        f'<UUID FileName="{index}.ome.tif">urn:uuid:{index}</UUID></TiffData></Pixels></Image>'
        for index, size in enumerate((0.03, 0.05))
    )
    for index, nm in enumerate((30, 50)):
        xml = f'{HEAD}/OME/2016-06" UUID="urn:uuid:{index}">{images}</OME>'
        tifffile.imwrite(tmp_path / f"{index}.ome.tif", IMAGE, description=xml, metadata=None)
        size = open_source(tmp_path / f"{index}.ome.tif").pixel_size_nm
        assert size == pytest.approx(nm)


def test_a_page_that_the_xml_does_not_know_has_no_size(tmp_path):
    image = '<Image ID="I">' + PIXELS.format(c=1) + SIZE + '><TiffData IFD="{}"/></Pixels></Image>'
    xml = f'{HEAD}/OME/2016-06">{image.format(0)}{image.format(2)}</OME>'
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for index in range(3):
            writer.write(IMAGE, description=xml if index == 0 else None, metadata=None)
    sizes = [open_source(tmp_path / "a.tif", page=page).pixel_size for page in (1, 2, 3)]
    assert [size.nm and round(size.nm) for size in sizes] == [30, None, 30]
    assert sizes[1].doubts == ("its OME-XML does not tell of page 2",)


@pytest.mark.parametrize("description", ['{"shape": [3, 240, 320]}', "ImageJ=1.54f\nimages=9\n"])
def test_planes_of_another_file_are_not_looked_for(tmp_path, description):
    tifffile.imwrite(tmp_path / "a.tif", IMAGE, description=description, metadata=None)
    np.testing.assert_array_equal(imported(tmp_path / "a.tif", tmp_path, pixel_size_nm=9)[0], IMAGE)


def test_an_ome_image_of_another_width_tells_nothing(tmp_path):
    metadata = {"axes": "YX", "PhysicalSizeX": 0.03, "PhysicalSizeY": 0.03}
    tifffile.imwrite(tmp_path / "a.ome.tif", IMAGE, metadata=metadata)
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tiff:
        description = tiff.ome_metadata
    tifffile.imwrite(tmp_path / "a.tif", IMAGE[::2, ::2], description=description, metadata=None)
    with pytest.raises(InputError, match=r"30 nm for an image of 320 columns, but this"):
        imported(tmp_path / "a.tif", tmp_path)


# --- headers that are wrong -----------------------------------------------------------------------


def test_the_sheet_overrides_a_header_only_where_it_says_so(tmp_path):
    source = ome(tmp_path / "a.ome.tif", (IMAGE, 1.0))
    with pytest.raises(
        InputError, match=r"the sheet says 40 nm, .* 1000 nm \(OME-XML\).* pixel_size_overrides_hea"
    ):
        imported(source, tmp_path, pixel_size_nm=40)
    _, record = imported(source, tmp_path, pixel_size_nm=40, pixel_size_overrides_header=True)
    assert (record.pixel_size_nm, record.pixel_size_source) == (40, "sheet")
    (note,) = record.notes
    assert "40 nm of the sample sheet, which overrides the header (1000 nm of OME-XML)" in note


def test_statements_that_differ_stop_and_can_be_overridden(tmp_path):
    source = tmp_path / "a.tif"
    description = "ImageJ=1.54f\nunit=nm\n"
    fei = b"[Scan]\r\nPixelWidth=3e-08\r\nPixelHeight=3e-08\r\n\0"
    tifffile.imwrite(
        source,
        IMAGE,
        description=description,
        metadata=None,
        resolution=(1 / 60, 1 / 60),
        extratags=[(34682, 2, len(fei), fei, False)],
    )
    for sheet in (None, 30, 60):
        with pytest.raises(InputError, match=r"the FEI header states 30 nm, but ImageJ 60 nm"):
            imported(source, tmp_path, pixel_size_nm=sheet)
    _, record = imported(source, tmp_path, pixel_size_nm=60, pixel_size_overrides_header=True)
    assert record.pixel_size_nm == 60
    assert "states 30 nm, but ImageJ 60" in record.notes[0]


def test_a_default_of_ome_beside_a_resolution_stops(tmp_path):
    metadata = {"axes": "YX", "PhysicalSizeX": 1.0, "PhysicalSizeY": 1.0}
    tifffile.imwrite(tmp_path / "a.ome.tif", IMAGE, metadata=metadata, **CENTIMETRE)
    with pytest.raises(InputError, match=r"OME-XML states 1000 nm, but the resolution .* 50 nm"):
        imported(tmp_path / "a.ome.tif", tmp_path)


def statement(nm, **options):
    return Statement(**{"origin": "a", "size_nm": (nm, nm), **options})


@pytest.mark.parametrize(
    ("statements", "nm"),
    [
        ([], None),
        ([statement(30), statement(30.1)], 30),
        ([statement(0), statement(float("inf")), statement(30)], 30),
        ([statement(50), statement(30)], None),
        ([statement(50, doubt="why"), statement(30)], 30),
        ([statement(50, width_px=640), statement(30)], 30),
        ([statement(50, width_px=320)], 50),
    ],
)
def test_which_statement_counts(statements, nm):
    assert stated_size(statements, width_px=320).nm == nm
