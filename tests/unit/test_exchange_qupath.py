"""GeoJSON of QuPath: points, areas, classifications, and files that are damaged."""

import pytest
from made_exchange import SIZES, places, read, read_counted, write_json

from damascene import InputError


def feature(kind, coordinates, name="notch", **properties):
    said = {"objectType": "annotation"} | properties
    if name is not None:
        said["classification"] = {"name": name, "color": [213, 94, 0]}
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "id": "x", "geometry": geometry, "properties": said}


def ring(left, top, right, bottom):
    return [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]


def collection(*features):
    return {"type": "FeatureCollection", "features": list(features)}


def test_points_count_from_the_corner_of_the_image(tmp_path):
    content = collection(
        feature("Point", [7.5, 9.5]),
        feature("MultiPoint", [[0.5, 0.5], [20, 30]], "interface"),
        feature("Polygon", [ring(7, 9, 8, 10)]),
        feature("Polygon", [ring(7, 9, 8, 10)], None),
    )
    path = write_json(tmp_path / "any.geojson", content)
    answers, left_out = read_counted(path, format="qupath", panorama="b")
    assert places(answers) == [
        ("b", 7, 9, "notch"),
        ("b", 0, 0, "interface"),
        ("b", 19.5, 29.5, "interface"),
        ("b", 7, 9, "notch"),
    ]
    assert left_out == 1 and answers["row"].tolist() == [1, 2, 2, 3]


def test_the_centroid_of_an_area_is_the_site(tmp_path):
    content = [
        # A square of six with a hole of two in its left half, turned either way.
        feature("Polygon", [ring(0, 0, 6, 6), ring(1, 2, 3, 4)]),
        feature("Polygon", [ring(0, 0, 6, 6), ring(1, 2, 3, 4)[::-1]]),
        feature("MultiPolygon", [[ring(0, 0, 2, 2)], [ring(10, 0, 14, 2)]]),
    ]
    path = write_json(tmp_path / "a.geojson", content)
    found = read(path, format="qupath")[["x_px", "y_px"]].to_numpy()
    assert found[0] == pytest.approx([(36 * 3 - 4 * 2) / 32 - 0.5, 2.5])
    assert found[1] == pytest.approx(found[0])
    # Lines that cross leave hardly any area, far from which its centroid would lie.
    crossed = [[10, 10], [20, 20], [20, 10], [10, 20.001], [10, 10]]
    path = write_json(tmp_path / "a.geojson", [feature("Polygon", [crossed])])
    (place,) = read(path, format="qupath")[["x_px", "y_px"]].to_numpy()
    assert place == pytest.approx([14.5, 14.5], abs=0.01)
    assert found[2] == pytest.approx([(4 * 1 + 8 * 12) / 12 - 0.5, 0.5])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.geojson", ("a", 7, 9)),
        ("im21.geojson", ("b", 207, 109)),
        ("a.ome.tif.geojson", ("a", 7, 9)),
    ],
)
def test_the_file_is_called_after_its_image(tmp_path, name, expected):
    path = write_json(tmp_path / name, collection(feature("Point", [7.5, 9.5])))
    assert places(read(path, format="qupath")) == [(*expected, "notch")]


def test_a_file_of_another_name_needs_its_panorama(tmp_path):
    path = write_json(tmp_path / "export.geojson", collection(feature("Point", [7.5, 9.5])))
    with pytest.raises(
        InputError, match=r"called 'export\.geojson'.*name the panorama in the conf"
    ):
        read(path, format="qupath")
    assert places(read(path, format="qupath", panorama="b")) == [("b", 7, 9, "notch")]


def test_classifications_of_several_parts(tmp_path):
    derived = feature("Point", [1, 1])
    derived["properties"]["classification"] = {"names": ["Damage", "wide"]}
    content = collection(
        derived,
        feature("Point", [1, 1], "Damage: wide"),
        # What a network said and nobody changed is no answer.
        feature("Point", [1, 1], "notch: network"),
    )
    path = write_json(tmp_path / "a.geojson", content)
    answers, left_out = read_counted(path, format="qupath", classes={"Damage: wide": "martensite"})
    assert answers["answer"].tolist() == ["martensite"] * 2 and left_out == 1


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (feature("LineString", [[1, 2], [3, 4]]), "is no point and no area"),
        (feature("Polygon", [[[1, 2], [3, 4]]]), "is no point and no area"),
        (feature("Polygon", [[[1, 2], [3, "x"], [1, 1]]]), "is no point and no area"),
        (feature("Point", [1]), "is no point and no area"),
        ({"type": "Feature", "geometry": None}, "is no point and no area"),
        (7, "is no point and no area"),
        (feature("Point", [SIZES["a"][0] + 1, 1]), "column 100.5 px lies outside panorama 'a'"),
        (feature("Point", [5, 5], "crack"), "unknown class 'crack'"),
    ],
)
def test_objects_that_cannot_be_used_are_named(tmp_path, one, words):
    path = write_json(tmp_path / "a.geojson", collection(feature("Point", [1, 1]), one))
    with pytest.raises(InputError) as error:
        read(path, format="qupath")
    assert f"{path}, object 2" in str(error.value) and words in str(error.value)


def test_other_json_is_refused(tmp_path):
    path = write_json(tmp_path / "a.geojson", {"type": "FeatureCollection"})
    with pytest.raises(InputError, match=r"a\.geojson: no GeoJSON of QuPath.*Export the objects"):
        read(path, format="qupath")
