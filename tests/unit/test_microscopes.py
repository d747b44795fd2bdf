"""Headers that microscopes write: stand-ins with the entries of real ones, and their faults."""

import struct
from dataclasses import asdict

import numpy as np
import pytest
import tifffile
from tests import made_images

from damascene import InputError
from damascene.images.headers import read_header
from damascene.images.microscopes.common import Acquisition
from damascene.images.sources import data_bar_notes, open_source, shared_acquisition

ROWS, COLUMNS = 240, 320
STATED = (
    "microscope",
    "accelerating_voltage_kv",
    "working_distance_mm",
    "detector",
    "dwell_time_ns",
    "acquired",
)


def noise(shape=(ROWS, COLUMNS), seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def write(path, *tags, image=None, **options):
    tifffile.imwrite(path, noise() if image is None else image, extratags=tags, **options)
    return path


def stated(header):
    return tuple(getattr(header.acquisition, name) for name in STATED)


# --- Zeiss ----------------------------------------------------------------------------------------

ZEISS = {
    "AP_ACTUALKV": "EHT = 15.00 kV",
    "AP_WD": "WD = 6.2 mm",
    "AP_IMAGE_PIXEL_SIZE": "Image Pixel Size = 12.33 nm",
    "AP_PIXEL_SIZE": "Pixel Size = 24.65 nm",
    "AP_LINE_TIME": "Line Time = 1.92 ms",
    "AP_DATE": "Date :18 Apr 2016",
    "AP_TIME": "Time :9:42:02",
    "DP_DETECTOR_CHANNEL": "Signal A = InLens",
    "DP_DWELL_TIME": "Dwell Time = 100 ns",
    "DP_IMAGE_STORE": f"Store resolution = {COLUMNS} * {ROWS}",
    "DP_SEM": "Sem = Merlin",
}


def zeiss_tag(**changes):
    lines = ["", *["0"] * 30]
    for name, line in {**ZEISS, **changes}.items():
        lines += [name, line] if line else []
    text = "\r\n".join(lines).encode("cp1252") + b"\r\n\0"
    return (34118, 2, len(text), text, False)


def test_zeiss(tmp_path):
    header = read_header(write(tmp_path / "a.tif", zeiss_tag()))
    assert stated(header) == ("Zeiss Merlin", 15.0, 6.2, "InLens", 6000.0, "2016-04-18T09:42:02")
    assert header.pixel_size_nm == pytest.approx(12.33)


@pytest.mark.parametrize(
    ("changes", "dwell_ns"),
    [
        # 5 us over 320 pixels leave time for the beam to fly back within 1.92 ms.
        ({"DP_DWELL_TIME": "Dwell Time = 5 µs"}, 5000),
        ({"DP_DWELL_TIME": "Dwell Time = 7 µs"}, 6000),
        ({"DP_DWELL_TIME": None}, 6000),
        # The line time is that of another number of pixels, or not given.
        ({"DP_IMAGE_STORE": "Store resolution = 1024 * 768"}, None),
        ({"DP_IMAGE_STORE": None}, None),
        ({"AP_LINE_TIME": None}, None),
    ],
)
def test_the_dwell_time_must_fit_the_time_of_a_line(tmp_path, changes, dwell_ns):
    header = read_header(write(tmp_path / "a.tif", zeiss_tag(**changes)))
    assert header.acquisition.dwell_time_ns == (dwell_ns and pytest.approx(dwell_ns))


def test_zeiss_units_and_gaps(tmp_path):
    tag = zeiss_tag(
        AP_ACTUALKV="EHT = nan kV",
        AP_WD="WD = 950 µm",
        AP_IMAGE_PIXEL_SIZE=None,
        AP_PIXEL_SIZE="Pixel Size = 543.0 pm",
        AP_DATE="Date :tomorrow",
        DP_SEM=None,
        DP_DETECTOR_CHANNEL=None,
        AP_LINE_TIME=None,
    )
    header = read_header(write(tmp_path / "a.tif", tag))
    assert stated(header) == ("Zeiss", None, 0.95, None, None, None)
    # The live view has 1024 columns, the image 320.
    assert header.pixel_size_nm == pytest.approx(0.543 * 1024 / 320)


def test_a_colour_table_with_a_grey_ramp_is_grey(tmp_path):
    # As Zeiss writes it: indices are grey values, some entries are colours of the annotations.
    image = noise()
    image[image % 9 == 0] += 1
    table = np.tile(np.arange(256, dtype=np.uint16) * 257, (3, 1))
    table[:, 9::9] = [[65535], [0], [0]]
    source = write(
        tmp_path / "a.tif", zeiss_tag(), image=image, photometric="palette", colormap=table
    )
    record, pixels = imported(source, tmp_path)
    np.testing.assert_array_equal(pixels, image)
    assert list(record.notes) == ["converted from colour to grey; the three channels are equal"]
    assert record.acquisition.detector == "InLens"
    assert record.pixel_size_source == "header"


# --- FEI and Thermo Fisher ------------------------------------------------------------------------

FEI = {
    "User": {"Date": "06/13/2016", "Time": "05:06:40 PM"},
    "System": {"SystemType": 'Helios NanoLab" 660'},
    "Beam": {"Beam": "EBeam", "HV": "5000"},
    "EBeam": {"HV": "5000", "WD": "0.00403"},
    "Stage": {"WorkingDistance": "0.005"},
    "Scan": {"PixelWidth": "3.3724e-08", "PixelHeight": "3.3724e-08", "Dwelltime": "1e-05"},
    "Image": {"ResolutionX": str(COLUMNS), "ResolutionY": str(ROWS)},
    "Detectors": {"Name": "ETD"},
    "PrivateFei": {"TimeOfCreation": "13.06.2016 17:06:40"},
}


def fei_tag(code=34682, **changes):
    lines = []
    for section, entries in FEI.items():
        lines += [f"[{section}]"]
        entries = {**entries, **changes.get(section, {})}
        lines += [f"{name}={value}" for name, value in entries.items() if value is not None]
    text = "\r\n".join([*lines, ""]).encode() + b"\0"
    return (code, 2, len(text), text, False)


@pytest.mark.parametrize("code", [34680, 34682])
def test_fei(tmp_path, code):
    header = read_header(write(tmp_path / "a.tif", fei_tag(code)))
    expected = ("FEI Helios NanoLab 660", 5.0, 4.03, "ETD", 10000.0, "2016-06-13T17:06:40")
    assert stated(header) == expected
    assert header.pixel_size_nm == pytest.approx(33.724)
    assert (header.data_bar_px, header.height_px) == (0, ROWS)


def test_broken_numbers_of_fei_count_as_not_stated(tmp_path):
    tag = fei_tag(
        Beam={"HV": "notafloat"},
        EBeam={"HV": "", "WD": "-1.2e-05"},
        Stage={"WorkingDistance": "nan"},
        Scan={"PixelWidth": "1.#INF", "Dwelltime": "0"},
        Detectors={"Name": ""},
        PrivateFei={"TimeOfCreation": "31.02.2016 17:06:40"},
        User={"Date": "13/06/2016"},
        Image={"ResolutionY": "many"},
    )
    header = read_header(write(tmp_path / "a.tif", tag))
    assert stated(header) == ("FEI Helios NanoLab 660", None, None, None, None, None)
    assert header.pixel_size_nm is None
    assert header.height_px == ROWS


def test_the_date_of_fei_with_am_and_pm(tmp_path):
    header = read_header(write(tmp_path / "a.tif", fei_tag(PrivateFei={"TimeOfCreation": None})))
    assert header.acquisition.acquired == "2016-06-13T17:06:40"


@pytest.mark.parametrize(
    ("resolution", "cut"),
    [
        ({"ResolutionY": "211"}, 29),
        # Another width: the image was cropped or scaled, the entry tells nothing.
        ({"ResolutionY": "211", "ResolutionX": "640"}, 0),
        ({"ResolutionY": "300"}, 0),
        # Nearly all of the image would be a bar.
        ({"ResolutionY": "20"}, 0),
    ],
)
def test_rows_below_the_scan_are_the_data_bar_of_fei(tmp_path, resolution, cut):
    source = write(tmp_path / "a.tif", fei_tag(Image=resolution))
    header = read_header(source)
    assert (header.height_px, header.data_bar_px) == (ROWS - cut, cut)
    # A cut image keeps the size that the header states, which the user must say.
    cropped = "ResolutionX" in resolution
    size = {"pixel_size_nm": 33.724, "pixel_size_overrides_header": cropped}
    record, pixels = imported(source, tmp_path, **size)
    np.testing.assert_array_equal(pixels, noise()[: ROWS - cut])
    said = [note for note in record.notes if "it was scaled or cut" in note]
    assert len(said) == cropped
    said += ["cut off the data bar at the bottom: 29 rows, as the header says"] if cut else []
    assert list(record.notes) == said
    assert (record.width_px, record.height_px) == (COLUMNS, ROWS - cut)


# --- TESCAN ---------------------------------------------------------------------------------------

TESCAN_MAIN = """AccFrames=1
Company=TESCAN
Date=2019-05-14
Device=MIRA3 LMU
DeviceModel=S8252
ImageStripSize=24
PixelSizeX=3.2e-008
PixelSizeY=3.2e-008
Time=10:11:12
"""
TESCAN_SEM = """AcceleratorVoltage=20000.000000
Detector=SE
Detector0=BSE
DwellTime=1.0e-5
HV=20000.0
PredictedBeamCurrent=1e-10
WD=0.009012
"""


def tescan_tag(main=TESCAN_MAIN, sem=TESCAN_SEM):
    """Return blocks of length and kind, a picture first, as TESCAN writes them."""
    value = b""
    for kind, block in ((1, b"\xff\xd8HV=1\xff\xd9"), (2, main.encode()), (3, sem.encode())):
        value += struct.pack("<IH", len(block) + 2, kind) + block
    value += struct.pack("<IH", 2, 0)
    return (50431, 1, len(value), value, False)


def test_tescan(tmp_path):
    header = read_header(write(tmp_path / "a.tif", tescan_tag()))
    assert stated(header) == ("TESCAN MIRA3 LMU", 20.0, 9.012, "SE", 10000.0, "2019-05-14T10:11:12")
    assert header.pixel_size_nm == pytest.approx(32)
    assert (header.height_px, header.data_bar_source) == (ROWS - 24, "header")


def test_broken_numbers_of_tescan_count_as_not_stated(tmp_path):
    main = TESCAN_MAIN.replace("3.2e-008", "0").replace("=24", "=-1").replace("2019", "20x9")
    sem = TESCAN_SEM.replace("20000.0", "?").replace("1.0e-5", "").replace("0.009012", "inf")
    header = read_header(write(tmp_path / "a.tif", tescan_tag(main, sem)))
    assert stated(header) == ("TESCAN MIRA3 LMU", None, None, "SE", None, None)
    assert header.pixel_size_nm is None
    assert header.height_px == ROWS


# --- what all have in common ----------------------------------------------------------------------


def imported(source, folder, *, pixel_size_nm=None, **options):
    pixels, _, record = made_images.imported(source, folder, pixel_size_nm=pixel_size_nm, **options)
    return record, pixels


@pytest.mark.parametrize("value", [b"", b"\0", b"\xff\xfe" * 40, b"[Scan]\r\nPixelWidth"])
@pytest.mark.parametrize("code", [34118, 34680, 34682, 50431])
def test_headers_beyond_repair_do_not_stop_an_import(tmp_path, code, value):
    tag = (code, 1 if code == 50431 else 2, len(value) + 1, value + b"\0", False)
    header = read_header(write(tmp_path / "a.tif", tag))
    assert header.pixel_size_nm is None
    assert stated(header)[1:] == (None,) * 5


def test_of_the_header_of_the_first_page_all_but_the_size_serves_others(tmp_path):
    source = tmp_path / "a.tif"
    with tifffile.TiffWriter(source) as writer:
        writer.write(noise(seed=1), extratags=[zeiss_tag()])
        writer.write(noise(seed=2))
        writer.write(noise((ROWS, COLUMNS // 2), seed=3))
    assert read_header(source, 1).pixel_size_nm == pytest.approx(12.33)
    header = read_header(source, 2)
    assert header.acquisition.microscope == "Zeiss Merlin"
    with pytest.raises(InputError, match=r"no pixel size .* states 12\.33 nm on page 1 only"):
        imported(source, tmp_path, page=2)
    assert imported(source, tmp_path, page=2, pixel_size_nm=50)[0].pixel_size_nm == 50
    assert read_header(source, 3).acquisition.microscope is None


def test_a_sheet_that_disagrees_with_the_microscope_stops(tmp_path):
    source = write(tmp_path / "a.tif", zeiss_tag())
    with pytest.raises(InputError, match=r"the sheet says 24\.65 nm, the header of .* 12\.33 nm"):
        imported(source, tmp_path, pixel_size_nm=24.65)
    record, _ = imported(source, tmp_path, pixel_size_nm=12.3)
    assert (record.pixel_size_nm, record.pixel_size_source) == (12.3, "sheet")


def grid(folder, *tags):
    names = [f"{index}.tif" for index in range(len(tags))]
    for index, (name, tag) in enumerate(zip(names, tags, strict=True)):
        write(folder / name, tag, image=noise(seed=index))
    rows = [f"{name}\t{index}\t0" for index, name in enumerate(names)]
    (folder / "grid.tsv").write_text("\n".join(["file\tcolumn\trow", *rows]) + "\n")
    return folder / "grid.tsv"


def test_a_grid_gets_what_all_its_headers_say(tmp_path):
    source = grid(
        tmp_path,
        zeiss_tag(AP_TIME="Time :12:00:00", AP_WD="WD = 6.4 mm"),
        zeiss_tag(),
        zeiss_tag(DP_DETECTOR_CHANNEL=None),
    )
    headers = list(open_source(source).cells.values())
    shared, notes = shared_acquisition(headers)
    stated = ("Zeiss Merlin", 15.0, None, "InLens", 6000.0, "2016-04-18T09:42:02")
    assert shared == Acquisition(**dict(zip(STATED, stated, strict=True)))
    assert notes == ["working_distance_mm differs between images: 6.2 to 6.4"]
    record, _ = imported(source, tmp_path)
    assert record.acquisition.model_dump() == asdict(shared)
    assert notes[0] in record.notes


def test_tiles_agree_in_size_once_their_bars_are_cut(tmp_path):
    same = fei_tag(Image={"ResolutionY": "211"})
    source = grid(tmp_path, same, same)
    opened = open_source(source)
    assert opened.shape == (211, 2 * COLUMNS)
    assert data_bar_notes(list(opened.cells.values())) == [
        "cut off the data bar at the bottom of 2 of 2 images: 29 rows, as the header says"
    ]
    record, pixels = imported(source, tmp_path)
    np.testing.assert_array_equal(pixels, np.hstack([noise(seed=0)[:211], noise(seed=1)[:211]]))
    assert list(record.notes) == data_bar_notes(list(opened.cells.values()))
    source = grid(tmp_path, same, fei_tag())
    with pytest.raises(
        InputError,
        match=r"row 3, column file: 1\.tif has 320 x 240 pixels, 0\.tif 320 x 211 pixels without a "
        r"data bar of 29 rows\..*column data_bar_px",
    ):
        open_source(source)
    assert open_source(source, data_bar_px=29).shape == (211, 2 * COLUMNS)


def test_tiles_of_two_magnifications_are_refused(tmp_path):
    source = grid(
        tmp_path, zeiss_tag(), zeiss_tag(AP_IMAGE_PIXEL_SIZE="Image Pixel Size = 24.65 nm")
    )
    with pytest.raises(InputError, match=r"1\.tif has a pixel size of 24\.65 nm, 0\.tif of 12\.33"):
        imported(source, tmp_path)
