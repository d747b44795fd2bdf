"""Labels that come back from a review: the folder of labels, outlines, orphans, contradictions."""

import numpy as np
import pandas as pd
import pytest
from made_records import panorama_record
from test_labels import candidate, tie

from damascene import InputError
from damascene.classes import ANSWER_LETTERS, SITE_CLASSES, UNCLEAR, class_named
from damascene.config.label_source import DroppedLabels, LabelSource, label_source
from damascene.config.study import Study, load_study
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.labels import KEPT
from damascene.contracts.review_labels import REVIEW_LABELS
from damascene.contracts.table import empty_table, write_tsv
from damascene.images.source_files import checksum
from damascene.images.store import write_tiled
from damascene.labels.collect import collect_labels, label_notes
from damascene.labels.dropped import author_named, in_order, read_source
from damascene.labels.outlines import box_overlap, find_again
from damascene.labels.tiles import Tiles
from damascene.study.check import check_study
from damascene.study.dropped import unread_notes, with_dropped_labels
from damascene.study.sheet import read_sheet

SIZES = {"a": (100, 50)}
IMAGES = {"a": (100, 50, 40.0)}
ROW = {
    "panorama": "a",
    "x_px": 20.0,
    "y_px": 20.0,
    "label": "notch",
    "annotator": "ada",
    "time": "2026-05-01T10:00:00Z",
    "site_id": 7,
    "left_px": 16,
    "top_px": 16,
    "width_px": 8,
    "height_px": 8,
    "model": "1a2b3c4d",
    "previous_label": "interface",
    "drawn_by": "random",
    "decides": "",
    "note": "",
}


def reviewed(path, *rows, **common):
    """Write a file as the gallery does."""
    table = pd.DataFrame([ROW | common | row for row in rows])
    write_tsv(table, path, REVIEW_LABELS)
    return path


def read(path, sizes=SIZES, images=IMAGES):
    return read_source(DroppedLabels(path=str(path)), sizes_px=sizes, tiles={}, images=images)


def collected(*paths, candidates, shape=(50, 100), masks=None):
    return collect_labels(
        [DroppedLabels(path=str(path)) for path in paths],
        [],
        checksums=[checksum(path) for path in paths],
        records=[panorama_record("a", shape=shape, pixel_size_nm=40)],
        candidates=[candidates.assign(panorama="a")],
        grids={},
        frames={},
        tolerance="80 nm",
        masks=masks,
    )


ON_ROW = pd.DataFrame([candidate(3, 20, 20, 8)])


def test_all_that_a_review_says_is_kept(tmp_path):
    note = "sharp <script>alert(\"x\")</script> edge, see 'b'"
    path = reviewed(tmp_path / "labels_ada.tsv", {"note": note, "decides": "yes"})
    answers, left_out, orphans = read(path)
    assert (len(answers), left_out, len(orphans)) == (1, 0, 0)
    kept = answers.iloc[0][list(KEPT)].to_dict()
    # As this person wrote it; what shows it must treat it as text.
    assert kept.pop("note") == note
    assert kept.pop("decides") is True or kept == {}
    assert kept == {
        "time": "2026-05-01T10:00:00.000Z",
        "given_site_id": 7,
        "left_px": 16,
        "top_px": 16,
        "width_px": 8,
        "height_px": 8,
        "model": "1a2b3c4d",
        "previous_label": "interface",
        "drawn_by": "random",
    }
    # The same file under `labels:` says the same.
    listed, *_ = read_source(LabelSource(path=str(path)), sizes_px=SIZES, tiles={}, images=IMAGES)
    pd.testing.assert_frame_equal(listed, answers)


def test_other_columns_of_a_listed_file_mean_what_they_like(tmp_path):
    path = tmp_path / "labels.tsv"
    path.write_text("panorama\tx_px\ty_px\tlabel\ttime\tleft_px\na\t1\t2\tnotch\tmonday\tno\n")
    answers, *_ = read_source(LabelSource(path=str(path)), sizes_px=SIZES, tiles={}, images=IMAGES)
    assert answers["time"].tolist() == [""] and answers["left_px"].isna().all()
    with pytest.raises(InputError, match=r"'no' is not a number"):
        read(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"decides": "maybe"}, ["row 2, column 'decides'", "'maybe'"]),
        ({"width_px": 0}, ["row 2, column 'width_px'", "no size"]),
        ({"site_id": 1.5}, ["row 2, column 'site_id'", "no whole number"]),
        ({"site_id": 1e30}, ["row 2, column 'site_id'", "no whole number"]),
        ({"site_id": -4}, ["row 2, column 'site_id'", "no whole number"]),
        ({"time": "now"}, ["row 2, column 'time'", "is no time"]),
        ({"time": "2026"}, ["row 2, column 'time'", "is no time"]),
        ({"x_px": 60}, ["row 2, column 'x_px'", "60, 20 lies outside the box of its site"]),
        ({"y_px": 25.2}, ["row 2, column 'x_px'", "20, 25.2 lies outside the box"]),
        ({"pixel_size_nm": "40,5"}, ["row 2, column 'pixel_size_nm'", "is not a number"]),
        ({"pixel_size_nm": "-40"}, ["row 2, column 'pixel_size_nm'", "is not above 0"]),
        ({"image_width_px": "1 00"}, ["row 2, column 'image_width_px'", "is not a number"]),
        ({"time": "yesterday"}, ["row 2, column 'time'", "is no time"]),
        ({"label": "notches"}, ["row 2, column 'label'", "Did you mean 'notch'?"]),
    ],
)
def test_what_nobody_can_have_meant_is_refused_with_its_place(tmp_path, change, words):
    path = tmp_path / "labels.tsv"
    pd.DataFrame([ROW | change]).to_csv(path, sep="\t", index=False)
    with pytest.raises(InputError) as error:
        read(path)
    assert all(word in str(error.value) for word in [str(path), *words])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"panorama": "b"}, "there is no panorama 'b' in the sample sheet"),
        ({"image_width_px": 99, "image_height_px": 50}, "another image: labelled in 99 x 50 px"),
        ({"image_width_px": 99}, "another image: labelled in 99 x ? px"),
        ({"image_height_px": 51}, "another image: labelled in ? x 51 px"),
        ({"pixel_size_nm": 50}, "another image: labelled at 50 nm a pixel"),
        ({"x_px": 100}, "outside 'a'"),
    ],
)
def test_an_answer_without_a_place_stops_nothing_and_is_listed(tmp_path, change, reason):
    path = reviewed(tmp_path / "labels_ada.tsv", {}, change)
    answers, _, orphans = read(path)
    assert answers["row"].tolist() == [2] and orphans["row"].tolist() == [3]
    assert orphans["reason"][0].startswith(reason) and not orphans["learned_from"][0]
    # Nothing is lost: as many answers as rows.
    everything = collected(path, candidates=ON_ROW)
    assert len(everything.answers) + len(everything.orphans) == 2
    (note,) = label_notes(everything)
    assert note.startswith(f"1 answer of people belongs to no site: {reason}")


def test_a_corrected_pixel_size_and_the_same_image_are_no_other_image(tmp_path):
    told = {"image_width_px": 100, "image_height_px": 50, "pixel_size_nm": 40.5}
    answers, _, orphans = read(reviewed(tmp_path / "labels.tsv", told))
    assert len(answers) == 1 and orphans.empty


def test_a_listed_file_with_an_unknown_panorama_is_still_refused(tmp_path):
    path = reviewed(tmp_path / "labels.tsv", {"panorama": "b"})
    with pytest.raises(InputError, match="no panorama 'b'"):
        read_source(LabelSource(path=str(path)), sizes_px=SIZES, tiles={}, images=IMAGES)


def test_a_label_sheet_is_read_by_letters(tmp_path):
    classes = ANSWER_LETTERS
    assert set(classes.values()) == {*SITE_CLASSES, UNCLEAR}
    for letter, name in classes.items():
        assert class_named(letter) == class_named(letter.upper()) == class_named(name) == name
        assert class_named(name.capitalize()) == class_named(name.upper()) == name
    path = tmp_path / "sheet_bo.tsv"
    rows = [f"{n}\ta\t{n}\t{n}\t9\t{letter}" for n, letter in enumerate([*classes, ""])]
    path.write_text("\n".join(["number\tpanorama\tsite_id\tx_px\ty_px\tlabel", *rows]) + "\n")
    answers, left_out, _ = read(path)
    assert answers["answer"].tolist() == list(classes.values()) and left_out == 1
    assert set(answers["annotator"]) == {"bo"}
    assert answers["given_site_id"].tolist() == list(range(len(classes)))


@pytest.mark.parametrize(
    ("name", "author"),
    [
        ("labels_ada_20260501T1000.tsv", "ada"),
        ("labels_ada_2026-05-01T10-00-00Z.tsv", "ada"),
        ("label_sheet_Ada Byron (1).tsv", "Ada Byron"),
        ("sheet.tsv", ""),
        ("labels_20260501.tsv", ""),
        ("zoë.tsv", "zoë"),
    ],
)
def test_the_name_of_a_file_names_its_author(tmp_path, name, author):
    assert author_named(tmp_path / name) == author


def test_answers_count_by_time_whatever_the_names_of_files(tmp_path):
    later = {"time": "2026-05-02T00:30:00+02:00", "label": "interface"}
    first = reviewed(tmp_path / "b.tsv", {"time": "2026-05-01T23:00:00Z", "label": "martensite"})
    second = reviewed(tmp_path / "a.tsv", later)
    everything = collected(second, first, candidates=ON_ROW)
    # 00:30 in summer time is 22:30 in UTC.
    assert everything.answers["answer"].tolist() == ["interface", "martensite"]
    assert everything.labels["label"].tolist() == ["martensite"]
    # One person who changes their mind contradicts nobody.
    assert everything.contradictions.empty


def test_a_later_download_that_holds_the_earlier_one_counts_once(tmp_path):
    rows = [{}, {"x_px": 60, "left_px": 56, "time": "2026-05-01T10:01:00Z"}]
    paths = [
        reviewed(tmp_path / "one.tsv", rows[0]),
        reviewed(tmp_path / "two.tsv", rows[0], rows[1]),
    ]
    sources = [DroppedLabels(path=str(path)) for path in paths]
    answers = in_order(sources, [read(path)[0] for path in paths])
    assert answers["file"].tolist() == ["one.tsv", "two.tsv"]
    assert answers["x_px"].tolist() == [20, 60]


def test_a_copy_under_another_name_is_no_second_person(tmp_path):
    row = {"panorama": "a", "x_px": 20, "y_px": 20, "label": "N"}
    table = pd.DataFrame([row, row | {"x_px": 30, "label": "S"}])
    paths = [tmp_path / "sheet_ada.tsv", tmp_path / "sheet_ada copy.tsv"]
    table.to_csv(paths[0], sep="\t", index=False)
    # A spreadsheet sorted it and wrote what it writes.
    text = table[::-1].to_csv(sep="\t", index=False).replace("\n", "\r\n")
    paths[1].write_bytes(b"\xef\xbb\xbf" + text.encode())
    sources = [DroppedLabels(path=str(path)) for path in paths]

    def joined():
        return in_order(sources, [read(path)[0] for path in paths])

    with pytest.raises(InputError, match=r"sheet_ada copy.tsv holds the very answers of sheet_ada"):
        joined()
    # Two people who say who they are may agree.
    for path, name in zip(paths, ("ada", "bob"), strict=True):
        table.assign(annotator=name).to_csv(path, sep="\t", index=False)
    assert sorted(joined()["annotator"]) == ["ada", "ada", "bob", "bob"]
    # And one of them may say less.
    table[:1].to_csv(paths[1], sep="\t", index=False)
    assert sorted(joined()["annotator"]) == ["ada", "ada", "ada copy"]


def test_the_name_of_the_file_says_who_answered_where_a_cell_does_not(tmp_path):
    table = pd.DataFrame([{"panorama": "a", "x_px": 20, "y_px": 20, "label": "N", "annotator": ""}])
    rows = pd.concat([table, table.assign(annotator="bob"), table.assign(panorama="gone")])
    rows.to_csv(tmp_path / "sheet_ada.tsv", sep="\t", index=False)
    answers, _, orphans = read(tmp_path / "sheet_ada.tsv")
    assert answers["annotator"].tolist() == ["ada", "bob"]
    assert orphans["annotator"].tolist() == ["ada"]


def test_boxes_count_from_the_same_corner_as_positions(tmp_path):
    path = reviewed(tmp_path / "labels_ada.tsv", {})
    table = pd.read_csv(path, sep="\t").assign(tile="im10.jpg")
    table.to_csv(path, sep="\t", index=False)
    tiles = {"a": Tiles([("im00.jpg", (0, 0, 50, 50)), ("im10.jpg", (50, 0, 50, 50))])}
    source = DroppedLabels(path=str(path))
    answers, *_ = read_source(source, sizes_px=SIZES, tiles=tiles, images=IMAGES)
    assert answers[["x_px", "left_px", "y_px", "top_px"]].iloc[0].tolist() == [70, 66, 20, 16]


def test_files_of_the_folder_are_found_and_listed_ones_taken_once(tmp_path):
    folder = tmp_path / "config/labels"
    folder.mkdir(parents=True)
    for name in ("b.tsv", "a.TSV", ".c.tsv", "d.txt"):
        (folder / name).touch()
    (folder / "link.tsv").symlink_to(folder / "b.tsv")
    study = with_dropped_labels(Study(), folder=folder)
    assert [each.path.rpartition("/")[2] for each in study.labels] == ["a.TSV", "b.tsv"]
    for source in study.labels:
        again = label_source(source.path, source.model_dump(exclude={"path"}))
        assert again == source and isinstance(again, DroppedLabels)
    listed = Study(data_folder=str(tmp_path), labels=[{"path": "config/labels/b.tsv"}])
    found = with_dropped_labels(listed, folder=folder).labels
    assert [type(each) for each in found] == [LabelSource, DroppedLabels]
    assert with_dropped_labels(Study(), folder=tmp_path / "none") == Study()


def test_what_lies_in_the_folder_and_is_not_read_is_told(tmp_path):
    folder = tmp_path / "config/labels"
    (folder / "old").mkdir(parents=True)
    for name in ("a.tsv", "b.csv", ".c.tsv", "a.tsv~", ".~lock.a.tsv#", "listed.csv"):
        (folder / name).touch()
    listed = {"path": str(folder / "listed.csv"), "format": "csv", "delimiter": ";"}
    study = with_dropped_labels(Study(labels=[listed]), folder=folder)
    assert len(study.labels) == 2
    (note,) = unread_notes(study, folder=folder)
    assert "'b.csv', 'old/'. Only" in note
    whole = Study(labels=[{"path": str(folder), "format": "voc"}])
    assert unread_notes(whole, folder=folder) == []
    assert unread_notes(study, folder=tmp_path / "none") == []


def test_a_file_in_place_of_the_folder_and_a_name_that_is_no_text_are_refused(tmp_path):
    path = tmp_path / "labels"
    path.touch()
    with pytest.raises(InputError, match="is no folder"):
        with_dropped_labels(Study(), folder=path)
    listed = Study(labels=[{"path": str(path)}])
    assert with_dropped_labels(listed, folder=path) == listed
    path.unlink()
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is no folder"):
        with_dropped_labels(Study(), folder=path)
    path.unlink()
    path.mkdir()
    (path / b"ada\xff.tsv".decode(errors="surrogateescape")).touch()
    with pytest.raises(InputError, match=r"ada\?.tsv: the name of the file is no text"):
        with_dropped_labels(Study(), folder=path)


def test_boxes_overlap_by_the_pixels_they_share():
    box, others = np.array([2, 3, 4, 5]), np.array([[2, 3, 4, 5], [4, 3, 4, 5], [6, 3, 4, 5]])
    masks = np.zeros((4, 20, 20), bool)
    for mask, (left, top, width, height) in zip(masks, [box, *others], strict=True):
        mask[top : top + height, left : left + width] = True
    by_pixels = [(masks[0] & one).sum() / (masks[0] | one).sum() for one in masks[1:]]
    np.testing.assert_allclose(box_overlap(box, others), by_pixels)


def found(candidates, **change):
    answers = pd.DataFrame([ROW | change])
    site_id, how = find_again(answers, candidates, tolerance_px=2)
    return int(site_id[0]), how[0]


def test_a_site_is_found_again_by_its_outline_and_then_by_its_distance():
    grown = pd.DataFrame([candidate(0, 21, 20, 14), candidate(1, 60, 20, 8)])
    assert found(grown) == (0, "outline")
    # The centre that was reviewed lies in the box of a long crack, the site itself is gone.
    crack = pd.DataFrame([candidate(5, 40, 40, 80)])
    assert found(crack) == (-1, "part of a larger candidate")
    moved = pd.DataFrame([candidate(2, 21, 21, 1)])
    assert found(moved, left_px=18, top_px=18, width_px=2, height_px=2) == (2, "position")
    assert found(pd.DataFrame([candidate(1, 60, 20, 8)])) == (-1, "no candidate")
    assert found(empty_table(CANDIDATES)) == (-1, "no candidate")


def test_a_site_that_became_two_belongs_to_the_half_that_holds_it_or_to_none():
    halves = pd.DataFrame([candidate(0, 18, 18, 4), candidate(1, 22, 22, 4)])
    assert found(halves, x_px=18, y_px=18) == (0, "outline")
    assert found(halves, x_px=22.4, y_px=22) == (1, "outline")
    assert found(halves, x_px=22, y_px=18) == (-1, "two candidates")


def test_no_label_is_lost_whatever_the_detection_finds(tmp_path):
    places = [(10, 10), (30, 10), (50, 10), (70, 10), (90, 10)]
    rows = [
        {"x_px": x, "y_px": y, "left_px": x - 4, "top_px": y - 4, "time": f"2026-05-01T10:0{n}Z"}
        for n, (x, y) in enumerate(places)
    ]
    path = reviewed(tmp_path / "labels.tsv", *rows)
    now = pd.DataFrame([candidate(9, 11, 10, 8), candidate(4, 69, 11, 6)])
    mask = tmp_path / "mask.tif"
    valid = np.tile(np.where(np.arange(100) < 80, 255, 0).astype(np.uint8), (50, 1))
    write_tiled(mask, [valid], shape=valid.shape, pixel_size_nm=40, name="a", pyramid=False)
    everything = collected(path, candidates=now, masks={"a": mask})
    tied = everything.answers.set_index("x_px")["site_id"]
    assert tied[10] == 9 and tied[70] == 4 and (tied[[30, 50, 90]] < 0).all()
    reasons = everything.orphans.set_index("x_px")["reason"].to_dict()
    assert reasons == {
        30: "no candidate",
        50: "no candidate",
        90: "outside the valid area",
    }
    # Each is still a label at its own place, and counted as such.
    assert len(everything.labels) == 5 and everything.orphans["learned_from"].all()
    # Three quarters that miss stop a file whose positions may be wrong; these cannot be.
    nothing = collected(path, candidates=pd.DataFrame([candidate(0, 11, 40, 4)]))
    assert len(nothing.orphans) == 5


def test_an_answer_that_decides_beats_votes_and_the_last_one_counts():
    def said(name, annotator, decides=False, x=20):
        given = {"panorama": "a", "x_px": x, "y_px": 20, "annotator": annotator, "answer": name}
        return given | {"agreed": "", "tile": "", "file": "f", "row": 2, "decides": decides}

    two = [said("notch", "ada"), said("notch", "bo")]
    for deciding, label in (
        ([said("interface", "cy", True)], ["interface"]),
        ([said("interface", "cy", True), said("martensite", "ada", True)], ["martensite"]),
        ([said("interface", "cy", True), said("notch", "dee")], ["interface"]),
        ([said("unclear", "cy", True)], []),
    ):
        _, labels = tie([*two, *deciding], ON_ROW)
        assert labels["label"].tolist() == label
        if label:
            # Networks learn what was decided, not the votes.
            assert labels["answers"].tolist() == label


def test_contradictions_are_listed_with_how_they_were_decided(tmp_path):
    sites = pd.DataFrame([candidate(n, 10 + 16 * n, 20, 8) for n in range(5)])

    def on(site, label, annotator, minute, **more):
        x = 10 + 16 * site
        place = {"x_px": x, "left_px": x - 4, "label": label, "annotator": annotator}
        return place | {"time": f"2026-05-01T10:{minute:02d}Z"} | more

    path = reviewed(
        tmp_path / "labels.tsv",
        *(on(0, "notch", "ada", 1), on(0, "interface", "bo", 2)),
        *(on(1, "notch", "ada", 3), on(1, "notch", "bo", 4), on(1, "interface", "cy", 5)),
        *(on(2, "notch", "ada", 6), on(2, "interface", "bo", 7)),
        on(2, "interface", "ada", 8, decides="yes"),
        *(on(3, "notch", "ada", 9), on(3, "unclear", "bo", 10)),
        # Two sites once, which are one now.
        on(4, "notch", "ada", 11, left_px=70, width_px=4),
        on(4, "martensite", "ada", 12, left_px=74, width_px=4),
    )
    everything = collected(path, candidates=sites)
    table = everything.contradictions.set_index("site_id")
    settled = on(0, "unclear", "cy", 20, decides="yes")
    settled = collected(path, reviewed(tmp_path / "cy.tsv", settled), candidates=sites)
    assert settled.contradictions["decided"][0] == "adjudicated"
    assert settled.contradictions["label"][0] == ""
    assert table["decided"].to_dict() == {
        0: "undecided",
        1: "majority",
        2: "adjudicated",
        4: "last word",
    }
    assert table["label"].to_dict() == {0: "", 1: "notch", 2: "interface", 4: "martensite"}
    assert table["annotators"][2] == "ada|bo|ada"
    assert table["answers"][2] == "notch|interface|interface"
    assert table["times"][0] == "2026-05-01T10:01:00.000Z|2026-05-01T10:02:00.000Z"
    notes = label_notes(everything)
    assert any(note.startswith("4 sites are called by different classes") for note in notes)


def test_labels_that_were_not_drawn_by_chance_are_told(tmp_path):
    sites = pd.DataFrame([candidate(n, 20 * n, 20, 8) for n in (1, 2, 3)])
    places = [{"site_id": n, "x_px": 20.0 * n, "left_px": 20 * n - 4} for n in (1, 2, 3)]
    kinds = ("random", "set", "")
    rows = [place | {"drawn_by": kind} for place, kind in zip(places, kinds, strict=True)]
    path = reviewed(tmp_path / "labels_ada.tsv", *rows)
    everything = collected(path, candidates=sites)
    assert len(everything.labels) == 3
    (note,) = label_notes(everything)
    assert note.startswith("Of 3 labelled sites 1 was not drawn at random")
    # Nothing is learned from them, nor tested with them.
    assert label_notes(everything, only_correct=True) == []


def test_soft_labels_have_an_effect_with_files_of_the_folder_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sheet = tmp_path / "config/panoramas.tsv"
    (tmp_path / "config/labels").mkdir(parents=True)
    header = "panorama\tpath\tpixel_size_nm\tstrain_percent"
    sheet.write_text(f"{header}\na\tsimulated\t40\t6\n")
    study = load_study({"training": {"soft_labels": False}})
    table = read_sheet(sheet).set_index("panorama", drop=False)
    with pytest.raises(InputError, match="has no effect in a study without label files"):
        check_study(study, table)
    reviewed(tmp_path / "config/labels/labels_ada.tsv", {}, {"panorama": "b"})
    told = check_study(with_dropped_labels(study), table)
    assert told[1].startswith(
        "Label files: 1 answer, beside those of the simulation, 1 labelled site (0 inclusion"
    )
    assert told[2].startswith("Left aside: 1 answer, listed in")
    assert told[2].endswith("there is no panorama 'b' in the sample sheet (1).")
    ahead = (pd.Timestamp.now("UTC") + pd.Timedelta("3 days")).isoformat()
    reviewed(tmp_path / "config/labels/labels_bob.tsv", {}, {"time": ahead})
    with pytest.raises(InputError, match=r"labels_bob.tsv, row 3: the time .* in the future"):
        check_study(with_dropped_labels(study), table)
