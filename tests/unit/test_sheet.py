"""The sample sheet: what it gives, and the words with which it is refused."""

import re

import numpy as np
import pandas as pd
import pytest

from damascene import InputError
from damascene.contracts.panoramas import PANORAMAS
from damascene.contracts.table import check_table
from damascene.study.sheet import image_options, read_sheet

HEADER = "panorama\tpath\tpixel_size_nm\tstrain_percent"


def write(folder, *rows, header=HEADER):
    path = folder / "panoramas.tsv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_values_and_empty_cells(tmp_path):
    sheet = read_sheet(write(tmp_path, "a\ta.tif\t40\t6.5", " b \tb.tif\t32.9\t", "c\tc.tif\t\t0"))
    assert list(sheet["panorama"]) == ["a", "b", "c"]
    assert sheet["strain_percent"].tolist()[::2] == [6.5, 0.0]
    # An unknown strain stays unknown: it must never become a zero.
    assert np.isnan(sheet["strain_percent"][1])
    assert np.isnan(sheet["pixel_size_nm"][2])
    assert list(sheet["notes"]) == ["", "", ""]
    # The reader keeps the contract, though it does not call on it.
    pd.testing.assert_frame_equal(sheet, check_table(sheet, PANORAMAS, source="sheet"))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ((), ["has no rows"]),
        (("a\ta.tif\t40\t-1",), ["row 2, column 'strain_percent'", "negative", "-1"]),
        (("a\ta.tif\t0\t1",), ["row 2, column 'pixel_size_nm'", "above 0"]),
        (("a\ta.tif\t40 nm\t1",), ["row 2, column 'pixel_size_nm'", "'40 nm' is not a number"]),
        (("a\ta.tif\t40\tinf",), ["'inf' is not a number"]),
        (("a\ta.tif\t40\t1", "b\tb.tif\t40\t1,5"), ["row 3", "'1,5' is not a number", "point"]),
        (("a\ta.tif\t40\t1", "a\tb.tif\t40\t2"), ["row 3", "'a' is already in row 2"]),
        (("a b\ta.tif\t40\t1",), ["row 2, column 'panorama'", "cannot be part of file names"]),
        (("\ta.tif\t40\t1",), ["row 2, column 'panorama'"]),
        (("a\t\t40\t1",), ["row 2, column 'path'", "empty"]),
        (("a\tsimulated\t\t1",), ["row 2, column 'pixel_size_nm'", "simulated"]),
        (("a\tsimulated\t40\t",), ["row 2, column 'strain_percent'", "simulated"]),
    ],
)
def test_refusals_name_the_cell(tmp_path, rows, words):
    path = write(tmp_path, *rows)
    with pytest.raises(InputError) as error:
        read_sheet(path)
    assert all(word in str(error.value) for word in [str(path), *words])


def test_page_and_overlap_may_be_given(tmp_path):
    path = write(
        tmp_path,
        "a\ta.tif\t40\t1\t2\t",
        "b\tb.tsv\t40\t1\t\t12.5",
        header=HEADER + "\tpage\toverlap_percent",
    )
    sheet = read_sheet(path)
    np.testing.assert_array_equal(sheet["page"], [2, np.nan])
    np.testing.assert_array_equal(sheet["overlap_percent"], [np.nan, 12.5])
    pd.testing.assert_frame_equal(sheet, check_table(sheet, PANORAMAS, source="sheet"))


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("page", ["0", "1.5", "-1"]),
        ("data_bar_px", ["-1", "2.5"]),
        ("overlap_percent", ["0", "-5", "90"]),
        ("strain_percent", ["-1", "1e+09"]),
        ("triaxiality", ["-6", "33"]),
        ("pixel_size_nm", ["0", "0.0329", "1e+300"]),
    ],
)
def test_pages_and_overlaps_out_of_range_are_refused(tmp_path, column, cells):
    for cell in cells:
        row = {"panorama": "a", "path": "a.tsv", "pixel_size_nm": 40, "strain_percent": 1}
        row |= {column: cell}
        path = write(tmp_path, "\t".join(map(str, row.values())), header="\t".join(row))
        with pytest.raises(
            InputError, match=rf"row 2, column '{column}'.*found: {re.escape(cell)}"
        ):
            read_sheet(path)


@pytest.mark.parametrize(
    ("path", "column", "cell"),
    [
        ("a.tif", "tile_folder", "tiles"),
        ("a.tif", "overlap_percent", "20"),
        ("simulated", "tile_folder", "tiles"),
        ("simulated", "overlap_percent", "20"),
        ("simulated", "pixel_size_overrides_header", "yes"),
    ],
)
def test_cells_that_have_no_effect_are_refused(tmp_path, path, column, cell):
    sheet = write(tmp_path, f"a\t{path}\t40\t1\t{cell}", header=f"{HEADER}\t{column}")
    with pytest.raises(InputError, match=f"row 2, column '{column}': .*Leave it empty"):
        read_sheet(sheet)
    read_sheet(write(tmp_path, f"a\t{path}\t40\t1\t", header=f"{HEADER}\t{column}"))


def test_names_of_steel_are_in_one_spelling(tmp_path):
    rows = ("a\ta.tif\t40\t1\tS\xa01", "b\ta.tif\t40\t1\tS  1 ")
    sheet = read_sheet(write(tmp_path, *rows, header=f"{HEADER}\tspecimen"))
    assert sheet["specimen"].tolist() == ["S 1", "S 1"]


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such sample sheet"):
        read_sheet(tmp_path / "none.tsv")


def test_missing_column_names_the_nearest(tmp_path):
    path = write(tmp_path, "a\ta.tif\t40\t1", header="panorama\tpath\tpixel_size\tstrain_percent")
    with pytest.raises(InputError, match="'pixel_size_nm' is missing; is 'pixel_size' meant"):
        read_sheet(path)


def test_unknown_column_names_the_nearest(tmp_path):
    path = write(tmp_path, "a\ta.tif\t40\t1\tx", header=HEADER + "\tspeciman")
    with pytest.raises(InputError, match=r"unknown column 'speciman'\. Did you mean 'specimen'"):
        read_sheet(path)


def test_a_spreadsheet_file_is_refused(tmp_path):
    path = tmp_path / "sheet.tsv"
    path.write_bytes(b"PK\x03\x04\xff\xfe\x00\x80binary\x00\x81")
    with pytest.raises(InputError, match="tab-separated"):
        read_sheet(path)


def test_names_that_differ_by_capital_letters_only_are_refused(tmp_path):
    path = tmp_path / "panoramas.tsv"
    head = "panorama\tpath\tpixel_size_nm\tstrain_percent\n"
    path.write_text(f"{head}Ab\ta.tif\t40\t0\naB\tb.tif\t40\t1\n")
    with pytest.raises(InputError, match="row 3, column 'panorama': 'aB' differs"):
        read_sheet(path)
    path.write_text(f"{head}{'x' * 81}\ta.tif\t40\t0\n")
    with pytest.raises(InputError, match="80 at most"):
        read_sheet(path)


def test_quotation_marks_in_notes_swallow_no_row(tmp_path):
    path = tmp_path / "panoramas.tsv"
    head = "panorama\tpath\tpixel_size_nm\tstrain_percent\tnotes\n"
    path.write_text(f'{head}a\ta.tif\t40\t0\t"sharp\nb\tb.tif\t40\t1\t"\nc\tc.tif\t40\t2\t"\n')
    sheet = read_sheet(path)
    assert sheet["panorama"].tolist() == ["a", "b", "c"]
    assert sheet["notes"].tolist() == ['"sharp', '"', '"']


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    rows = (
        *("a\ta.tif\t40\t1,5", "a\t\t-3\t2", "b c\tb.tif\tx\t-1", "c\tc.tif\t-3\t4"),
        *("d\tsimulated\t\t5", "e\tsimulated\t40 nm\t5"),
    )
    with pytest.raises(InputError) as error:
        read_sheet(write(tmp_path, *rows))
    lines = str(error.value).splitlines()
    for words in (
        "row 2, column 'strain_percent': '1,5'",
        "row 3, column 'panorama': 'a' is already in row 2",
        "row 3, column 'path': empty",
        "row 4, column 'panorama': 'b c'",
        "row 4, column 'pixel_size_nm': 'x'",
        "row 6, column 'pixel_size_nm': empty, but a simulated panorama needs it",
        "row 7, column 'pixel_size_nm': '40 nm' is not a number",
    ):
        assert any(words in line for line in lines), lines
    with pytest.raises(InputError, match=r"rows 2 and 4, column 'pixel_size_nm': must be above 0"):
        read_sheet(write(tmp_path, "a\ta\t-3\t1", "b\tb\t40\t1", "c\tc\t-3\t4"))
    with pytest.raises(
        InputError, match=r"(?s)'path' is missing.*'strain_percent' is missing.*'x'"
    ):
        read_sheet(write(tmp_path, "a\t40\t1", header="panorama\tpixel_size_nm\tx"))


@pytest.mark.parametrize(("cell", "flag"), [("", False), ("no", False), ("Yes", True)])
def test_a_header_is_overridden_on_request(tmp_path, cell, flag):
    column = "pixel_size_overrides_header"
    sheet = read_sheet(write(tmp_path, f"a\ta.tif\t40\t0\t{cell}", header=f"{HEADER}\t{column}"))
    assert sheet[column].tolist() == [flag]


@pytest.mark.parametrize(
    ("size", "column", "cell", "words"),
    [
        ("40", "pixel_size_overrides_header", "perhaps", "'perhaps' is neither yes nor no"),
        # By nothing.
        ("", "pixel_size_overrides_header", "yes", ".*Enter the size that is"),
        ("40", "bit_depth", "7", "must be a whole number from 8"),
        ("40", "bit_depth", "12.5", "must be a whole number from 8"),
        ("40", "bit_depth", "24", "must not be above 16"),
        ("40", "invert", "perhaps", "'perhaps' is neither yes nor no"),
    ],
)
def test_how_an_image_is_read_is_checked(tmp_path, size, column, cell, words):
    path = write(tmp_path, f"a\ta.tif\t{size}\t1\t{cell}", header=f"{HEADER}\t{column}")
    with pytest.raises(InputError, match=rf"row 2, column '{column}': {words}"):
        read_sheet(path)


def test_how_greys_are_read_becomes_an_option(tmp_path):
    path = write(
        tmp_path,
        "a\ta.tif\t40\t1\t12\tYes",
        "b\tb.tif\t40\t1\t\t",
        header=f"{HEADER}\tbit_depth\tinvert",
    )
    a, b = (image_options(row) for _, row in read_sheet(path).iterrows())
    assert (a["bit_depth"], a["invert"]) == (12, True)
    assert (b["bit_depth"], b["invert"]) == (None, False)


@pytest.mark.parametrize(
    ("column", "cell"),
    [("bit_depth", "12"), ("invert", "yes"), ("page", "2"), ("data_bar_px", "9")],
)
def test_a_simulated_panorama_is_not_read(tmp_path, column, cell):
    path = write(tmp_path, f"a\tsimulated\t40\t1\t{cell}", header=f"{HEADER}\t{column}")
    with pytest.raises(InputError, match=rf"row 2, column '{column}': tells how an image is read"):
        read_sheet(path)


def test_a_second_scan_and_its_noise_may_be_named(tmp_path):
    path = write(
        tmp_path,
        "a\ta.tif\t40\t1\tslow/a.tif\tfast",
        "b\tsimulated\t40\t1\tsimulated\tfast",
        "c\tc.tif\t40\t1\t\t",
        header=f"{HEADER}\tpaired_scan\tnoise_condition",
    )
    sheet = read_sheet(path)
    assert sheet["paired_scan"].tolist() == ["slow/a.tif", "simulated", ""]
    assert sheet["noise_condition"].tolist() == ["fast", "fast", ""]
    assert (read_sheet(write(tmp_path, "a\ta.tif\t40\t1"))["paired_scan"] == "").all()


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ("b\tb.tif\t40\t1\tb.tif\t", "paired_scan", "the panorama itself"),
        ("b\tb.tif\t40\t1\tsimulated\t", "paired_scan", "names a file"),
        ("b\tsimulated\t40\t1\tb.tif\t", "paired_scan", "Enter 'simulated'"),
        ("b\tb.tif\t40\t1\t\tFast", "noise_condition", "'fast' in row 2 by capital letters"),
        ("b\tb.tif\t40\t1\t\t100 ns", "noise_condition", "cannot be part of file names"),
    ],
)
def test_a_second_scan_that_cannot_be_one_is_refused(tmp_path, row, column, words):
    path = write(
        tmp_path,
        "a\ta.tif\t40\t1\t\tfast",
        row,
        header=f"{HEADER}\tpaired_scan\tnoise_condition",
    )
    with pytest.raises(InputError, match="row 3") as error:
        read_sheet(path)
    assert f"column '{column}'" in str(error.value) and words in str(error.value)


@pytest.mark.parametrize(
    ("first", "second"), [("QP 300", "qp-300"), ("as rolled", "As_Rolled"), ("QP300", "QP 300")]
)
def test_two_conditions_with_one_name_are_refused(tmp_path, first, second):
    rows = (f"a\ta.tif\t40\t1\t{first}", f"b\tb.tif\t40\t1\t{second}")
    path = write(tmp_path, *rows, header=f"{HEADER}\tcondition")
    with pytest.raises(InputError, match="row 3, column 'condition'") as error:
        read_sheet(path)
    assert f"'{second}' and '{first}' in row 2 look like two names of one" in str(error.value)


@pytest.mark.parametrize(("first", "second"), [("-40 C", "40 C"), ("0.5", "5"), ("QP 300", "QP")])
def test_conditions_that_differ_are_two(tmp_path, first, second):
    rows = (f"a\ta.tif\t40\t1\t{first}", f"b\tb.tif\t40\t1\t{second}", "c\tc.tif\t40\t1\t")
    sheet = read_sheet(write(tmp_path, *rows, header=f"{HEADER}\tcondition"))
    assert sheet["condition"].tolist() == [first, second, ""]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("600 °C", "600°C"),
        ("\u20135 K", "-5 K"),
        ("\u22125", "-5"),
        ("a -b", "a\u2013b"),
        ("A", "a"),
    ],
)
def test_blanks_and_dashes_make_no_other_condition(tmp_path, first, second):
    path = tmp_path / "panoramas.tsv"
    rows = "".join(f"p{n}\ta.tif\t50\t5\t{word}\n" for n, word in enumerate((first, second)))
    header = "panorama\tpath\tpixel_size_nm\tstrain_percent\tcondition\n"
    path.write_text(header + rows, encoding="utf-8")
    with pytest.raises(InputError, match="two names of one condition"):
        read_sheet(path)
    path.write_text(header + rows.replace(first, "-5").replace(second, "5"), encoding="utf-8")
    read_sheet(path)
