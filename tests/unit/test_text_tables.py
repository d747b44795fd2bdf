"""Text tables as people, editors and spreadsheets leave them: read right, or told what to do."""

import csv
import io
import json
import random

import pandas as pd
import pytest

from damascene import InputError
from damascene.contracts.text_tables import numbers, parse_number, read_rows, read_text_table
from damascene.problems import Problems, place, told_together
from damascene.text_files import alike_names, plain_name

HEADER = "panorama\tx_px\tnotes"


def read(folder, content, *, name="table.tsv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_text_table(path, what="label file")


def cells(table):
    return table.to_numpy().tolist()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # Ditto marks and inches are text, wherever they stand and however many there are.
        (['a\t1\t"', 'b\t2\t"', "c\t3\t"], [["a", "1", '"'], ["b", "2", '"'], ["c", "3", ""]]),
        (['"\t1\t"', "b\t2\t"], [['"', "1", '"'], ["b", "2", ""]]),
        (['a\t1\t5" wafer', 'b\t2\t"sharp'], [["a", "1", '5" wafer'], ["b", "2", '"sharp']]),
        # What a spreadsheet puts in quotation marks.
        (['a\t1\t"two\twords"', '"b"\t"2"\t""'], [["a", "1", "two\twords"], ["b", "2", ""]]),
        (['a\t1\t"5"" wafer"'], [["a", "1", '5" wafer']]),
        (['a\t1\t"x\ty ""z"""'], [["a", "1", 'x\ty "z"']]),
        # Tabs behind rows, and rows of nothing but tabs.
        (["a\t1\t\t", "b\t2\t\t\t\t"], [["a", "1", ""], ["b", "2", ""]]),
        (["a\t1\tx", "\t\t", '""\t\t""', "   ", "b\t2\ty"], [["a", "1", "x"], ["b", "2", "y"]]),
        ([" a \t\u00a01\u00a0\t\u200bx y "], [["a", "1", "x y"]]),
        # No line ends but those of lines.
        (["a\t1\tx\u2028y\x0bz\x85"], [["a", "1", "x\u2028y\x0bz"]]),
    ],
)
def test_cells_are_those_that_were_meant(tmp_path, rows, expected):
    for end in ("\n", "\r\n", "\r"):
        assert cells(read(tmp_path, end.join([HEADER, *rows]) + end)) == expected
        assert cells(read(tmp_path, end.join([HEADER, *rows]))) == expected


def test_tabs_behind_the_header_are_no_columns(tmp_path):
    table = read(tmp_path, f"{HEADER}\t\t\na\t1\tx\nb\t2\ty\t\t\n")
    assert list(table.columns) == HEADER.split("\t")
    assert cells(table) == [["a", "1", "x"], ["b", "2", "y"]]


def test_what_a_spreadsheet_writes_comes_back(tmp_path):
    """Any cells without a line break, as the csv module writes them in the dialect of Excel."""
    rng = random.Random(5)
    for _ in range(300):
        rows = [
            ["".join(rng.choices('ab "\t,', k=rng.randint(0, 5))).strip() for _ in range(3)]
            for _ in range(4)
        ]
        rows = [[f"{i}", *row, "end"] for i, row in enumerate(rows)]
        text = io.StringIO()
        writer = csv.writer(text, dialect="excel-tab")
        writer.writerow(["n", "a", "b", "c", "e"])
        writer.writerows(rows)
        assert cells(read(tmp_path, text.getvalue())) == rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_that_name_themselves(tmp_path, encoding):
    table = read(tmp_path, f"{HEADER}\nPrüf\t1\t20 µm\n".encode(encoding))
    assert list(table) == ["panorama", "x_px", "notes"]
    assert cells(table) == [["Prüf", "1", "20 µm"]]


def test_columns_that_a_spreadsheet_left_are_none(tmp_path):
    for header in (f"{HEADER}\t\t", f"{HEADER}\tUnnamed: 3\tUnnamed: 4"):
        table = read(tmp_path, f"{header}\na\t1\tx\t\t\n")
        assert list(table) == ["panorama", "x_px", "notes"]
    table = read(tmp_path, "\tpanorama\t x_px \n\ta\t1\n")
    assert list(table) == ["panorama", "x_px"] and cells(table) == [["a", "1"]]


def test_rows_are_named_as_an_editor_shows_them(tmp_path):
    table = read(tmp_path, f"{HEADER}\n\na\t1\t\n\t\t\nb\ttwo\t\n")
    assert place("t.tsv", table.index[1], "x_px") == "t.tsv, row 5, column 'x_px'"
    with pytest.raises(InputError, match="row 5, column 'x_px': 'two' is not a number"):
        numbers(table["x_px"], path=tmp_path / "t.tsv")
    _, rows = read_rows(tmp_path / "table.tsv", what="label file")
    assert [number for number, _ in rows] == [3, 5]
    # What DOS writes at the end of a file is no row and no part of one.
    for end in ("\x1a", "\n\x1a", "\n\x1a\n"):
        assert read(tmp_path, f"{HEADER}\na\t1\tx{end}")["notes"].tolist() == ["x"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["is empty"]),
        ("\n \t\n", ["is empty"]),
        (f"{HEADER}\n", ["no rows"]),
        # A tab too few or too many shifts columns: no row is guessed at, and all are named.
        (f"{HEADER}\na\t1\nb\t2\tx\nc\t3\nd\n", ["rows 2 and 4 have 2 cells", "row 5 has 1 cell"]),
        (f"{HEADER}\na\t1\tx\ty\n", ["row 2 has 4 cells", "label file has 3", "Remove a tab"]),
        (f'{HEADER}\na\t1\t"two\nlines"\n', ["row 3 has 1 cell", "line break"]),
        (f"{HEADER}\t\tlast\na\t1\tx\t5\ty\n", ["row 2", "cell 4", "without a name"]),
        ("a\tb\ta\n1\t2\t3\n", ["column 'a' is in the header twice"]),
        ("panorama,x_px,label\na,1,notch\n", ["row 1", "separated by commas", "tab"]),
        ("panorama;x_px;label\na;1,5;notch\n", ["row 1", "separated by semicolons"]),
        ("panorama  x_px  label\na  1  notch\n", ["row 1", "no tab", "not by spaces"]),
        (f"{HEADER}\na\t1\tPrüf\n".encode("latin-1"), ["row 2", "'Prüf'", "UTF-8", "Save it"]),
        (f"{HEADER}\na\t1\tx\n".encode("utf-16-le"), ["code 0", "UTF-16"]),
        (f"{HEADER}\na\t1\tx\n".encode("utf-16")[:-1], ["cut off or damaged"]),
        (f"{HEADER}\na\t\0\tx\n", ["row 2", "code 0"]),
        (b"PK\x03\x04\x14\0", ["spreadsheet", ".xlsx"]),
        (b"PAR1\x15", ["Parquet"]),
        (b"{\\rtf1\\ansi\\tab x\n}", ["formatted text (.rtf)"]),
        (b"\xd0\xcf\x11\xe0\xa1", ["spreadsheet of Excel"]),
        (b"II*\0\x08", ["an image (TIFF)"]),
        ("<annotation>\n\t<folder>x</folder>\n", ["Pascal VOC", "labelImg", "tab-separated"]),
        ('<?xml version="1.0"?>\n<annotation verified="no">\n', ["Pascal VOC"]),
        ("<html><body>Sign in</body></html>", ["XML or HTML"]),
        (json.dumps({"images": [], "annotations": []}, indent=1), ["is JSON", "one row for each"]),
        ("# Define the number of dimensions we are working on\ndim = 2\n", ["Fiji", "x_px, y_px"]),
        ("dim=2\n\na.tif; ; (0.0, 0.0)\n", ["Fiji"]),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path, content, words):
    with pytest.raises(InputError) as error:
        read(tmp_path, content)
    missing = [
        word for word in [str(tmp_path / "table.tsv"), *words] if word not in str(error.value)
    ]
    assert not missing, error.value


def test_a_folder_and_a_missing_file_are_told(tmp_path):
    with pytest.raises(InputError, match="a folder is no label file"):
        read_text_table(tmp_path, what="label file")
    with pytest.raises(InputError, match="no such label file"):
        read_text_table(tmp_path / "none.tsv", what="label file")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("12", 12), ("-1.5", -1.5), (".5", 0.5), ("+3.", 3), ("1e-3", 0.001), ("4E2", 400)),
        # Minus signs and digits of typography.
        *(("\u22121.5", -1.5), ("\u20132", -2), ("\uff0d\uff11", -1), ("\uff14\uff10", 40)),
        *((text, None) for text in ("1,5", "1 000", "1.000,5", "40 nm", "nan", "inf", "1e999")),
        # A power, a note and a fraction.
        *((text, None) for text in ("5\xb2", "\u2460", "\u2075", "3\xbd", "\U0001d7d3")),
        *((text, None) for text in ("0x10", "1_000", "True", "--1", "1-2", "\u0664", "", ".")),
    ],
)
def test_numbers_are_plain_or_refused(text, value):
    assert parse_number(text) == value


def test_names_that_look_alike_are_one():
    names = ["J\xf6rg", "Jo\u0308rg ", " J\xf6rg\u200b", "J\u00ad\xf6rg"]
    assert {plain_name(name) for name in names} == {"J\xf6rg"}
    assert plain_name("A\xa0 B") == "A B" == plain_name("A\u2009B\u3000")
    assert alike_names(["Anna", "Bo", "anna", "ANNA"]) == {"anna": "Anna", "ANNA": "Anna"}
    assert alike_names(["S1", "\uff331", "S2"]) == {"\uff331": "S1"}


def test_a_problem_told_early_is_told_once():
    with pytest.raises(InputError) as error, told_together() as problems:
        problems.add("one")
        problems.add("two")
        problems.tell()
    assert str(error.value) == "one\ntwo"


def test_problems_of_one_reason_are_told_together():
    with pytest.raises(InputError) as error, told_together() as problems:
        for index in range(9):
            problems.at("a.tsv", index, "label", "empty.")
        problems.at("a.tsv", 1, "x_px", "empty.")
        problems.add("b.tsv is missing.")
        with problems.kept():
            numbers(pd.Series(["1", "x", "x"], name="y"), path="a.tsv")
        raise InputError("This ends it.")
    assert str(error.value).splitlines() == [
        "a.tsv, rows 2, 3, 4, 5, 6 and 4 more, column 'label': empty.",
        "a.tsv, row 3, column 'x_px': empty.",
        "b.tsv is missing.",
        "a.tsv, rows 3 and 4, column 'y': 'x' is not a number. Use a point for decimals and no "
        "unit.",
        "This ends it.",
    ]


def test_a_long_list_of_problems_is_cut_and_none_is_silent():
    problems = Problems()
    problems.tell()
    for number in range(30):
        problems.add(f"Problem {number}.")
    with pytest.raises(InputError, match=r"Problem 19\.\n\.\.\. and 10 more\."):
        problems.tell()
