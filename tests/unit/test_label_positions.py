"""Labels that miss the candidates: which reading of the positions would fit, and when to stop."""

import numpy as np
import pandas as pd
import pytest
from made_records import panorama_record

from damascene import InputError
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.labels import GIVEN_ANSWERS
from damascene.contracts.table import empty_table
from damascene.labels.positions import (
    Target,
    check_positions,
    correction_notes,
    position_notes,
)
from damascene.labels.tiles import Tiles

WIDTH, HEIGHT, NM = 4000, 3000, 40
TOLERANCE_PX = 10
RNG = np.random.default_rng(4)


def candidates(count, *, panorama="a", seed=0, size=(WIDTH, HEIGHT)):
    """Return candidates of 10 to 30 px at random places."""
    rng = np.random.default_rng(seed)
    edge = rng.integers(10, 30, count)
    left, top = (rng.integers(0, extent - 30, count) for extent in size)
    table = pd.DataFrame({"site_id": np.arange(count), "left_px": left, "top_px": top})
    return table.assign(
        panorama=panorama,
        width_px=edge,
        height_px=edge,
        x_px=left + (edge - 1) / 2,
        y_px=top + (edge - 1) / 2,
    )


def labels(points, *, panorama="a", tile="", file="labels.tsv"):
    table = pd.DataFrame(np.asarray(points, float), columns=["x_px", "y_px"])
    return table.assign(panorama=panorama, tile=tile, file=file)


def honest(found, count=92, *, missing=3, seed=1):
    """Return labels on candidates, a few pixels off their centres; the first few on none."""
    rng = np.random.default_rng(seed)
    chosen = found.iloc[rng.permutation(len(found))[:count]]
    points = chosen[["x_px", "y_px"]].to_numpy() + rng.uniform(-4, 4, (count, 2))
    points[:missing] = rng.uniform(0, 1, (missing, 2)) * [WIDTH, HEIGHT]
    return points


def check(table, found, *, tiles=None):
    names = list(found)
    return check_positions(
        table,
        found,
        [panorama_record(name, shape=(HEIGHT, WIDTH), pixel_size_nm=NM) for name in names],
        tiles=tiles or {},
        tolerance_px=dict.fromkeys(names, TOLERANCE_PX),
    )


SPARSE, DENSE = candidates(400), candidates(1500, seed=2)
WRONG = {
    "with x and y exchanged": lambda xy: xy[:, ::-1],
    "with y counted upwards": lambda xy: np.c_[xy[:, 0], HEIGHT - 1 - xy[:, 1]],
    "with x counted from the right": lambda xy: np.c_[WIDTH - 1 - xy[:, 0], xy[:, 1]],
    "in micrometres": lambda xy: xy * NM / 1000,
    "in micrometres and with y counted upwards": lambda xy: (
        np.c_[xy[:, 0], HEIGHT - 1 - xy[:, 1]] * NM / 1000
    ),
    "in an image of half as many pixels along each edge": lambda xy: xy / 2,
    "in an image of twice as many pixels along each edge": lambda xy: xy[xy.max(1) < 1500] * 2,
    "in a view turned by a quarter to the left": lambda xy: np.c_[xy[:, 1], WIDTH - 1 - xy[:, 0]],
}


@pytest.mark.parametrize("found", [SPARSE, DENSE], ids=["sparse", "dense"])
@pytest.mark.parametrize("words", WRONG)
def test_a_reading_that_fits_is_told(found, words):
    points = WRONG[words](honest(found))
    with pytest.raises(InputError) as error:
        check(labels(points), {"a": found})
    assert f" of {len(points)} labels of panorama 'a'" in str(error.value)
    assert f"fit {words}." in str(error.value)


@pytest.mark.parametrize("found", [SPARSE, DENSE], ids=["sparse", "dense"])
def test_honest_labels_pass_and_are_counted(found):
    table = check(labels(honest(found)), {"a": found})
    chance = Target(
        found,
        panorama_record("a", shape=(HEIGHT, WIDTH), pixel_size_nm=NM),
        tolerance_px=TOLERANCE_PX,
    ).chance
    # The share by chance, by an image of the boxes.
    covered = np.zeros((HEIGHT, WIDTH), bool)
    for box in found.itertuples():
        covered[
            max(box.top_px - TOLERANCE_PX, 0) : box.top_px + box.height_px + TOLERANCE_PX,
            max(box.left_px - TOLERANCE_PX, 0) : box.left_px + box.width_px + TOLERANCE_PX,
        ] = True
    assert chance == pytest.approx(covered.mean(), abs=0.01)
    row = table.iloc[0]
    assert row["labels"] == 92 and row["on_no_candidate"] <= 3
    assert row["share_by_chance"] == pytest.approx(1 - chance)
    assert position_notes(table) == []


def test_labels_at_random_stop_the_study_and_ask_for_tiles():
    points = RNG.uniform(0, 1, (60, 2)) * [WIDTH, HEIGHT]
    with pytest.raises(InputError, match="lie on no candidate; of positions at random") as error:
        check(labels(points), {"a": SPARSE})
    assert "`tile`" not in str(error.value)
    tiles = {"a": Tiles([("t0.png", (0, 0, 2000, 3000)), ("t1.png", (2000, 0, 2000, 3000))])}
    with pytest.raises(InputError, match="Is `tile` missing from `columns`"):
        check(labels(points), {"a": SPARSE}, tiles=tiles)


def test_a_detection_that_finds_less_than_was_labelled_is_told_and_stops_nothing():
    points = honest(SPARSE, count=90, missing=0)
    # Every second site is too small for this study.
    some = SPARSE[SPARSE["site_id"] % 2 == 0]
    table = check(labels(points), {"a": some})
    assert 0.3 < table["share"][0] < 0.7
    (note,) = position_notes(table)
    assert note.startswith(f"a: {table['on_no_candidate'][0]} of 90 labels of labels.tsv lie on no")


def test_a_few_labels_are_no_proof():
    points = RNG.uniform(0, 1, (4, 2)) * [WIDTH, HEIGHT]
    empty = {"a": empty_table(CANDIDATES)}
    table = check(labels(points), empty)
    assert table["on_no_candidate"].tolist() == [4] and len(position_notes(table)) == 1
    with pytest.raises(InputError, match="5 of 5 labels"):
        check(labels(np.vstack([points, [[9, 9]]])), empty)
    # Three that fit with x and y exchanged are.
    exchanged = honest(SPARSE.head(100), count=3, missing=0)[:, ::-1]
    with pytest.raises(InputError, match="3 of these fit with x and y exchanged"):
        check(labels(exchanged), {"a": SPARSE.head(100)})


def test_every_label_that_corrects_nothing_is_told():
    points = honest(SPARSE, count=8, missing=1)
    table = check(labels(points), {"a": SPARSE})
    assert position_notes(table) == []
    answers = labels(points).assign(row=np.arange(2, 10), site_id=np.where(points[:, 0] < 0, 0, 1))
    answers.loc[0, "site_id"] = -1
    (note,) = correction_notes(answers, table)
    assert note.startswith("a: 1 of 8 labels of labels.tsv (row 2) lie on no candidate and correct")
    assert correction_notes(answers, check(labels(points[1:]), {"a": SPARSE})) == []


def test_a_part_of_a_file_is_read_in_another_way():
    points = honest(SPARSE, missing=0)
    points[:30] = points[:30, ::-1]
    with pytest.raises(InputError, match="fit with x and y exchanged"):
        check(labels(points), {"a": SPARSE})


def test_positions_in_tiles_are_turned_within_the_tiles():
    edge = 1000
    names = {f"t{x}{y}.png": (x * edge, y * edge, edge, edge) for x in range(4) for y in range(3)}
    tiles = {"a": Tiles(names.items())}
    points = honest(SPARSE, missing=0)
    corner = points // edge * edge
    tile = [f"t{x:.0f}{y:.0f}.png" for x, y in corner / edge]
    exchanged = corner + (points - corner)[:, ::-1]
    with pytest.raises(InputError, match="fit with x and y exchanged"):
        check(labels(exchanged, tile=tile), {"a": SPARSE}, tiles=tiles)
    assert check(labels(points, tile=tile), {"a": SPARSE}, tiles=tiles)["share"][0] < 0.05


def test_labels_of_another_panorama_are_told():
    found = {"a": SPARSE, "b": candidates(400, panorama="b", seed=9)}
    both = [labels(honest(found["b"], missing=0)), labels(honest(found["a"]), panorama="b")]
    with pytest.raises(InputError, match=r"92 labels of panorama 'a'.* fit in panorama 'b'"):
        check(pd.concat(both), found)


def test_positions_that_count_once_however_many_people_answered():
    points = honest(SPARSE)
    table = check(pd.concat([labels(points)] * 3), {"a": SPARSE})
    assert table["labels"].tolist() == [92]


def test_no_labels_have_no_positions():
    assert check_positions(empty_table(GIVEN_ANSWERS), {}, [], tiles={}, tolerance_px={}).empty
