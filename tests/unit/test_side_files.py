"""Headers of programs for mosaics, and the text files that microscopes write beside an image."""

import struct

import imagecodecs
import numpy as np
import pytest
import tifffile
from tests import made_images

from damascene import InputError
from damascene.images.headers import read_header
from damascene.images.source_files import source_files
from damascene.images.sources import open_source

ROWS, COLUMNS = 240, 320
IMAGE = np.random.default_rng(0).integers(0, 256, (ROWS, COLUMNS), np.uint8)


def imported(source, folder, pixel_size_nm=None, **options):
    return made_images.imported(source, folder, pixel_size_nm=pixel_size_nm, **options)[2]


# --- Fibics and Atlas -----------------------------------------------------------------------------


def fibics(*, step=(0.004, 0.003), width=COLUMNS, field=None):
    """Return XML of a scan that is turned: the steps along rows and columns are vectors in µm."""
    x, y = step
    field = (x**2 + y**2) ** 0.5 * width if field is None else field
    return (
        '<?xml version="1.0" encoding="iso-8859-1"?><Fibics version="1.2"><Application><Version>'
        f"Atlas 5</Version></Application><Image><Width>{width}</Width><Height>{ROWS}</Height>"
        "<OriginalWidth>0</OriginalWidth></Image>"
        f'<Scan><Dwell units="ns">800</Dwell><FOV_X units="um">{field}</FOV_X>'
        f'<FOV_Y units="um">{field * ROWS / width}</FOV_Y>'
        f"<Ux>{x}</Ux><Uy>{y}</Uy><Vx>{y}</Vx><Vy>{-x}</Vy></Scan></Fibics>"
    ).encode()


def tagged(path, code, value, kind=2, image=IMAGE):
    tifffile.imwrite(path, image, extratags=[(code, kind, len(value), value, False)])
    return path


@pytest.mark.parametrize("kind", [1, 2, 7])
def test_fibics(tmp_path, kind):
    record = imported(tagged(tmp_path / "a.tif", 51023, fibics() + b"\0", kind), tmp_path)
    assert record.pixel_size_nm == pytest.approx(5)
    assert record.acquisition.microscope == "Fibics Atlas 5"
    assert record.acquisition.dwell_time_ns == 800


def test_fibics_of_an_image_that_was_scaled_is_not_used(tmp_path):
    tagged(tmp_path / "a.tif", 51023, fibics() + b"\0", image=IMAGE[::2, ::2])
    with pytest.raises(InputError, match=r"Fibics header states 5 nm for an image of 320 columns"):
        imported(tmp_path / "a.tif", tmp_path)
    record = imported(tmp_path / "a.tif", tmp_path, pixel_size_nm=10)
    assert "scaled or cut" in record.notes[0]
    # The sheet must not repeat it without thought: a scaled image has pixels of another size.
    with pytest.raises(InputError, match=r"an image of 320 columns\. This one .* if it was cut"):
        imported(tmp_path / "a.tif", tmp_path, pixel_size_nm=5)
    cut = {"pixel_size_nm": 5, "pixel_size_overrides_header": True}
    record = imported(tmp_path / "a.tif", tmp_path, **cut)
    assert record.pixel_size_nm == 5
    assert "scaled or cut" in record.notes[0]
    # So it is for the tiles of a grid.
    tagged(tmp_path / "b.tif", 51023, fibics() + b"\0", image=IMAGE[::2, ::2])
    (tmp_path / "g.tsv").write_text("file\tcolumn\trow\na.tif\t0\t0\nb.tif\t1\t0\n")
    with pytest.raises(InputError, match=r"g\.tsv: the 5 nm .* image of 320 columns"):
        imported(tmp_path / "g.tsv", tmp_path, pixel_size_nm=5)


@pytest.mark.parametrize(
    ("xml", "nm"),
    [
        (fibics(step=(0, 0), field=1.6), 5),
        (fibics(field=3.2), None),
        (fibics()[:-20], None),
        (b"<Fibics/>", None),
        (b"no xml", None),
        (fibics().replace(b"0.004", b"many"), 5),
    ],
)
def test_fibics_with_gaps(tmp_path, xml, nm):
    header = read_header(tagged(tmp_path / "a.tif", 51023, xml + b"\0"))
    assert header.pixel_size_nm == (nm and pytest.approx(nm))


# --- Olympus SIS ----------------------------------------------------------------------------------


def olympus(path, size_m=3e-8):
    """Write a TIFF with the structure of SIS: the tag holds its place in the file."""
    tifffile.imwrite(path, IMAGE, extratags=[(33560, 4, 1, 0, True)])
    content = bytearray(path.read_bytes())
    start = len(content)
    head = struct.pack("<4s6xhhhhh6x32sH", b"SIS0", 5, 10, 3, 4, 116, b"name", 1)
    entry = struct.pack("<hhI", 1, 1, start + len(head) + 8)
    size = struct.pack("<10xhdd8xd2x34s32s", -9, size_m * 1e9, size_m * 1e9, 1e4, b"Camera", b"")
    content += head + entry + size + bytes(200)
    place = content.index(struct.pack("<HHI", 33560, 4, 1)) + 8
    content[place : place + 4] = struct.pack("<I", start)
    path.write_bytes(content)
    return path


def test_olympus(tmp_path):
    record = imported(olympus(tmp_path / "a.tif"), tmp_path)
    assert record.pixel_size_nm == pytest.approx(30)
    assert record.acquisition.detector == "Camera"
    assert record.acquisition.acquired == "2016-05-03T10:05:00"


# --- files beside the image -----------------------------------------------------------------------

JEOL = f"""$CM_FORMAT JEOL/SEM
$CM_INSTRUMENT JSM-7800F
$CM_SIGNAL SEI
$CM_MAG 5000
$CM_ACCEL_VOLT 15.00
$CM_DATE 2019/03/12
$CM_TIME 10:21:55
$CM_FULL_SIZE {COLUMNS} 216
$$SM_MICRON_BAR 200
$$SM_MICRON_MARKER 5um
$$SM_WD 10.1
"""
HITACHI = f"""[SemImageFile]
InstructName=SU8230
ImageName=a.tif
Date=2019/03/12
Time=10:21:55
DataSize={COLUMNS}x216
PixelSize=25
SignalName=SE(U)
AcceleratingVoltage=15000 Volt
DecelerationVoltage=0 Volt
Magnification=10000
WorkingDistance=10100 um
"""
TESCAN = """[MAIN]
Company=TESCAN
Date=2019-03-12
Time=10:21:55
Device=MIRA3 LMH
DeviceModel=S8252
ImageStripSize=24
PixelSizeX=2.5e-008
PixelSizeY=2.5e-008
[SEM]
Detector=SE
HV=15000.0
WD=0.0101
"""
BESIDE = {
    "jeol": ("a.txt", JEOL, "JEOL JSM-7800F", "SEI"),
    "hitachi": ("a.txt", HITACHI, "Hitachi SU8230", "SE(U)"),
    "tescan": ("a-tif.hdr", TESCAN, "TESCAN MIRA3 LMH", "SE"),
    "tescan short": ("a.hdr", TESCAN, "TESCAN MIRA3 LMH", "SE"),
}


@pytest.mark.parametrize("kind", BESIDE)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_a_file_beside_the_image_is_its_header(tmp_path, kind, encoding):
    name, text, microscope, detector = BESIDE[kind]
    tifffile.imwrite(tmp_path / "a.tif", IMAGE)
    (tmp_path / name).write_bytes(text.replace("\n", "\r\n").encode(encoding))
    record = imported(tmp_path / "a.tif", tmp_path)
    assert record.pixel_size_nm == pytest.approx(25)
    assert (record.width_px, record.height_px) == (COLUMNS, 216)
    assert record.notes == (
        f"read what {name} says of the image",
        "cut off the data bar at the bottom: 24 rows, as the header says",
    )
    taken = record.acquisition
    assert (taken.microscope, taken.detector) == (microscope, detector)
    assert (taken.accelerating_voltage_kv, taken.working_distance_mm) == (15, 10.1)
    assert taken.acquired == "2019-03-12T10:21:55"
    assert [one.file for one in record.sources] == ["a.tif", name]


@pytest.mark.parametrize(
    ("kind", "number", "written"),
    [
        ("hitachi", "PixelSize=25", "PixelSize=25,0"),
        ("hitachi", "PixelSize=25", "PixelSize=25 parsec"),
        ("jeol", "5um", "2,5um"),
        ("jeol", "5um", "5,0 um"),
        ("jeol", "$$SM_WD", "$CM_FIELD_OF_VIEW 7,98 5,99\n$$SM_WD"),
        ("tescan", "PixelSizeX=2.5e-008", "PixelSizeX=2,5e-008"),
    ],
)
def test_a_size_that_cannot_be_read_is_told_and_not_used(tmp_path, kind, number, written):
    name, text, _, _ = BESIDE[kind]
    tifffile.imwrite(tmp_path / "a.tif", IMAGE)
    (tmp_path / name).write_text(text.replace(number, written))
    header = read_header(tmp_path / "a.tif")
    if "FIELD" in written:
        # The micron bar tells.
        assert header.pixel_size_nm == pytest.approx(25)
        return
    size = written.partition("=")[2] or written
    with pytest.raises(InputError, match=f"gives the size '{size}', which cannot be read"):
        imported(tmp_path / "a.tif", tmp_path)
    record = imported(tmp_path / "a.tif", tmp_path, pixel_size_nm=25)
    assert any("cannot be read" in note for note in record.notes)


@pytest.mark.parametrize(
    ("names", "contents"),
    [
        (("a.txt", "a.TXT"), (JEOL, JEOL.replace("5um", "50um"))),
        (("a-tif.hdr", "a.hdr"), (TESCAN, TESCAN.replace("2.5", "5.2"))),
        (("a.txt", "a.hdr"), (HITACHI, TESCAN)),
    ],
)
def test_two_side_files_must_not_differ(tmp_path, names, contents):
    tifffile.imwrite(tmp_path / "a.tif", IMAGE)
    for name, content in zip(names, contents, strict=True):
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=rf"they differ: {names[0]} and {names[1]}\. Remove"):
        read_header(tmp_path / "a.tif")
    (tmp_path / names[1]).write_text(contents[0] if names[0][-3:] == names[1][-3:] else "mine")
    record = imported(tmp_path / "a.tif", tmp_path)
    assert (record.pixel_size_nm, record.sources[1].file) == (pytest.approx(25), names[0])


@pytest.mark.parametrize("name", ["a-tif.hdr", "a-TIF.hdr", "a-TIF.HDR", "a.HDR"])
def test_side_files_in_capital_letters(tmp_path, name):
    tifffile.imwrite(tmp_path / "a.TIF", IMAGE)
    (tmp_path / name).write_text(TESCAN)
    assert read_header(tmp_path / "a.TIF").pixel_size_nm == pytest.approx(25)


@pytest.mark.parametrize("kind", ["jeol", "hitachi"])
def test_an_image_that_was_scaled_after_its_side_file_stops(tmp_path, kind):
    name, text, _, _ = BESIDE[kind]
    tifffile.imwrite(tmp_path / "a.tif", IMAGE[::2, ::2])
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=r"25 nm for an image of 320 columns, but this"):
        imported(tmp_path / "a.tif", tmp_path)
    record = imported(tmp_path / "a.tif", tmp_path, pixel_size_nm=50)
    assert (record.pixel_size_nm, record.height_px) == (50, ROWS // 2)


def test_png_and_jpeg_have_side_files_too(tmp_path):
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(IMAGE))
    (tmp_path / "a-png.hdr").write_text(TESCAN)
    (tmp_path / "b.jpg").write_bytes(imagecodecs.jpeg8_encode(IMAGE))
    (tmp_path / "b.TXT").write_text(JEOL)
    for name in ("a.png", "b.jpg"):
        header = read_header(tmp_path / name)
        assert (header.pixel_size_nm, header.height_px) == (pytest.approx(25), 216)


@pytest.mark.parametrize(
    ("changed", "nm"),
    [
        ({"5um": "5000nm"}, 25),
        ({"5um": "5 µm"}, 25),
        ({"5um": "much"}, None),
        ({"$$SM_MICRON_BAR 200": "$$SM_MICRON_BAR 0"}, None),
        # The field of view is that of the whole width; the bar is a whole number of pixels.
        ({"$$SM_WD": "$CM_FIELD_OF_VIEW 7.98 5.39\n$$SM_WD"}, 7980 / 320),
        ({"$$SM_WD": "$CM_FIELD_OF_VIEW 7.98µm 5.39µm\n$$SM_WD"}, 7980 / 320),
        ({"$$SM_WD": "$CM_FIELD_OF_VIEW 16.0 10.8\n$$SM_WD"}, None),
        # A picture that is stretched, as by a correction of the tilt.
        ({"$$SM_WD": "$CM_FIELD_OF_VIEW 7.98 5.99\n$$SM_WD"}, None),
        ({"$$SM_WD": "$CM_PIXEL_SIZE 24.9nm 24.9nm\n$$SM_WD"}, 24.9),
        ({"$$SM_WD": "$CM_PIXEL_SIZE 49.8nm 49.8nm\n$$SM_WD"}, None),
        ({"$$SM_WD": "$CM_PIXEL_SIZE 24.9\n$$SM_WD"}, 25),
        ({"$$SM_MICRON": "$SM_MICRON", "$CM_FULL_SIZE": "$CM_IMAGE_SIZE"}, 25),
        ({"$CM_FULL_SIZE 320 216": "$CM_IMAGE_RES 320x240"}, 25),
        ({"$CM_FULL_SIZE 320 216": "$CM_IMAGE_RES 640x480"}, None),
    ],
)
def test_jeol_states_its_scale_in_several_ways(tmp_path, changed, nm):
    text = JEOL
    for old, new in changed.items():
        text = text.replace(old, new)
    tifffile.imwrite(tmp_path / "a.tif", IMAGE)
    (tmp_path / "a.txt").write_text(text)
    assert read_header(tmp_path / "a.tif").pixel_size_nm == (nm and pytest.approx(nm))


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "cp932", "gbk", "cp949", "utf-16"])
def test_a_micrometre_is_read_in_the_encodings_of_windows(tmp_path, encoding):
    mu = "µ" if encoding == "cp1252" else "μ"
    tifffile.imwrite(tmp_path / "a.tif", IMAGE)
    (tmp_path / "a.txt").write_bytes(JEOL.replace("5um", f"5{mu}m").encode(encoding))
    assert read_header(tmp_path / "a.tif").pixel_size_nm == pytest.approx(25)


def test_hitachi_leaves_units_out(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", IMAGE)
    (tmp_path / "a.txt").write_text(HITACHI.replace(" um", "").replace(" Volt", ""))
    taken = read_header(tmp_path / "a.tif").acquisition
    assert (taken.accelerating_voltage_kv, taken.working_distance_mm) == (15, 10.1)


def test_jeol_writes_dates_with_am_and_pm(tmp_path):
    text = JEOL.replace("2019/03/12", "3/12/2019").replace("10:21:55", "1:21:55 PM")
    tifffile.imwrite(tmp_path / "a.tif", IMAGE)
    (tmp_path / "a.txt").write_text(text)
    assert read_header(tmp_path / "a.tif").acquisition.acquired == "2019-03-12T13:21:55"


@pytest.mark.parametrize("kind", ["jeol", "hitachi"])
def test_a_data_bar_over_the_picture_is_searched_for(tmp_path, kind):
    """A side file with all rows of the image does not say that there is no bar in them."""
    name, text, _, _ = BESIDE[kind]
    image = IMAGE.copy()
    image[-30:] = 0
    image[-20:-10, 20:200] = 255
    tifffile.imwrite(tmp_path / "a.tif", image)
    (tmp_path / name).write_text(text.replace("216", "240"))
    header = read_header(tmp_path / "a.tif")
    assert (header.data_bar_px, header.data_bar_source) == (30, "pixels")


@pytest.mark.parametrize("text", ["", "my notes: PixelSize=3", "\0\1\2", "$ 5\n$$\n", "[MAIN]\n"])
def test_other_text_beside_an_image_says_nothing(tmp_path, text):
    tifffile.imwrite(tmp_path / "a.tif", IMAGE)
    for name in ("a.txt", "a.hdr"):
        (tmp_path / name).write_text(text)
    assert read_header(tmp_path / "a.tif").side_file is None
    assert source_files(tmp_path / "a.tif") == [("a.tif", tmp_path / "a.tif")]


def test_a_side_file_that_differs_from_the_tag_stops(tmp_path):
    fei = b"[Scan]\r\nPixelWidth=3e-08\r\nPixelHeight=3e-08\r\n\0"
    tagged(tmp_path / "a.tif", 34682, fei)
    (tmp_path / "a.txt").write_text(HITACHI)
    with pytest.raises(InputError, match=r"FEI header states 30 nm, but the Hitachi side file 25"):
        imported(tmp_path / "a.tif", tmp_path)


def test_the_side_files_of_tiles_belong_to_the_panorama(tmp_path):
    lines = ["file\tcolumn\trow"]
    (tmp_path / "tiles").mkdir()
    for index in range(2):
        tifffile.imwrite(tmp_path / f"tiles/{index}.tif", IMAGE)
        (tmp_path / f"tiles/{index}.txt").write_text(HITACHI)
        lines.append(f"tiles/{index}.tif\t{index}\t0")
    (tmp_path / "grid.tsv").write_text("\n".join(lines) + "\n")
    source = open_source(tmp_path / "grid.tsv")
    assert (source.shape, source.pixel_size_nm) == ((216, 640), pytest.approx(25))
    assert [name for name, _ in source.files] == [
        "grid.tsv",
        *("tiles/0.tif", "tiles/0.txt", "tiles/1.tif", "tiles/1.txt"),
    ]
    (tmp_path / "tiles/1.txt").write_text(HITACHI.replace("PixelSize=25", "PixelSize=50"))
    with pytest.raises(InputError, match=r"1\.tif has a pixel size of 50 nm, 0\.tif of 25 nm"):
        imported(tmp_path / "grid.tsv", tmp_path)
