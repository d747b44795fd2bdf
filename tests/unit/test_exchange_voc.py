"""Pascal VOC of labelImg: boxes, names of images that are wrong, files that are damaged."""

import pytest
from made_exchange import SIZES, places, read, read_counted

from damascene import InputError
from damascene.exchange.voc import NETWORKS

OBJECT = """\
    <object>
        <name>{name}</name>
        <pose>Unspecified</pose>
        <truncated>0</truncated>
        <difficult>{difficult}</difficult>
        <bndbox>
            <xmin>{box[0]}</xmin>
            <ymin>{box[1]}</ymin>
            <xmax>{box[2]}</xmax>
            <ymax>{box[3]}</ymax>
        </bndbox>
    </object>
"""


def voc(path, *objects, filename="im10.jpg", size=(100, 100), source="Unknown"):
    """Write what labelImg writes; objects are (name, box) or (name, box, difficult)."""
    path.parent.mkdir(exist_ok=True)
    inner = "".join(
        OBJECT.format(name=name, box=box, difficult=rest[0] if rest else 0)
        for name, box, *rest in objects
    )
    about = (
        f"    <folder>tiles</folder>\n    <filename>{filename}</filename>\n"
        f"    <path>C:\\data\\tiles\\{filename}</path>\n"
        f"    <source>\n        <database>{source}</database>\n    </source>\n"
        f"    <size>\n        <width>{size[0]}</width>\n        <height>{size[1]}</height>\n"
        "        <depth>1</depth>\n    </size>\n    <segmented>0</segmented>\n"
    )
    path.write_text(f"<annotation>\n{about}{inner}</annotation>\n")
    return path


def test_the_centre_of_a_box_is_the_site(tmp_path):
    path = voc(tmp_path / "im10.xml", ("notch", (10, 20, 14, 21)), ("interface", (0, 0, 1, 1)))
    answers = read(path, format="voc", annotator="ada")
    # Tile im10 begins at column 100. The box covers pixels 10 to 13 and row 20.
    assert places(answers) == [("b", 111.5, 20, "notch"), ("b", 100, 0, "interface")]
    assert answers["tile"].tolist() == ["im10.jpg"] * 2
    assert answers["annotator"].tolist() == ["ada"] * 2
    assert answers["row"].tolist() == [14, 26]
    assert path.read_text().splitlines()[13].strip() == "<object>"


def test_a_folder_is_read_with_all_its_files(tmp_path):
    voc(tmp_path / "xml/im10.xml", ("notch", (10, 20, 11, 21)))
    voc(tmp_path / "xml/im21.xml", ("interface", (10, 20, 11, 21)), filename="im21")
    voc(tmp_path / "xml/a.xml", ("martensite", (10, 20, 11, 21)), filename="a.png", size=(100, 50))
    (tmp_path / "xml/classes.txt").write_text("notch\n")
    answers = read(tmp_path / "xml", format="voc")
    assert places(answers) == [
        ("a", 10, 20, "martensite"),
        ("b", 110, 20, "notch"),
        ("b", 210, 120, "interface"),
    ]
    assert answers["file"].tolist() == ["xml/a.xml", "xml/im10.xml", "xml/im21.xml"]


@pytest.mark.parametrize(
    ("name", "filename"),
    [
        ("im10.xml", "im10"),
        ("im10.xml", "im21.jpg"),  # a copy of the file of another tile
        ("im10.xml", ""),
        ("renamed.xml", "im10.jpg"),
        ("renamed.xml", "im10.tif"),
    ],
)
def test_names_may_be_wrong_as_far_as_one_image_is_meant(tmp_path, name, filename):
    path = voc(tmp_path / name, ("notch", (10, 20, 11, 21)), filename=filename)
    assert places(read(path, format="voc")) == [("b", 110, 20, "notch")]


def test_a_name_of_no_image_is_refused(tmp_path):
    path = voc(tmp_path / "x.xml", ("notch", (10, 20, 11, 21)), filename="y.jpg")
    with pytest.raises(InputError, match=r"x\.xml: its image is called 'x' or 'y\.jpg'"):
        read(path, format="voc")
    # Also where the panorama is named, as it has many tiles ...
    with pytest.raises(InputError, match=r"no such image, tile or frame of panorama 'b'"):
        read(path, format="voc", panorama="b")
    # ... but not if the size says that the whole panorama was labelled.
    whole = voc(tmp_path / "x.xml", ("notch", (10, 20, 11, 21)), size=SIZES["b"])
    assert places(read(whole, format="voc", panorama="a", sizes={"a": SIZES["b"]})) == [
        ("a", 10, 20, "notch")
    ]


def test_boxes_without_width_are_the_pixel_whose_corner_they_name(tmp_path):
    path = voc(tmp_path / "im00.xml", ("notch", (7, 9, 7, 9)), ("notch", (7, 9, 8, 9)))
    assert places(read(path, format="voc")) == [("b", 7, 9, "notch")] * 2


def test_of_a_box_across_the_border_the_part_inside_counts(tmp_path):
    path = voc(tmp_path / "im00.xml", ("notch", (-5, 9, 5, 10)), ("notch", (90, 9, 130, 10)))
    assert places(read(path, format="voc")) == [("b", 2, 9, "notch"), ("b", 94.5, 9, "notch")]
    path = voc(tmp_path / "im00.xml", ("notch", (120, 9, 130, 10)))
    with pytest.raises(InputError, match=r"im00\.xml, line 14: column 124.5 px lies outside tile"):
        read(path, format="voc")


def test_difficult_objects_are_kept_unclear_or_left_out(tmp_path):
    objects = [("notch", (1, 2, 3, 4), 1), ("notch", (11, 2, 13, 4), 0)]
    path = voc(tmp_path / "im00.xml", *objects)
    said = {
        choice: read_counted(path, format="voc", difficult=choice)
        for choice in ("keep", "unclear", "left_out")
    }
    assert said["keep"][0]["answer"].tolist() == ["notch", "notch"] and said["keep"][1] == 0
    assert said["unclear"][0]["answer"].tolist() == ["unclear", "notch"]
    assert said["left_out"][0]["answer"].tolist() == ["notch"] and said["left_out"][1] == 1


def test_an_image_that_was_made_smaller_is_refused(tmp_path):
    path = voc(tmp_path / "im00.xml", ("notch", (1, 2, 3, 4)), size=(50, 50))
    with pytest.raises(InputError, match=r"an image of 50 x 50 px, and tile 'im00\.jpg' has 100 x"):
        read(path, format="voc")
    # A data bar below the image moves nothing.
    path = voc(tmp_path / "im00.xml", ("notch", (1, 2, 3, 4)), size=(100, 108))
    assert len(read(path, format="voc")) == 1
    # 0 is no size.
    assert len(read(voc(path, ("notch", (1, 2, 3, 4)), size=(0, 0)), format="voc")) == 1


def test_unknown_classes_are_told_once_with_a_place(tmp_path):
    objects = [("crack", (1, 2, 3, 4)), ("crack", (5, 2, 7, 4)), ("inclusions", (9, 2, 11, 4))]
    path = voc(tmp_path / "im00.xml", *objects)
    with pytest.raises(InputError) as error:
        read(path, format="voc")
    first, second = str(error.value).splitlines()
    assert first.startswith(f"{path}, line 14 and 1 more: unknown class 'crack'. ")
    assert "classes: {crack: " in first and "Did you mean 'inclusion'?" in second
    classes = {"crack": "martensite", "inclusions": "inclusion"}
    answers = read(path, format="voc", classes=classes)
    assert answers["answer"].tolist() == ["martensite", "martensite", "inclusion"]


def test_what_a_network_said_is_no_answer_until_a_person_saved_it(tmp_path):
    path = voc(tmp_path / "im00.xml", ("notch", (1, 2, 3, 4)), source=NETWORKS)
    answers, left_out = read_counted(path, format="voc")
    assert len(answers) == 0 and left_out == 1
    saved = path.read_text().replace(NETWORKS, "Unknown")
    path.write_text(saved)
    assert len(read(path, format="voc")) == 1


BOMB = """<?xml version="1.0"?>
<!DOCTYPE annotation [
 <!ENTITY a "aaaaaaaaaa">
 <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
 <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
]>
<annotation><filename>&c;</filename></annotation>
"""
OUTSIDE = """<!DOCTYPE annotation [<!ENTITY a SYSTEM "file:///etc/hostname">]>
<annotation><filename>&a;</filename></annotation>
"""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BOMB.encode(), ["line 2", "<!DOCTYPE", "is not read"]),
        (OUTSIDE.encode(), ["line 1", "<!DOCTYPE", "is not read"]),
        (b"", ["line 1", "no valid XML"]),
        (b"<annotation>\n<object>\n<name>notch</na", ["line 3", "no valid XML", "cut off"]),
        (b"<annotation>\n<filename>Gef\xfcge</filename></annotation>", ["line 2", "encoding"]),
        (b'<?xml version="1.0" encoding="klingon"?><annotation/>', ["line 1", "encoding"]),
        (b"panorama\tx_px\ty_px\tlabel\n", ["line 1", "no valid XML"]),
        (b"<html><body/></html>", ["<html> is no annotation of labelImg"]),
        (b"\x89PNG\r\n\x1a\n\0\0", ["no valid XML"]),
    ],
)
def test_bad_files_are_refused_with_line_and_remedy(tmp_path, content, words):
    path = tmp_path / "im00.xml"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read(path, format="voc")
    assert all(word in str(error.value) for word in [str(path), *words]), str(error.value)
    # The place is told once.
    assert str(error.value).count(str(path)) == 1


def test_copies_in_hidden_folders_are_no_labels(tmp_path):
    voc(tmp_path / "xml/im10.xml", ("notch", (10, 20, 11, 21)))
    voc(tmp_path / "xml/.ipynb_checkpoints/im10.xml", ("martensite", (10, 20, 11, 21)))
    assert places(read(tmp_path / "xml", format="voc")) == [("b", 110, 20, "notch")]


def test_a_name_that_is_no_text_is_refused(tmp_path):
    voc(tmp_path / b"xml/im10\xff.xml".decode(errors="surrogateescape"), ("notch", (1, 2, 3, 4)))
    with pytest.raises(InputError, match=r"im10\?.xml: the name of the file is no text"):
        read(tmp_path / "xml", format="voc", panorama="a")


def test_boxes_that_are_no_numbers_are_told_with_all_others(tmp_path):
    path = voc(tmp_path / "im00.xml", ("notch", ("one", 2, "", 4)), ("notch", (1, 2, 3, "nan")))
    with pytest.raises(InputError) as error:
        read(path, format="voc")
    first, second = str(error.value).splitlines()
    assert "line 14" in first and "xmin 'one', xmax ''" in first
    assert "line 26" in second and "ymax 'nan'" in second
    path.write_text("<annotation><object><name>notch</name></object></annotation>")
    with pytest.raises(InputError, match="no number for xmin ''"):
        read(path, format="voc")


def test_a_missing_or_empty_folder_is_told(tmp_path):
    with pytest.raises(InputError, match="no such file or folder of labels"):
        read(tmp_path / "none", format="voc")
    with pytest.raises(InputError, match=r"no file in the folder ends in \.xml"):
        read(tmp_path, format="voc")


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "im00.xml"
    with path.open("wb") as file:
        file.truncate(600 * 10**6)
    with pytest.raises(InputError, match="has 600 MB, and at most 512 MB are read at once"):
        read(path, format="voc")


def test_latin_letters_in_a_file_that_says_so_are_read(tmp_path):
    path = voc(tmp_path / "im00.xml", ("Gef\xfcge", (1, 2, 3, 4)))
    text = f'<?xml version="1.0" encoding="ISO-8859-1"?>\n{path.read_text()}'
    path.write_bytes(text.encode("latin-1"))
    answers = read(path, format="voc", classes={"Gef\xfcge": "notch"})
    assert answers["answer"].tolist() == ["notch"] and answers["row"].tolist() == [15]
