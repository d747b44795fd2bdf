"""Label files: positions, tiles, classes, and their tie to candidates."""

import numpy as np
import pandas as pd
import pytest
from made_records import panorama_record
from PIL import Image

from damascene import InputError
from damascene.classes import SITE_CLASSES
from damascene.config.label_source import LabelSource
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.labels import LABELLED_SITES, LABELS
from damascene.contracts.stitching import FRAMES
from damascene.contracts.table import empty_table, write_tsv
from damascene.images.source_files import checksum
from damascene.images.sources import open_source
from damascene.labels.attach import attach_labels
from damascene.labels.collect import collect_labels
from damascene.labels.read import read_labels, require_enough, tile_corners

HEADER = "panorama\tx_px\ty_px\tlabel"
SIZES = {"a": (100, 50), "b": (300, 200)}


def write(folder, *rows, header=HEADER):
    path = folder / "labels.tsv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def read(path, *, panorama=None, columns=None, corners=None, annotators=()):
    return read_labels(
        path,
        panorama=panorama,
        columns=columns or {},
        annotators=annotators,
        sizes_px=SIZES,
        tile_corners_px=corners or {},
    )


def test_positions_and_left_out_rows(tmp_path):
    labels, left_out = read(
        write(tmp_path, "a\t99.4\t49.4\tnotch", "b\t1\t2\t", "b\t0\t0\tinclusion")
    )
    assert left_out == 1
    assert labels["label"].tolist() == ["notch", "inclusion"]
    assert labels[["x_px", "y_px"]].to_numpy().tolist() == [[99.4, 49.4], [0, 0]]


def test_other_names_and_tiles(tmp_path):
    path = write(tmp_path, "im7.jpg\t10\t20\tmartensite", header="file\tx_px\ty_px\tmajority")
    labels, _ = read(
        path,
        panorama="b",
        columns={"label": "majority", "tile": "file"},
        corners={"b": {"im7.jpg": (200, 100)}},
    )
    assert labels.iloc[0][["panorama", "x_px", "y_px", "label"]].tolist() == [
        "b",
        210,
        120,
        "martensite",
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a\t100\t10\tnotch", ["row 2, column 'x_px'", "outside panorama 'a'", "100 x 50"]),
        ("a\t10\t-3\tnotch", ["row 2, column 'y_px'", "outside"]),
        ("c\t10\t10\tnotch", ["column 'panorama'", "no panorama 'c'"]),
        ("a\t10\t10\tnotches", ["column 'label'", "'notches'", "Did you mean 'notch'?"]),
        ("a\t10\t10\tboundary", ["Did you mean 'shadowing'?"]),
        ("a\t\t10\tnotch", ["column 'x_px'", "empty"]),
        ("a\tten\t10\tnotch", ["column 'x_px'", "'ten' is not a number"]),
    ],
)
def test_refusals_name_the_cell(tmp_path, row, words):
    path = write(tmp_path, row)
    with pytest.raises(InputError) as error:
        read(path)
    assert all(word in str(error.value) for word in [str(path), *words])


def test_answers_of_several_annotators(tmp_path):
    header = f"{HEADER}\tada\tbo\tcy"
    rows = ("a\t1\t1\tnotch\tnotch\tinterface\tnotch", "a\t9\t9\tinclusion\tinclusion\tunclear\t")
    path = write(tmp_path, *rows, header=header)
    labels, _ = read(path, annotators=["ada", "bo", "cy"])
    assert labels["answers"].tolist() == ["notch|interface|notch", "inclusion||"]
    labels, _ = read(path)
    assert labels["answers"].tolist() == ["notch", "inclusion"]
    with pytest.raises(InputError, match="column 'dee' is missing"):
        read(path, annotators=["ada", "dee"])
    path = write(tmp_path, "a\t1\t1\tnotch\tnotch\tboundary\tnotch", header=header)
    with pytest.raises(
        InputError, match=r"row 2, column 'bo': unknown class 'boundary'.*shadowing"
    ):
        read(path, annotators=["ada", "bo", "cy"])


def test_unknown_tile(tmp_path):
    path = write(tmp_path, "im8.jpg\t1\t1\tnotch", header="file\tx_px\ty_px\tlabel")
    with pytest.raises(InputError, match=r"row 2, column 'file': 'im8\.jpg' is not a tile"):
        read(path, panorama="b", columns={"tile": "file"}, corners={"b": {"im7.jpg": (0, 0)}})


def test_missing_column(tmp_path):
    path = write(tmp_path, "a\t1\t1\tnotch", header="panorama\tx\ty_px\tlabel")
    with pytest.raises(InputError, match="column 'x_px' is missing"):
        read(path)


def test_too_few_labels_of_a_class():
    labels = pd.DataFrame({"label": [name for name in SITE_CLASSES for _ in range(3)]})
    require_enough(labels, folds=3)
    with pytest.raises(InputError, match="Class 'inclusion' has 3 labels; 4 folds need"):
        require_enough(labels, folds=4)
    with pytest.raises(InputError, match="Class 'notch' has 0 labels"):
        require_enough(labels[labels["label"] != "notch"], folds=2)


def candidate(site_id, x, y, size):
    return {
        "panorama": "a",
        "site_id": site_id,
        "x_px": x,
        "y_px": y,
        "fragments": 1,
        "area_px": size**2,
        "area_um2": size**2 * 0.0016,
        "equivalent_diameter_um": 1.0,
        "aspect_ratio": 1.0,
        "orientation_deg": 0.0,
        "convexity": 1.0,
        "left_px": x - size // 2,
        "top_px": y - size // 2,
        "width_px": size,
        "height_px": size,
        "mean_grey": 5.0,
        "minimum_grey": 1.0,
        "touches_border": False,
        "touches_mask": False,
    }


def label(x, y, name, annotator="one"):
    position = {"panorama": "a", "x_px": x, "y_px": y}
    return {**position, "label": name, "annotator": annotator, "answers": name}


def test_labels_are_tied_to_candidates():
    candidates = pd.DataFrame(
        [candidate(0, 20, 20, 8), candidate(1, 60, 20, 8), candidate(2, 80, 40, 8)]
    )
    labels = pd.DataFrame(
        [
            label(22, 21, "notch"),  # on candidate 0
            label(23, 21, "notch", "two"),  # says the same of candidate 0
            label(40, 20, "interface"),  # near none
            label(60, 20, "martensite"),  # on candidate 1 ...
            label(61, 20, "interface", "two"),  # ... and contradicted
            label(80, 40, "martensite"),  # on candidate 2 ...
            label(81, 40, "notch", "two"),
            label(79, 40, "notch", "three"),  # ... and outvoted
        ]
    )
    tied = attach_labels(labels, {"a": candidates}, tolerance_px={"a": 2})
    assert tied["site_id"].tolist() == [-1, 0, 2]
    assert tied["label"].tolist() == ["interface", "notch", "notch"]
    assert tied["answers"].tolist() == ["interface", "notch|notch", "martensite|notch|notch"]
    # A tied label is seen from the centre of its candidate, an untied one from where it was put.
    assert tied[["clip_x_px", "clip_y_px"]].to_numpy().tolist() == [
        [40, 20],
        [20, 20],
        [80, 40],
    ]


def test_labels_without_a_candidate_get_numbers_of_their_own_in_each_panorama():
    labels = [label(70, 50, "notch"), label(5, 60, "notch"), label(40, 20, "interface")]
    labels += [one | {"panorama": "b"} for one in labels[:2]]
    candidates = {name: pd.DataFrame([candidate(0, 20, 20, 8)]) for name in "ab"}
    tied = [
        attach_labels(pd.DataFrame(one), candidates, tolerance_px={"a": 2, "b": 2})
        for one in (labels, labels[::-1])
    ]
    assert tied[0]["site_id"].tolist() == [-1, -2, -3, -1, -2]
    assert tied[0]["y_px"].tolist() == [20, 50, 60, 50, 60]
    # The order of the rows of a file does not matter.
    pd.testing.assert_frame_equal(*tied)


def test_no_labels_give_an_empty_table():
    tied = attach_labels(empty_table(LABELS), {}, tolerance_px={})
    assert len(tied) == 0 and list(tied.columns) == list(LABELLED_SITES.columns)


def test_labels_come_from_files_tiles_frames_and_simulations(tmp_path):
    """One label each from an image, a tile of a grid, a stitched frame and a simulation."""
    for name in ("t0.png", "t1.png"):
        Image.fromarray(np.full((40, 60), 99, np.uint8)).save(tmp_path / name)
    (tmp_path / "grid.tsv").write_text("file\tcolumn\trow\nt0.png\t0\t0\nt1.png\t1\t0\n")
    frames = {column: [0] for column in FRAMES.columns} | {
        "file": ["f.png"],
        "placed_x_px": [30],
        "placed_y_px": [7],
        "placed_by": ["overlap"],
        "gain": [1.0],
    }
    write_tsv(pd.DataFrame(frames), tmp_path / "frames.tsv", FRAMES)
    image = write(tmp_path, "image\t23\t20\tnotch").rename(tmp_path / "image_labels.tsv")
    tiles = write(
        tmp_path,
        "grid\tt1.png\t5\t6\tmartensite",
        "stitched\tf.png\t5\t6\tinterface",
        header="panorama\tfile\tx_px\ty_px\tlabel",
    )
    names = ["image", "grid", "stitched", "steel"]
    found = pd.DataFrame([candidate(3, 20, 20, 4)]).assign(panorama="image")
    tied = collect_labels(
        [LabelSource(path=str(image)), LabelSource(path=str(tiles), columns={"tile": "file"})],
        [pd.DataFrame([label(11, 12, "shadowing")]).assign(panorama="steel")],
        checksums=[checksum(image), checksum(tiles)],
        records=[panorama_record(name, shape=(200, 200), pixel_size_nm=100) for name in names],
        candidates=[found, *[empty_table(CANDIDATES)] * 3],
        grids={"grid": (str(tmp_path / "grid.tsv"), None, {})},
        frames={"stitched": tmp_path / "frames.tsv"},
        tolerance="0.2 um",
    )
    places = tied.set_index("panorama")[["label", "clip_x_px", "clip_y_px"]].T.to_dict("list")
    assert places == {
        # 3 px beside the centre of a candidate of 4 px: within 2 px of its bounding box.
        "image": ["notch", 20, 20],
        "grid": ["martensite", 65, 6],
        "stitched": ["interface", 35, 13],
        "steel": ["shadowing", 11, 12],
    }
    assert (tied["site_id"] >= 0).tolist() == (tied["panorama"] == "image").tolist()


def test_a_label_file_that_changed_since_the_plan_is_not_read(tmp_path):
    path = write(tmp_path, "image\t5\t6\tnotch", header="panorama\tx_px\ty_px\tlabel")
    with pytest.raises(InputError, match="changed since the run was planned"):
        collect_labels(
            [LabelSource(path=str(path))],
            [],
            checksums=["of another content"],
            records=[panorama_record("image", shape=(200, 200), pixel_size_nm=100)],
            candidates=[empty_table(CANDIDATES)],
            grids={},
            frames={},
            tolerance="0.2 um",
        )


def test_tiles_of_one_name_in_two_folders_go_by_their_names_in_the_grid(tmp_path):
    for name, level in (("A/t.png", 50), ("B/t.png", 60), ("u.png", 70)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((30, 40), level, np.uint8)).save(path)
    grid = tmp_path / "grid.tsv"
    grid.write_text("file\tcolumn\trow\nA/t.png\t0\t0\nB/t.png\t1\t1\nu.png\t0\t1\n")
    corners = tile_corners(open_source(grid))
    assert corners == {"A/t.png": (0, 0), "B/t.png": (40, 30), "u.png": (0, 30)}
