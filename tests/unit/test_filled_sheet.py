"""A label sheet that somebody filled in among the results is not lost when the next one is made."""

import pytest

from damascene.study.filled_sheet import keep_filled_sheet

HEADER = "number\tpanorama\tx_px\ty_px\tlabel\n"
EMPTY = HEADER + "1\ta\t1\t2\t\n"
FILLED = HEADER + "1\ta\t1\t2\tm\n"


@pytest.fixture
def sheet(tmp_path):
    path = tmp_path / "results/review/sheet.tsv"
    path.parent.mkdir(parents=True)
    (tmp_path / "config/labels").mkdir(parents=True)
    return path


def kept(sheet):
    folder = sheet.parents[2]
    said = keep_filled_sheet(results=folder / "results", labels=folder / "config/labels")
    return said, sorted((sheet.parent / "kept").glob("*"))


def test_an_empty_sheet_is_nothing_to_keep(sheet):
    assert kept(sheet) == ([], [])
    sheet.write_text(EMPTY)
    assert kept(sheet) == ([], [])


@pytest.mark.parametrize("content", [FILLED, FILLED + "2\ta\tragged\n", "\0" + FILLED])
def test_answers_are_kept_before_the_sheet_is_made_anew(sheet, content):
    sheet.write_text(content)
    (line,), (copy,) = kept(sheet)
    assert copy.read_text() == content and str(copy) in line and line.startswith("! ")
    # Said until the file lies where it is read, and kept once.
    assert kept(sheet) == ([line], [copy])
    sheet.write_text(EMPTY)
    assert kept(sheet) == ([], [copy])


def test_a_sheet_that_lies_among_the_labels_is_safe(sheet):
    sheet.write_text(FILLED)
    (sheet.parents[2] / "config/labels/sheet_jane.tsv").write_text(FILLED)
    assert kept(sheet) == ([], [])
