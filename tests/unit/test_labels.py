"""Label files: positions, tiles, classes, and their tie to candidates."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_records import panorama_record
from PIL import Image

from damascene import InputError
from damascene.config.label_source import LabelSource
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.labels import GIVEN_ANSWERS, LABELLED_SITES
from damascene.contracts.sites import PREDICTIONS
from damascene.contracts.stitching import FRAMES
from damascene.contracts.table import empty_table, write_tsv
from damascene.evaluation.agreement import answer_table
from damascene.images.source_files import checksum
from damascene.images.sources import open_source
from damascene.labels.attach import attach_answers, places
from damascene.labels.collect import collect_labels, label_notes
from damascene.labels.counts import label_counts
from damascene.labels.read import read_answers
from damascene.labels.sites import label_sites
from damascene.labels.tiles import Tiles, grid_tiles
from damascene.labels.votes import choose_labels

HEADER = "panorama\tx_px\ty_px\tlabel"
SIZES = {"a": (100, 50), "b": (300, 200)}


def write(folder, *rows, header=HEADER):
    path = folder / "labels.tsv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def read(path, *, sizes=SIZES, tiles=None, **keys):
    source = LabelSource(path=str(path), **keys)
    return read_answers(source, sizes_px=sizes, tiles=tiles or {})


def test_positions_and_left_out_rows(tmp_path):
    labels, left_out = read(
        write(tmp_path, "a\t99.4\t49.4\tnotch", "b\t1\t2\t", "b\t0\t0\tinclusion")
    )
    assert left_out == 1
    assert labels["answer"].tolist() == ["notch", "inclusion"]
    assert labels[["x_px", "y_px"]].to_numpy().tolist() == [[99.4, 49.4], [0, 0]]


def test_other_names_and_tiles(tmp_path):
    path = write(tmp_path, "im7.jpg\t10\t20\tmartensite", header="file\tx_px\ty_px\tmajority")
    labels, _ = read(
        path,
        panorama="b",
        columns={"label": "majority", "tile": "file"},
        tiles={"b": Tiles([("im7.jpg", (200, 100, 99, 99))])},
    )
    assert labels.iloc[0][["panorama", "x_px", "y_px", "answer"]].tolist() == [
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


ROWS = [
    # The answers of ada, bo and cy to one place each.
    ("1\t1", "notch", "interface", "notch"),
    ("9\t9", "inclusion", "unclear", ""),
    ("40\t9", "notch", "interface", ""),
    ("60\t9", "", "", ""),
    ("80\t9", "martensite", "notch", "shadowing"),
]
PEOPLE = ["ada", "bo", "cy"]


def test_columns_of_annotators_and_rows_of_answers_are_the_same(tmp_path):
    columns = ["\t".join(["a", *row]) for row in ROWS]
    wide = write(tmp_path, *columns, header="panorama\tx_px\ty_px\tada\tbo\tcy")
    wide, left_out = read(wide, annotators=PEOPLE)
    assert left_out == 1
    assert wide["answer"].tolist() == [answer for _, *said in ROWS for answer in said if answer]
    rows = [
        f"a\t{xy}\t{answer}\t{name}"
        for xy, *said in ROWS
        for name, answer in zip(PEOPLE, said, strict=True)
    ]
    # In another order, too: one person has finished before the next begins.
    for ordered in (rows, sorted(rows, key=lambda row: row.rpartition("\t")[2])):
        path = write(tmp_path, *ordered, header=f"{HEADER}\tannotator")
        long, _ = read(path)
        tables = [
            attach_answers(each, {"a": empty_table(CANDIDATES)}, tolerance_px={"a": 2})
            for each in (wide, long)
        ]
        labels = [choose_labels(each, {"a": empty_table(CANDIDATES)}) for each in tables]
        pd.testing.assert_frame_equal(*labels)
        assert labels[0]["label"].tolist() == ["notch", "inclusion"]
        assert labels[0]["answers"].tolist() == ["notch|interface|notch", "inclusion"]
        pd.testing.assert_frame_equal(*(answer_table(each) for each in tables))


def test_answers_of_several_annotators_with_the_label_they_agreed_on(tmp_path):
    header = f"{HEADER}\tada\tbo\tcy"
    path = write(
        tmp_path,
        "a\t1\t1\tnotch\tnotch\tinterface\tnotch",
        "a\t9\t9\tinterface\tnotch\tinterface\t",
        "a\t30\t9\tshadowing\t\tunclear\t",
        header=header,
    )
    answers, _ = read(path, annotators=PEOPLE)
    tied = attach_answers(answers, {"a": empty_table(CANDIDATES)}, tolerance_px={"a": 2})
    labels = choose_labels(tied, {"a": empty_table(CANDIDATES)})
    assert labels["label"].tolist() == ["notch", "interface", "shadowing"]
    assert labels["annotator"].tolist() == ["ada|bo|cy", "ada|bo", ""]
    # Without the columns of the annotators, the label is one person's answer.
    answers, _ = read(path)
    assert answers["answer"].tolist() == ["notch", "interface", "shadowing"]
    with pytest.raises(InputError, match="column 'dee' is missing"):
        read(path, annotators=["ada", "dee"])
    wrong = (
        "a\t1\t1\tnotch\tnotch\tboundary\tnotch",
        "a\t1\t1\tmartensite\tnotch\tnotch\tnotch",
    )
    path = write(tmp_path, wrong[0], header=header)
    with pytest.raises(
        InputError, match=r"row 2, column 'bo': unknown class 'boundary'.*shadowing"
    ):
        read(path, annotators=PEOPLE)
    path = write(tmp_path, wrong[1], header=header)
    with pytest.raises(
        InputError, match=r"row 2, column 'label': 'martensite' is not what most annotators say"
    ):
        read(path, annotators=PEOPLE)


def test_a_file_has_columns_or_rows_of_annotators():
    with pytest.raises(ValueError, match="exclude each other"):
        LabelSource(path="a.tsv", annotators=["ada"], columns={"annotator": "who"})
    with pytest.raises(ValueError, match="ada is named twice"):
        LabelSource(path="a.tsv", annotators=["ada", "ada"])


@pytest.mark.parametrize(
    "keys",
    [
        {"columns": {"x_px": "x_px", "y_px": "x_px"}},
        {"columns": {"x_px": "y_px"}},
        {"columns": {"label": "x_px"}},
        {"columns": {"annotator": "label"}},
        {"columns": {"tile": "panorama"}},
        {"annotators": ["x_px"]},
        {"annotators": ["a"], "columns": {"time": "a"}},
    ],
)
def test_a_column_has_one_meaning(keys):
    with pytest.raises(ValueError, match="column of its own"):
        LabelSource(path="a.tsv", **keys)
    LabelSource(path="a.tsv", annotators=["label", "b"])
    LabelSource(path="a.tsv", columns={"x_px": "y_px", "y_px": "x_px"})
    LabelSource(path="a.tsv", panorama="a", columns={"tile": "panorama"})


def test_answers_come_in_the_order_of_their_times(tmp_path):
    path = write(
        tmp_path,
        "a\t1\t1\tnotch\t2026-03-01",
        "a\t2\t2\tinterface\t2026-02-01 10:00",
        "a\t3\t3\tmartensite\t2026-02-01 09:00",
        header=f"{HEADER}\tdate",
    )
    answers, _ = read(path, columns={"time": "date"})
    assert answers["answer"].tolist() == ["martensite", "interface", "notch"]
    assert answers["row"].tolist() == [4, 3, 2]
    with pytest.raises(InputError, match="row 2, column 'date': 'soon' is no time"):
        read(
            write(tmp_path, "a\t1\t1\tnotch\tsoon", header=f"{HEADER}\tdate"),
            columns={"time": "date"},
        )


def test_unknown_tile(tmp_path):
    path = write(tmp_path, "im8.jpg\t1\t1\tnotch", header="file\tx_px\ty_px\tlabel")
    with pytest.raises(InputError, match=r"row 2, column 'file': 'im8\.jpg' is not a tile"):
        read(
            path,
            panorama="b",
            columns={"tile": "file"},
            tiles={"b": Tiles([("im7.jpg", (0, 0, 9, 9))])},
        )


def test_missing_column(tmp_path):
    path = write(tmp_path, "a\t1\t1\tnotch", header="panorama\tx\ty_px\tlabel")
    with pytest.raises(InputError, match="column 'x_px' is missing"):
        read(path)


GRID = Tiles(
    [("A/t.png", (0, 0, 40, 30)), ("B/t.png", (40, 30, 40, 30)), ("u.png", (0, 30, 40, 30))]
)
IN_TILES = ("u.png\t5\t6\tnotch", "A/t.png\t5\t6\tnotch", "B/t.png\t9\t6\tnotch")


def test_positions_count_from_tiles_only_where_the_configuration_says_so(tmp_path):
    header = "file\tx_px\ty_px\tlabel"
    path = write(tmp_path, *IN_TILES, header=header)
    keys = {"panorama": "a", "sizes": {"a": (80, 60)}, "tiles": {"a": GRID}}
    labels, _ = read(path, columns={"tile": "file"}, **keys)
    assert labels[["x_px", "y_px"]].to_numpy().tolist() == [[5, 36], [5, 6], [49, 36]]
    # 2 of the 3 are not in the tile beside them.
    with pytest.raises(InputError, match=r"2 of 3 labels.*write columns: \{tile: file\}"):
        read(path, **keys)
    # Positions of the panorama beside the tile in which they lie are no reason to stop.
    rows = ("u.png\t5\t36\tnotch", "A/t.png\t5\t6\tnotch", "B/t.png\t49\t36\tnotch")
    path = write(tmp_path, *rows, header=header)
    labels, _ = read(path, **keys)
    assert labels[["x_px", "y_px"]].to_numpy().tolist() == [[5, 36], [5, 6], [49, 36]]
    # They do not count from the tile.
    with pytest.raises(InputError, match=r"49 px lies outside tile 'B/t\.png' \(40 x 30 px\)"):
        read(path, columns={"tile": "file"}, **keys)


def test_a_name_of_two_tiles_is_refused_with_both(tmp_path):
    path = write(tmp_path, "t.png\t5\t6\tnotch", header="file\tx_px\ty_px\tlabel")
    keys = {"panorama": "a", "sizes": {"a": (80, 60)}, "tiles": {"a": GRID}}
    with pytest.raises(InputError, match=r"row 2, column 'file': 't.png' may be A/t.png or B/t"):
        read(path, columns={"tile": "file"}, **keys)
    assert GRID.find("A\\t.png") == (0, 0, 40, 30) and GRID.find("./u.png") == (0, 30, 40, 30)
    assert GRID.find("C/t.png") is None and GRID.find("") is None


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


def answer(x, y, name, annotator="one", **others):
    """Return an answer as a file gives it."""
    given = {"panorama": "a", "x_px": x, "y_px": y, "annotator": annotator, "answer": name}
    return given | {"agreed": "", "tile": "", "file": "labels.tsv", "row": 2} | others


def tie(answers, candidates, tolerance=2):
    """Return the answers tied to sites, and the labels."""
    found = {name: candidates.assign(panorama=name) for name in "ab"}
    tied = attach_answers(pd.DataFrame(answers), found, tolerance_px=dict.fromkeys("ab", tolerance))
    return tied, choose_labels(tied, found)


THREE = pd.DataFrame([candidate(0, 20, 20, 8), candidate(1, 60, 20, 8), candidate(2, 80, 40, 8)])


def test_labels_are_tied_to_candidates():
    answers = [
        answer(22, 21, "notch"),  # on candidate 0
        answer(23, 21, "notch", "two"),  # says the same of candidate 0
        answer(40, 20, "interface"),  # near none
        answer(60, 20, "martensite"),  # on candidate 1 ...
        answer(61, 20, "interface", "two"),  # ... and contradicted
        answer(80, 40, "martensite"),  # on candidate 2 ...
        answer(81, 40, "notch", "two"),
        answer(79, 40, "notch", "three"),  # ... and outvoted
    ]
    tied, labels = tie(answers, THREE)
    assert tied["site_id"].tolist() == [0, 0, -1, 1, 1, 2, 2, 2] and tied["counts"].all()
    assert labels["site_id"].tolist() == [-1, 0, 2]
    assert labels["label"].tolist() == ["interface", "notch", "notch"]
    assert labels["annotator"].tolist() == ["one", "one|two", "one|three|two"]
    assert labels["answers"].tolist() == ["interface", "notch|notch", "martensite|notch|notch"]
    # A tied label is seen from the centre of its candidate, an untied one from where it was put.
    assert labels[["clip_x_px", "clip_y_px"]].to_numpy().tolist() == [
        [40, 20],
        [20, 20],
        [80, 40],
    ]


def test_the_last_answer_of_a_person_is_their_vote():
    first = answer(20, 20, "notch", "")
    # A second file contradicts the first: it corrects it, whoever wrote both.
    tied, labels = tie([first, answer(21, 20, "interface", "", file="new.tsv")], THREE)
    assert labels["label"].tolist() == ["interface"] and tied["counts"].tolist() == [False, True]
    # Another person does not: one against one is no majority, and a third decides.
    both = [first, answer(21, 20, "interface", "bo")]
    assert len(tie(both, THREE)[1]) == 0
    assert tie([*both, answer(20, 19, "notch", "cy")], THREE)[1]["label"].tolist() == ["notch"]
    # Who cannot tell any more has no vote.
    assert len(tie([first, answer(20, 20, "unclear", "")], THREE)[1]) == 0
    # bo changes from one side to the other.
    changed = [*both, answer(20, 19, "notch", "bo")]
    _, labels = tie(changed, THREE)
    assert labels["label"].tolist() == ["notch"] and labels["answers"].tolist() == ["notch|notch"]


def test_one_person_is_written_in_one_way():
    with pytest.raises(InputError, match=r"row \d+: annotator 'anna' and 'Anna' \(.*differ by cap"):
        tie([answer(20, 20, "notch", "Anna"), answer(20, 20, "interface", "anna")], THREE)


def test_one_answer_is_of_one_person():
    with pytest.raises(InputError, match=r"row 2: annotator 'ada\|bo' has a '\|'"):
        tie([answer(20, 20, "notch", "ada|bo")], THREE)


def test_names_of_annotators_are_read_in_one_spelling(tmp_path):
    header = "x_px\ty_px\tlabel\tannotator"
    names = ["J\xf6rg", "Jo\u0308rg", "A B", "A\xa0 B"]
    path = write(tmp_path, *(f"1\t1\tnotch\t{name}" for name in names), header=header)
    answers, _ = read(path, panorama="a")
    assert answers["annotator"].tolist() == ["J\xf6rg", "J\xf6rg", "A B", "A B"]
    path = write(tmp_path, "1\t1\tnotch", header="x_px\ty_px\tJo\u0308rg")
    answers, _ = read(path, panorama="a", annotators=["J\xf6rg"])
    assert answers["annotator"].tolist() == ["J\xf6rg"]


def test_each_problem_is_told_once_and_positions_are_exchanged_only_if_they_are(tmp_path):
    with pytest.raises(InputError) as error:
        read(write(tmp_path, "a\t10\t10\tnotches"))
    assert str(error.value).count("unknown class") == 1
    timed = write(tmp_path, "a\t10\t10\tnotch\tlater", header=f"{HEADER}\ttime")
    with pytest.raises(InputError) as error:
        read(timed, columns={"time": "time"})
    assert "no time" in str(error.value) and "exchanged" not in str(error.value)
    with pytest.raises(InputError, match="inside with x and y exchanged"):
        read(write(tmp_path, "a\t10\t60\tnotch"))


def test_what_annotators_agreed_on_decides_where_votes_do_not():
    split = [answer(20, 20, "notch", "ada", agreed="interface")]
    split.append(answer(20, 20, "interface", "bo", agreed="interface"))
    assert tie(split, THREE)[1]["label"].tolist() == ["interface"]
    # A later correction counts again.
    later = [*split, answer(20, 20, "notch", "bo", file="new.tsv")]
    assert tie(later, THREE)[1]["label"].tolist() == ["notch"]


def test_labels_without_a_candidate_get_numbers_of_their_own_in_each_panorama():
    answers = [answer(70, 50, "notch"), answer(5, 60, "notch"), answer(40, 30, "interface")]
    answers += [one | {"panorama": "b"} for one in answers[:2]]
    one = THREE.head(1)
    labels = [tie(each, one)[1] for each in (answers, answers[::-1])]
    assert labels[0]["site_id"].tolist() == [-1, -2, -3, -1, -2]
    assert labels[0]["y_px"].tolist() == [30, 50, 60, 50, 60]
    # The order of the rows of a file does not matter.
    pd.testing.assert_frame_equal(*labels)


def test_three_labels_at_one_place_are_one_truth():
    answers = [
        answer(100.0, 100.0, "notch", "ada"),
        answer(101.0, 100.0, "notch", "bo"),
        answer(100.5, 101.0, "interface", "cy"),
        answer(103.5, 100.0, "martensite", "ada"),  # another place
    ]
    for order in itertools.permutations(answers):
        tied, labels = tie(order, THREE)
        assert sorted(tied["site_id"]) == [-2, -2, -2, -1] or sorted(tied["site_id"]) == [
            -2,
            -1,
            -1,
            -1,
        ]
        assert labels["label"].tolist() == ["martensite", "notch"]
        assert labels["clip_x_px"].tolist() == [103.5, 100.5]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=40),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_places_are_as_wide_as_the_tolerance_whatever_the_order(points, random):
    points = np.array(points, float) / 4
    found = places(points, tolerance_px=2)
    for one in range(found.max() + 1):
        members = points[found == one]
        apart = np.linalg.norm(members[:, None] - members, axis=-1)
        assert len(members) and apart.max() <= 2
    # Two places could not be one: some of their points are further apart.
    for one, other in itertools.combinations(range(found.max() + 1), 2):
        apart = np.linalg.norm(points[found == one][:, None] - points[found == other], axis=-1)
        assert apart.max() > 2
    order = list(range(len(points)))
    random.shuffle(order)
    assert (places(points[order], tolerance_px=2) == found[order]).all()


def test_no_labels_give_an_empty_table():
    tied, labels = tie(empty_table(GIVEN_ANSWERS), THREE)
    assert len(tied) == 0 and len(labels) == 0
    assert list(labels.columns) == list(LABELLED_SITES.columns)


def test_a_label_names_its_site_and_no_other():
    predictions = (
        empty_table(PREDICTIONS)
        .reindex(range(3))
        .assign(
            **{name: THREE[name] for name in THREE},
            predicted_class=["notch", "not_classified", "martensite"],
            prediction_set="",
        )
    )
    _, labels = tie([answer(60, 20, "inclusion"), answer(40, 20, "interface")], THREE)
    labels = labels[labels["panorama"] == "a"]
    sites = label_sites(predictions, labels)
    assert sites["label"].tolist() == ["", "inclusion", ""]
    assert sites["class"].tolist() == ["notch", "inclusion", "martensite"]
    assert sites["predicted_class"].tolist() == ["notch", "not_classified", "martensite"]
    other = label_sites(predictions, labels.assign(panorama="b"))
    assert (other["label"] == "").all() and (other["class"] == other["predicted_class"]).all()


def test_labels_come_from_files_tiles_frames_and_simulations(tmp_path):
    """One label each from an image, a tile of a grid, a stitched frame and a simulation."""
    for name in ("t0.png", "t1.png"):
        Image.fromarray(np.full((40, 60), 99, np.uint8)).save(tmp_path / name)
    (tmp_path / "grid.tsv").write_text("file\tcolumn\trow\nt0.png\t0\t0\nt1.png\t1\t0\n")
    frames = {column: [0] for column in FRAMES.columns} | {
        "file": ["f.png"],
        "placed_x_px": [30],
        "placed_y_px": [7],
        "width_px": [60],
        "height_px": [40],
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
    collected = collect_labels(
        [LabelSource(path=str(image)), LabelSource(path=str(tiles), columns={"tile": "file"})],
        [
            pd.DataFrame(
                {"panorama": ["steel"], "x_px": [11.0], "y_px": [12.0]}
                | {"label": ["shadowing"], "annotator": ["simulation_truth"]}
            )
        ],
        checksums=[checksum(image), checksum(tiles)],
        records=[panorama_record(name, shape=(200, 200), pixel_size_nm=100) for name in names],
        candidates=[found, *[empty_table(CANDIDATES)] * 3],
        grids={"grid": (str(tmp_path / "grid.tsv"), None, {})},
        frames={"stitched": tmp_path / "frames.tsv"},
        tolerance="0.2 um",
    )
    answers, tied, where = collected.answers, collected.labels, collected.positions
    places = tied.set_index("panorama")[["label", "clip_x_px", "clip_y_px"]].T.to_dict("list")
    assert places == {
        # 3 px beside the centre of a candidate of 4 px: within 2 px of its bounding box.
        "image": ["notch", 20, 20],
        "grid": ["martensite", 65, 6],
        "stitched": ["interface", 35, 13],
        "steel": ["shadowing", 11, 12],
    }
    assert (tied["site_id"] >= 0).tolist() == (tied["panorama"] == "image").tolist()
    assert answers["file"].tolist() == ["simulation", image.name, tiles.name, tiles.name]
    assert answers["order"].tolist() == [0, 1, 2, 3]
    # Labels that were drawn from the truth need no check.
    assert where["panorama"].tolist() == ["image", "grid", "stitched"]
    assert where["on_no_candidate"].tolist() == [0, 1, 1]
    assert label_notes(collected) == []
    line = label_counts(answers, tied).line()
    assert line == (
        "Labels: 4 answers, 1 of them by the simulation, on 4 sites. 4 labelled sites, used to "
        "train and test; 1 of them is a candidate and counts with its label."
    )
    answers.loc[0, "site_id"] = 99
    counts = label_counts(answers, tied[:3])
    assert (counts.answered, counts.labelled, counts.contradicting, counts.unclear) == (4, 3, 1, 0)
    answers.loc[1, "answer"] = "unclear"
    counts = label_counts(answers, tied[1:])
    assert (counts.contradicting, counts.unclear) == (0, 1)
    # Each site without a label is counted once.
    line = label_counts(answers, tied[2:]).line(only_correct=True)
    assert line.endswith(
        "Answered sites without a label: on 1 people contradict each other and nobody has decided; "
        "on 1 all last answers are 'unclear'."
    )
    assert "labelled sites, not used to train or test yet; " in line


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
    tiles = grid_tiles(open_source(grid))
    assert tiles.find("A/t.png") == (0, 0, 40, 30) and tiles.find("B/t.png") == (40, 30, 40, 30)
    assert tiles.find("u.png") == (0, 30, 40, 30)
