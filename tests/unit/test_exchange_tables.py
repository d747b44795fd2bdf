"""Label tables of other programs: separators, decimals, first pixels, names of classes."""

import pytest
from made_exchange import places, read, read_counted

from damascene import InputError
from damascene.config.label_source import LabelSource


def write(folder, text, name="labels.csv"):
    path = folder / name
    path.write_text(text)
    return path


def test_a_table_of_a_german_spreadsheet_gives_the_answers_of_a_tsv(tmp_path):
    german = write(
        tmp_path,
        '\ufeffBild;Spalte;Zeile;Klasse;Wer;Bemerkung\na;"9,5";20;Riss;ada;"breit; lang"\n'
        "b;1;2;Staub;bo;\n\nb;3;4,25;notch;;\n",
    )
    keys = {
        "columns": {
            "panorama": "Bild",
            "x_px": "Spalte",
            "y_px": "Zeile",
            "label": "Klasse",
            "annotator": "Wer",
        },
        "classes": {"Riss": "martensite", "Staub": "left_out"},
    }
    answers, left_out = read_counted(german, format="csv", delimiter=";", decimal=",", **keys)
    plain = "a\t9.5\t20\tmartensite\tada\nb\t1\t2\t\tbo\n\nb\t3\t4.25\tnotch\t\n"
    tsv = write(tmp_path, f"panorama\tx_px\ty_px\tlabel\tannotator\n{plain}", "labels.tsv")
    same, same_left_out = read_counted(tsv)
    assert left_out == same_left_out == 1
    assert answers.drop(columns="file").equals(same.drop(columns="file"))
    assert answers["row"].tolist() == [2, 5]


@pytest.mark.parametrize(("first_pixel", "x", "y"), [(0, 7, 5), (0.5, 7.5, 5.5), (1, 8, 6)])
def test_positions_count_from_the_pixel_that_is_stated(tmp_path, first_pixel, x, y):
    path = write(tmp_path, f"x_px,y_px,label\n{x},{y},notch\n")
    answers = read(path, format="csv", panorama="a", first_pixel=first_pixel)
    assert places(answers) == [("a", 7, 5, "notch")]


def test_who_labelled_is_said_in_the_configuration(tmp_path):
    path = write(tmp_path, "x_px,y_px,label\n1,2,notch\n")
    assert read(path, format="csv", panorama="a", annotator="ada")["annotator"].tolist() == ["ada"]
    with pytest.raises(ValueError, match="'annotator: ada' has no effect"):
        LabelSource(path="a.csv", annotator="ada", annotators=["bo"])


@pytest.mark.parametrize(
    ("text", "keys", "words"),
    [
        ("x_px;y_px;label\n1;2;notch\n", {}, ["separated by semicolons", 'delimiter: ";"']),
        ("x_px,y_px,label\n1,2,notch,3\n", {}, ["row 2: 4 cells", "header has 3", "quotation"]),
        ('x_px,y_px,label\n1,2,"notch\n', {}, ["row 2:", "quotation mark is missing"]),
        ("x_px,y_px,label\n", {}, ["is empty"]),
        ("", {}, ["is empty"]),
        ("x_px,y_px,label,label\n1,2,notch,a\n", {}, ["'label' is in the header twice"]),
        ("x,y_px,label\n1,2,notch\n", {}, ["column 'x_px' is missing"]),
        ("x_px,y_px,label\n1,2,Riss\n", {}, ["row 2", "'Riss'", "classes: {Riss: "]),
        ("x_px,y_px,label\n1,2,big crack\n", {}, ["classes: {'big crack': "]),
        ('x_px,y_px,label\n"1,5",2,notch\n', {}, ["row 2, column 'x_px'", "'1,5' is not a number"]),
    ],
)
def test_bad_tables_are_refused_with_what_to_do(tmp_path, text, keys, words):
    with pytest.raises(InputError) as error:
        read(write(tmp_path, text), format="csv", panorama="a", **keys)
    assert all(word in str(error.value) for word in ["labels.csv", *words]), str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("x_px,y_px,label\n1,2,Gef\xfcge\n".encode("latin-1"), ["row 2", "not a text in UTF-8"]),
        (b"PK\x03\x04 rest", ["spreadsheet", "Save it as a table with commas"]),
    ],
)
def test_files_of_another_encoding_or_kind_are_refused(tmp_path, content, words):
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read(path, format="csv", panorama="a")
    assert all(word in str(error.value) for word in words), str(error.value)


def test_keys_of_another_format_are_refused():
    for keys in (
        {"delimiter": ";"},
        {"decimal": ","},
        {"format": "voc", "columns": {"label": "name"}},
        {"format": "voc", "first_pixel": 1},
        {"format": "csv", "difficult": "unclear"},
    ):
        with pytest.raises(ValueError, match="has no effect beside 'format"):
            LabelSource(path="a", **keys)
    with pytest.raises(ValueError, match="both a comma"):
        LabelSource(path="a", format="csv", decimal=",")
    with pytest.raises(ValueError, match="martensite"):
        LabelSource(path="a", classes={"Riss": "crack"})


def test_a_long_note_is_read_and_an_open_quotation_is_told(tmp_path):
    path = tmp_path / "labels.csv"
    note = "x" * 10**6
    path.write_text(f'panorama,x_px,y_px,label,note\na,1,2,notch,"{note}"\na,3,4,notch,\n')
    assert len(read(path, format="csv")) == 2
    path.write_text(f'panorama,x_px,y_px,label,note\na,1,2,notch,"{note}\na,3,4,notch,\n')
    with pytest.raises(InputError, match="A quotation mark is missing"):
        read(path, format="csv")
